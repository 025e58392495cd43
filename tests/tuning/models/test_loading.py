"""Loading is quiet in its own thread alone: what other threads write and log is not touched."""

import io
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from tests.tuning.tiny import save_tiny
from tuning.models.base_model import BaseModel


def elsewhere(action: Callable[[], Any]) -> Any:
    """What an action returns in another thread."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(action()))
    thread.start()
    thread.join()
    return found[0]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What transformers' own handler writes."""
    stream = io.StringIO()
    handler = next(
        one for one in transformers_logging.get_logger().handlers if type(one) is logging.StreamHandler
    )
    monkeypatch.setattr(handler, "stream", stream)
    return stream


def test_opening_a_model_changes_no_verbosity_and_no_bar_of_another_thread(
    base_model: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: io.StringIO
) -> None:
    folder, seen = save_tiny(base_model, tmp_path / "tiny"), []
    load = AutoModelForCausalLM.from_pretrained

    def bar_is_drawn() -> bool:
        with transformers_logging.tqdm(range(1), file=io.StringIO()) as bar:
            return not bar.disable

    def watched(*given: Any, **options: Any) -> Any:
        model = load(*given, **options)
        logger = logging.getLogger("transformers.modeling_utils")
        logger.warning("a remark of the opening")
        logger.error("an error of the opening")
        elsewhere(lambda: logger.warning("a remark of another thread"))
        seen.extend([transformers_logging.get_verbosity(), bar_is_drawn(), elsewhere(bar_is_drawn)])
        return model

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", watched)
    before = transformers_logging.get_verbosity()
    BaseModel.open(str(folder), tmp_path, "cpu").close()
    assert seen == [before, False, True]
    assert "a remark of the opening" not in log.getvalue()
    assert "an error of the opening" in log.getvalue() and "a remark of another thread" in log.getvalue()
    assert transformers_logging.is_progress_bar_enabled()
