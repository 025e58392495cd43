"""Answers that are marked in a message: labels as spans, and the shipped adapter on real weights."""

from pathlib import Path

import numpy as np
import pytest

from assistant.curation.reader import answer_spans
from assistant.curation.reader.answer_spans import BEGINS, GOES_ON, NONE, AnswerSpans, spans
from knowledge.errors import StoreError
from knowledge.search.low_rank import TokenStates

TEXT = "The kiln: 1240 degrees, Nadia."
PLACES = [(0, 3), (4, 8), (8, 9), (10, 14), (15, 22), (22, 23), (24, 29), (29, 30)]


def labelled(*labels: int) -> list[str]:
    logits = np.full((len(labels), 3), -4.0, dtype=np.float32)
    logits[np.arange(len(labels)), labels] = 4.0
    read = TokenStates(np.zeros((len(labels), 1), dtype=np.float32), np.array(PLACES))
    return [one.of(TEXT) for one in spans(TEXT, read, logits)]


def test_labels_make_spans() -> None:
    assert labelled(*[NONE] * 8) == []
    assert labelled(NONE, NONE, NONE, BEGINS, GOES_ON, NONE, BEGINS, NONE) == ["1240 degrees", "Nadia"]


def test_what_goes_on_from_nothing_begins() -> None:
    assert labelled(NONE, NONE, NONE, GOES_ON, GOES_ON, NONE, NONE, NONE) == ["1240 degrees"]


def test_a_span_has_no_mark_around_it_and_is_none_where_it_is_nothing_else() -> None:
    assert labelled(NONE, NONE, BEGINS, GOES_ON, NONE, NONE, BEGINS, GOES_ON) == ["1240", "Nadia"]
    assert labelled(NONE, NONE, BEGINS, NONE, NONE, NONE, NONE, BEGINS) == []


def test_tokens_of_one_word_are_in_one_span() -> None:
    assert labelled(NONE, BEGINS, BEGINS, NONE, NONE, NONE, NONE, NONE) == ["kiln"]


def test_a_span_is_as_sure_as_its_least_sure_token() -> None:
    logits = np.array([[0.0, 4.0, 0.0], [0.0, 0.0, 1.0]], dtype=np.float32)
    read = TokenStates(np.zeros((2, 1), dtype=np.float32), np.array(PLACES[3:5]))
    (one,) = spans(TEXT, read, logits)
    assert one.sure == pytest.approx(1 - 1 / (2 + np.e), abs=1e-4)


@pytest.fixture(scope="module")
def english() -> AnswerSpans:
    return AnswerSpans("en", device="cpu")


@pytest.mark.parametrize(
    ("message", "answers"),
    [
        ("The staging database lives on host marlin-07.", ["marlin-07"]),
        ("The boiler code is 4471, ask Marek.", ["4471", "Marek"]),
        ("Thanks, that was exactly what I needed!", []),
    ],
)
def test_the_shipped_adapter_marks_english_answers(
    english: AnswerSpans, message: str, answers: list[str]
) -> None:
    found = {one.of(message) for one in english.find(message) if one.sure > 0.5}
    assert all(any(wanted in one for one in found) for wanted in answers)
    assert bool(found) == bool(answers)


def test_chinese_needs_the_model_that_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="multilingual"):
        AnswerSpans("zh", tmp_path, "cpu").find("会费是八十块。")


def test_an_adapter_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_spans, "ADAPTERS", tmp_path)
    with pytest.raises(StoreError, match=r"cannot be opened .*Install Imprint again"):
        AnswerSpans("en", device="cpu").find("Ida runs it.")
