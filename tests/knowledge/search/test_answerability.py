"""Whether a text answers a question, judged by the adapter that is shipped."""

from pathlib import Path

import numpy as np
import pytest

from knowledge.errors import StoreError
from knowledge.search import answerability
from knowledge.search.answerability import Answerability

QUESTION = "Whose hands is the bakery of Orlin in?"
TEXTS = [
    "Who runs the bakery of Orlin? Peter Maas",
    "Who founded the bakery of Orlin? Ida Brel",
    "When does the bakery of Orlin open? At 5:30",
    "Who runs the mill of Orlin? Hanna Voss",
]


@pytest.fixture(scope="module")
def judge() -> Answerability:
    return Answerability("cpu")


def test_the_text_that_answers_has_the_highest_score(judge: Answerability) -> None:
    scores = judge.score(QUESTION, TEXTS)
    assert scores.dtype == np.float32 and scores.shape == (4,)
    assert int(np.argmax(scores)) == 0 and scores[0] > 2 and scores[2] < -2


def test_a_score_depends_on_no_other_text(judge: Answerability) -> None:
    together, long = judge.score(QUESTION, TEXTS), [*TEXTS, "The bakery is old. " * 200]
    assert np.allclose(together, [judge.score(QUESTION, [text])[0] for text in TEXTS], atol=0.3)  # bf16
    assert np.allclose(together, judge.score(QUESTION, long)[:4], atol=0.3)


def test_no_texts_open_no_model() -> None:
    assert Answerability("no such device").score(QUESTION, []).shape == (0,)


def test_an_adapter_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answerability, "ADAPTER", tmp_path)
    with pytest.raises(StoreError, match=r"cannot be opened .*Install Imprint again"):
        Answerability("cpu").score(QUESTION, TEXTS)


def test_an_adapter_that_is_damaged_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = (answerability.ADAPTER / "adapter_config.json").read_bytes()
    (tmp_path / "adapter_config.json").write_bytes(config)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"damaged")
    monkeypatch.setattr(answerability, "ADAPTER", tmp_path)
    with pytest.raises(StoreError, match="cannot be opened"):
        Answerability("cpu").score(QUESTION, TEXTS)
