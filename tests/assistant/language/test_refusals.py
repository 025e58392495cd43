"""Refusals are known by their words: those of models, and the one that Imprint itself gives."""

import pytest

from assistant.i18n.texts import TEXTS
from assistant.language.refusals import is_refusal


@pytest.mark.parametrize("language", ["en", "zh"])
def test_that_nothing_was_found_is_a_refusal(language: str) -> None:
    assert is_refusal(TEXTS["chat.nothing_found"][language])
    assert is_refusal(TEXTS["chat.nothing_found.foreign"][language])


def test_an_interface_text_does_not_decide_what_a_refusal_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TEXTS, "chat.nothing_found", {"en": "Paris."})
    assert not is_refusal("Paris.")


@pytest.mark.parametrize("answer", ["", "  ", "I do not know.", "The text does not say.", "资料中没有。"])
def test_an_answer_that_begins_by_having_none_is_a_refusal(answer: str) -> None:
    assert is_refusal(answer)


@pytest.mark.parametrize("answer", ["640 grams.", "In Oslo. I am not sure why.", "托尔瓦重128克。"])
def test_an_answer_that_adds_a_doubt_is_none(answer: str) -> None:
    assert not is_refusal(answer)
