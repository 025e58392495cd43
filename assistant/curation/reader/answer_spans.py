"""The parts of a message that answer a question which one could ask of it, marked by a tuned encoder.

An embedding model's own weights with a low-rank change (`answers/`, made by `benchmarks/facts`) label each token: it
begins an answer, goes on with one, or is none. The packaged model reads English, the multilingual one Chinese.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.language.text import has_chinese
from knowledge.search.likeness import Language, encoder_folder
from knowledge.search.low_rank import TokenStates, TunedEncoder

ADAPTERS = Path(__file__).with_name("answers")  # a folder for each language
MAX_TOKENS = 256  # of a message; the rest of a longer one is not read
NONE, BEGINS, GOES_ON = range(3)  # the labels of a token
SPAN_WEIGHT, SPAN_BIAS = "span.weight", "span.bias"
IN_PLACE_HEADS = ("keep.weight", "keep.bias", "word.weight", "word.bias")  # of Chinese: see `in_place`
_MARKS = " \t\n.,;:!?，。、；：！？“”‘’\"'()（）「」"


@dataclass(frozen=True)
class Span:
    """A part of a text."""

    start: int
    end: int
    sure: float  # how probably its least probable token belongs to an answer

    def of(self, text: str) -> str:
        """The part itself."""
        return text[self.start : self.end]


class AnswerSpans:
    """Marks answers. Loaded at the first message; safe between threads."""

    def __init__(self, language: Language, home: Path | None = None, device: str | None = None) -> None:
        """`home` has the multilingual model, which Chinese needs."""
        heads = (SPAN_WEIGHT, SPAN_BIAS, *(IN_PLACE_HEADS if language == "zh" else ()))
        self.encoder = TunedEncoder(
            lambda: encoder_folder(language, home), ADAPTERS / language, heads, device
        )

    def find(self, text: str) -> list[Span]:
        """The answers, in their order. Raises StoreError."""
        read = self.encoder.tokens(text, MAX_TOKENS)
        logits = read.states @ self.encoder.besides(SPAN_WEIGHT).T + self.encoder.besides(SPAN_BIAS)
        return spans(text, read, logits)


def spans(text: str, read: TokenStates, logits: np.ndarray) -> list[Span]:
    """The spans that labels make; `logits` are float [tokens, 3]. A word is in one span or in none."""
    labels = logits.argmax(axis=-1)
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    sure = 1 - odds[:, NONE] / odds.sum(axis=-1)
    found = [_bare(text, *one) for one in _joined(read.characters.tolist(), labels.tolist(), sure.tolist())]
    return [one for one in found if one.end > one.start]


def _joined(
    places: list[list[int]], labels: list[int], sure: list[float]
) -> Iterator[tuple[int, int, float]]:
    start = end = -1
    least = 1.0
    for (first, last), label, one in zip(places, labels, sure, strict=True):
        follows = end >= 0 and (label == GOES_ON or (label == BEGINS and first == end))
        if follows:
            end, least = last, min(least, one)
            continue
        if end >= 0:
            yield start, end, least
        start, end, least = (first, last, one) if label != NONE else (-1, -1, 1.0)
    if end >= 0:
        yield start, end, least


def _bare(text: str, start: int, end: int, sure: float) -> Span:
    """Whole words, without marks and spaces around them."""
    while 0 < start < len(text) and _in_word(text[start - 1]) and _in_word(text[start]):
        start -= 1
    while 0 < end < len(text) and _in_word(text[end]) and _in_word(text[end - 1]):
        end += 1
    part = text[start:end]
    start += len(part) - len(part.lstrip(_MARKS))
    return Span(start, start + len(part.strip(_MARKS)), sure)


def _in_word(char: str) -> bool:
    """Whether a character of an alphabet has no word's end beside it; Chinese is written without spaces."""
    return (char.isalnum() or char in "-'’") and not has_chinese(char)
