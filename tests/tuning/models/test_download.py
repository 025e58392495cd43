"""Models come from a hub that serves real files, breaks off, refuses, lies and is slow; nothing is half there."""

import errno
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from tests import hub as loopback
from tests.hub import Hub
from tests.tuning.gguf_files import tiny_llm, write_gguf
from tuning.errors import ModelError
from tuning.models import download, hub
from tuning.models.download import CancelledError, fetch, fetched_bytes
from tuning.models.sources import find_source

NAME = "someone/tiny"
WEIGHTS = 1_000_000


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one model: a small file, and one of a megabyte."""
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "model.safetensors").write_bytes(bytes(range(250)) * (WEIGHTS // 250))
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with loopback.serving() as running:
        running.models[NAME] = folder
        loopback.use(running, monkeypatch)
        monkeypatch.setattr(download, "_PAUSE_SECONDS", 0.01)
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def weights_of(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


def test_a_model_arrives_whole_and_without_its_pickles(served: Hub, home: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = hub.look_up(NAME)
    assert found.license == "apache-2.0" and found.size == WEIGHTS + 23 and not home.exists()
    folder = fetch(found, home, lambda done, total: seen.append((done, total)))
    assert sorted(one.name for one in folder.iterdir()) == [
        "config.json",
        "imprint.json",
        "model.safetensors",
    ]
    assert weights_of(folder) == weights_of(served.models[NAME])
    assert seen[-1] == (found.size, found.size) and [one for one, _ in seen] == sorted(one for one, _ in seen)
    assert find_source(NAME, home).path == folder
    asked = len(served.asked)
    assert fetch(found, home) == folder and len(served.asked) == asked


def test_a_download_that_breaks_off_goes_on_where_it_was(served: Hub, home: Path) -> None:
    served.breaks_after = [400_000, 300_000]
    folder = fetch(hub.look_up(NAME), home)
    assert weights_of(folder) == weights_of(served.models[NAME])
    ranges = [asked for path, asked in served.asked if path == "model.safetensors"]
    assert ranges == ["", "bytes=400000-", "bytes=700000-"]


def test_a_download_is_taken_up_by_the_next_try(served: Hub, home: Path) -> None:
    served.breaks_after = [400_000, *[0] * 9]
    with pytest.raises(ModelError, match=r"Check the network\. What was fetched is kept: start it again"):
        fetch(hub.look_up(NAME), home)
    assert find_source(NAME, home).path is None and fetched_bytes(hub.look_up(NAME), home) == 400_023
    served.breaks_after, served.asked = [], []
    seen: list[int] = []
    assert weights_of(fetch(hub.look_up(NAME), home, lambda done, total: seen.append(done))) == weights_of(
        served.models[NAME]
    )
    assert served.asked == [("model.safetensors", "bytes=400000-")] and seen[0] > 400_000


def test_a_hub_without_ranges_begins_again(served: Hub, home: Path) -> None:
    served.breaks_after, served.ignores_ranges = [400_000], True
    seen: list[int] = []
    folder = fetch(hub.look_up(NAME), home, lambda done, total: seen.append(done))
    assert weights_of(folder) == weights_of(served.models[NAME]) and seen[-1] == WEIGHTS + 23


def test_another_revision_does_not_go_on_from_the_old_parts(served: Hub, home: Path) -> None:
    served.breaks_after = [400_000, *[0] * 9]
    with pytest.raises(ModelError):
        fetch(hub.look_up(NAME), home)
    served.breaks_after, served.revision = [], "b" * 40
    (served.models[NAME] / "model.safetensors").write_bytes(b"another" * 30_000)
    assert weights_of(fetch(hub.look_up(NAME), home)) == b"another" * 30_000


def test_a_download_that_is_given_up_stops_soon_and_keeps_its_part(served: Hub, home: Path) -> None:
    served.seconds_a_chunk = 0.05
    stop = threading.Event()

    def watch(done: int, total: int) -> None:
        if done > 300_000:
            stop.set()

    with pytest.raises(CancelledError, match="kept for the next time"):
        fetch(hub.look_up(NAME), home, watch, stop.is_set)
    assert 300_000 < fetched_bytes(hub.look_up(NAME), home) < 800_000
    assert find_source(NAME, home).path is None


def test_damaged_files_are_told_by_their_hash_and_not_kept(served: Hub, home: Path) -> None:
    found, served.damages = hub.look_up(NAME), True
    with pytest.raises(ModelError, match=r"config\.json of 'someone/tiny' arrived damaged"):
        fetch(found, home)
    served.damages = False
    assert weights_of(fetch(found, home)) == weights_of(served.models[NAME])


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (
            403,
            "GatedRepo",
            r"accept its licence\. Open its page on Hugging Face, accept it there, and set HF_TOKEN",
        ),
        (
            401,
            "RepoNotFound",
            r"no model 'someone/tiny' on Hugging Face, or it is private\. Check how it is written",
        ),
        (404, "RepoNotFound", r"no model 'someone/tiny' on Hugging Face"),
        (500, "", r"refused the model 'someone/tiny' with status 500\. Try again later"),
    ],
)
def test_what_a_hub_refuses_is_said_in_words(served: Hub, status: int, code: str, words: str) -> None:
    served.refused[NAME] = (status, code)
    with pytest.raises(ModelError, match=words):
        hub.look_up(NAME)


def test_a_licence_may_be_asked_for_at_the_file(served: Hub, home: Path) -> None:
    found = hub.look_up(NAME)
    served.refused[f"{NAME}/model.safetensors"] = (403, "GatedRepo")
    with pytest.raises(ModelError, match="accept its licence"):
        fetch(found, home)
    del served.refused[f"{NAME}/model.safetensors"]
    assert weights_of(fetch(found, home)) == weights_of(served.models[NAME])


def test_no_hub_and_no_network_are_one_sentence(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(constants, "HF_HUB_OFFLINE", True)
        with pytest.raises(ModelError, match="HF_HUB_OFFLINE forbids to fetch it"):
            hub.look_up(NAME)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(
        ModelError, match=r"could not be reached for the model 'someone/tiny'\. Check the network"
    ):
        hub.look_up(NAME)


def test_a_full_disk_is_found_before_and_during_a_download(
    served: Hub, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = hub.look_up(NAME)
    with monkeypatch.context() as patch:
        patch.setattr(download, "_SPARE_BYTES", 10**15)
        with pytest.raises(ModelError, match=r"takes 0\.0 GB more on the disk, and [\d.]+ GB are free"):
            fetch(found, home)
    assert served.asked == []

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(download, "_stream", full)
        with pytest.raises(ModelError, match=r"The disk is full: .*What was fetched is kept"):
            fetch(found, home)
    assert weights_of(fetch(found, home)) == weights_of(served.models[NAME])


def test_two_downloads_of_one_model_do_not_mix(served: Hub, home: Path) -> None:
    served.seconds_a_chunk = 0.05
    found = hub.look_up(NAME)
    started = threading.Event()
    thread = threading.Thread(target=fetch, args=(found, home, lambda done, total: started.set()))
    thread.start()
    assert started.wait(10)
    with pytest.raises(ModelError, match="is being fetched already"):
        fetch(found, home)
    thread.join()
    assert find_source(NAME, home).path is not None


@pytest.mark.real
def test_one_gguf_file_of_several_is_chosen_by_its_kind(served: Hub, home: Path) -> None:
    folder = served.models[NAME]
    for path in folder.iterdir():
        path.unlink()
    for kind in ("Q4_K_M", "Q8_0", "IQ3_XXS-00001-of-00002"):
        write_gguf(folder / f"tiny-{kind}.gguf", tiny_llm())
    assert hub.look_up(NAME).files[0].path == "tiny-Q4_K_M.gguf"
    chosen = f"{NAME}:q8_0"
    fetch(hub.look_up(chosen), home)
    found = find_source(chosen, home)
    assert found.gguf is not None and found.gguf.name == "tiny-Q8_0.gguf"
    with pytest.raises(ModelError, match=r"no whole GGUF file 'Q2_K' on its hub\. It has: tiny-IQ3"):
        hub.look_up(f"{NAME}:Q2_K")


def test_a_repository_of_pickles_alone_is_refused_unseen(served: Hub) -> None:
    (served.models[NAME] / "model.safetensors").unlink()
    (served.models[NAME] / "pytorch_model.bin").write_bytes(bytes(2_000_000))
    with pytest.raises(
        ModelError, match=r"has \.bin on its hub, and only \.safetensors and \.gguf are loaded"
    ):
        hub.look_up(NAME)
    assert served.asked == []
