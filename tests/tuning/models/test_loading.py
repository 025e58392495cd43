"""Loading is quiet in its own thread alone: what other threads write and log is not touched."""

import io
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from tests.tuning.tiny import save_tiny
from tuning.models.base_model import BaseModel
from tuning.models.device import choose_training_dtype


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


@pytest.mark.parametrize(
    ("rows", "products", "matrices", "found"),
    [
        (True, False, False, torch.float32),
        (True, True, False, torch.bfloat16),
        (True, False, True, torch.bfloat16),
    ],
)
def test_jobs_compute_in_bfloat16_where_the_processor_multiplies_in_it(
    monkeypatch: pytest.MonkeyPatch, rows: bool, products: bool, matrices: bool, found: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_supported", lambda: rows)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: products)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: matrices)
    monkeypatch.setattr("tuning.models.device.choose_dtype", lambda device: torch.bfloat16)
    assert choose_training_dtype(torch.device("cpu"), 1000) is found
    assert (
        choose_training_dtype(torch.device("cpu"), 10**13) is torch.bfloat16
    )  # a base that would fill the memory
    assert choose_training_dtype(torch.device("meta"), 1000) is torch.bfloat16  # as a chat has it
