"""A prompt that is far too long is refused by its beginning; one that fits is read whole."""

import pytest

from assistant.engines.prompt_length import CHARACTERS_A_TOKEN, ids_that_fit
from assistant.errors import PromptTooLongError

MOST = 100


class Words:
    """Ids of words, and how many characters it was given in all."""

    def __init__(self) -> None:
        self.read = 0

    def __call__(self, text: str) -> list[int]:
        self.read += len(text)
        return [len(word) for word in text.split()]


def test_of_millions_of_words_the_beginning_is_enough() -> None:
    words = Words()
    with pytest.raises(PromptTooLongError, match=r"has 800\+ tokens, and kite reads 100\.") as refused:
        ids_that_fit(words, "a " * 4_000_000, MOST, "kite")
    assert words.read == MOST * CHARACTERS_A_TOKEN and refused.value.window == MOST


def test_the_count_is_exact_where_the_text_was_read_whole() -> None:
    with pytest.raises(PromptTooLongError, match="has 100 tokens"):
        ids_that_fit(Words(), "a " * 100, MOST, "kite")


@pytest.mark.parametrize("text", ["a " * 99, "x" * 5000 + " " * 5000 + "y"])
def test_a_prompt_that_fits_is_read_to_its_end(text: str) -> None:
    assert ids_that_fit(Words(), text, MOST, "kite") == [len(word) for word in text.split()]
