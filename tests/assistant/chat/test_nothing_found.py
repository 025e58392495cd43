"""What is said where the documents hold nothing, and that it is known again however it was filled in."""

from collections.abc import Iterator

import pytest

from assistant.chat.nothing_found import (
    nothing_found,
    nothing_known,
    says_foreign,
    says_nothing_found,
    says_nothing_known,
)
from assistant.i18n.texts import use_language
from assistant.language.refusals import is_refusal


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    use_language(request.param)
    yield request.param
    use_language("en")


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("foreign", ["", "en", "zh", "de", "und", "xx"])
def test_the_notice_is_known_in_the_other_language_too(foreign: str) -> None:
    text = nothing_found(foreign)
    use_language("en")
    assert says_nothing_found(f" {text}\n") and says_foreign(text) == bool(foreign) and "{" not in text


def test_the_language_of_the_documents_is_named(language: str) -> None:
    assert {"en": "they are in German", "zh": "文档使用的是德文"}[language] in nothing_found("de")


@pytest.mark.usefixtures("language")
@pytest.mark.parametrize("documents", [False, True])
def test_what_a_checkpoint_was_not_taught_is_known_too(documents: bool) -> None:
    text = nothing_known(documents)
    use_language("en")
    assert says_nothing_found(text) and says_nothing_known(text) and not says_foreign(text)
    assert is_refusal(text) and not says_nothing_known(nothing_found(""))


@pytest.mark.parametrize(
    "answer", ["", "640 grams.", "I found nothing about this in the documents: they are"]
)
def test_other_answers_are_no_notice(answer: str) -> None:
    assert not says_nothing_found(answer)
