"""Which passage supports which sentence of an answer, and where. Pure functions over texts: no model is asked
whether it told the truth, the words are compared."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from knowledge.lexical import terms
from knowledge.relevance import EMPTY_TERMS

SUPPORTED = 0.6  # of a sentence's telling words, weighted by rarity, are in the passage's best stretch
PARAPHRASED, PARAPHRASED_WORDS = 0.72, 0.3  # or the cosine is this high and some words are the same
STRETCH = 2  # neighbouring sentences of a passage that may support one sentence together
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'”’)\]]*\s+|(?<=[。！？；])[”’」』）]*|\n+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
Embed = Callable[[list[str]], Sequence[Sequence[float]]]


@dataclass(frozen=True)
class Citation:
    """One sentence of an answer: `answer[start:end]`, with what supports it."""

    start: int
    end: int
    text: str
    passage: int | None  # the number of the supporting passage, from 1; None when no passage supports it
    span: tuple[int, int] | None  # the supporting stretch of that passage's text
    support: float  # 0 to 1

    @property
    def supported(self) -> bool:
        """Whether some passage supports the sentence."""
        return self.passage is not None


def cite(answer: str, passages: Sequence[str], embed: Embed | None = None) -> list[Citation]:
    """For each sentence of the answer the number of the passage that supports it best, or None.

    With `embed` (texts → unit vectors) a paraphrase is recognised too. A number that the passage does not
    contain makes a sentence unsupported, however much else agrees.
    """
    sentences = sentence_spans(answer)
    stretches = [(number, span) for number, text in enumerate(passages, 1) for span in _stretches(text)]
    words = [Counter(terms(passages[number - 1][start:end])) for number, (start, end) in stretches]
    rarity = _rarity(words)
    cosines = _cosines(answer, sentences, passages, stretches, embed)
    citations: list[Citation] = []
    for row, (start, end) in enumerate(sentences):
        text = answer[start:end]
        best = max(
            (
                (
                    _support(text, held, rarity, cosines[row, at]),
                    -(stretches[at][1][1] - stretches[at][1][0]),
                    -at,
                )
                for at, held in enumerate(words)
            ),
            default=(0.0, 0, 0),
        )
        support, _, at = best
        if support >= SUPPORTED:
            number, span = stretches[-at]
            citations.append(Citation(start, end, text, number, span, support))
        else:
            citations.append(Citation(start, end, text, None, None, support))
    return citations


def numbered(answer: str, citations: Sequence[Citation]) -> str:
    """The answer with `[1]` after each supported sentence."""
    parts: list[str] = []
    position = 0
    for citation in citations:
        parts.append(answer[position : citation.end])
        if citation.passage is not None:
            parts.append(f" [{citation.passage}]")
        position = citation.end
    return "".join([*parts, answer[position:]])


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence that has a word in it."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in [*_SENTENCE_END.finditer(text), None]:
        end = match.end() if match else len(text)
        stripped = text[start:end].strip()
        if terms(stripped):
            first = start + text[start:end].index(stripped)
            spans.append((first, first + len(stripped)))
        start = end
    return spans


def _stretches(text: str) -> list[tuple[int, int]]:
    """Every sentence, and every run of STRETCH neighbours."""
    spans = sentence_spans(text)
    runs = [
        (spans[at][0], spans[at + size - 1][1])
        for size in range(2, STRETCH + 1)
        for at in range(len(spans) - size + 1)
    ]
    return spans + runs


def _rarity(stretches: Sequence[Counter[str]]) -> dict[str, float]:
    held = Counter(term for words in stretches for term in words)
    return {term: log(1 + len(stretches) / count) for term, count in held.items()}


def _support(sentence: str, held: Counter[str], rarity: dict[str, float], cosine: float) -> float:
    wanted = [term for term in dict.fromkeys(terms(sentence)) if term not in EMPTY_TERMS]
    if not wanted:
        return 0.0
    unseen = max(rarity.values(), default=1.0)
    weights = {term: rarity.get(term, unseen) for term in wanted}
    share = sum(weight for term, weight in weights.items() if term in held) / sum(weights.values())
    if any(term not in held for number in _NUMBER.findall(sentence) for term in terms(number)):
        return min(share, SUPPORTED / 2)
    if cosine >= PARAPHRASED and share >= PARAPHRASED_WORDS:
        return max(share, cosine)
    return share


def _cosines(
    answer: str,
    sentences: Sequence[tuple[int, int]],
    passages: Sequence[str],
    stretches: Sequence[tuple[int, tuple[int, int]]],
    embed: Embed | None,
) -> np.ndarray:
    if embed is None or not sentences or not stretches:
        return np.zeros((len(sentences), max(1, len(stretches))))
    said = np.asarray(embed([answer[start:end] for start, end in sentences]))
    held = np.asarray(embed([passages[number - 1][start:end] for number, (start, end) in stretches]))
    cosines: np.ndarray = said @ held.T
    return cosines
