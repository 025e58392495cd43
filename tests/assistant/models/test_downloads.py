"""Downloads go on beside the page, say how much is left, and can be stopped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import AssistantError
from assistant.models.downloads import Downloads
from tests import hub as loopback
from tests.hub import Hub
from tests.tuning.gguf_files import tiny_llm, write_gguf
from tuning.models.sources import find_source

pytestmark = pytest.mark.real
NAME = "someone/tiny"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    folder = tmp_path / "served"
    folder.mkdir()
    write_gguf(folder / "tiny-Q8_0.gguf", tiny_llm())
    with loopback.serving() as hub:
        hub.models[NAME] = folder
        loopback.use(hub, monkeypatch)
        yield hub


def test_a_download_says_how_long_it_still_takes(served: Hub, tmp_path: Path) -> None:
    served.seconds_a_chunk = 0.01
    task = Downloads(tmp_path).begin(NAME)
    rests: list[float] = []
    while not task.wait(0.05):
        if (left := task.seconds_left) is not None:
            rests.append(left)
    assert not task.error and task.share == 1.0 and task.done == task.total > 10**6
    assert rests and all(0 <= left < 60 for left in rests) and rests[-1] < max(rests)
    assert find_source(NAME, tmp_path).gguf is not None


def test_one_model_is_fetched_once_at_a_time_and_stops_when_told(served: Hub, tmp_path: Path) -> None:
    served.seconds_a_chunk = 0.03
    downloads = Downloads(tmp_path)
    task = downloads.begin(NAME)
    with pytest.raises(AssistantError, match="being fetched already"):
        downloads.begin(NAME)
    while not task.done and not task.wait(0.02):
        pass
    task.stop()
    assert task.wait(20) and not task.error and task.stopping and find_source(NAME, tmp_path).path is None
    served.seconds_a_chunk = 0.0
    again = downloads.begin(NAME)
    assert again.wait(20) and not again.error and find_source(NAME, tmp_path).gguf is not None


def test_what_a_hub_refuses_ends_the_download_with_its_sentence(served: Hub, tmp_path: Path) -> None:
    served.refused[NAME] = (403, "GatedRepo")
    task = Downloads(tmp_path).begin(NAME)
    assert task.wait(20) and "accept its licence" in task.error
