"""Which passage supports which sentence of an answer, and where. No language model is asked whether it told the
truth: words, numbers, names and, where there are vectors, meanings are compared."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from knowledge.grounding.numbers import numbers, numbers_in
from knowledge.text.sentences import sentence_spans
from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms

# Chosen and judged on the cases in tests/knowledge/grounding/citation_cases.py.
SUPPORTED = 0.6  # of a sentence's telling words, weighted by rarity, are in the passage's best stretch
CHARACTERS = 0.75  # or, in Chinese, so many of its telling characters
# Or share and cosine add up to so much; to less where the sentence states numbers and the stretch states them too.
AGREE, AGREE_WITH_NUMBERS = 1.2, 0.9
CERTAIN, HOPELESS = 0.85, 0.25  # shares at which no vector is asked for
COMPARED = 6  # stretches a sentence that are compared by their vectors
STRETCH = 2  # neighbouring sentences of a passage that may support one sentence together
_HAN = re.compile("[\u3400-\u9fff]")
_NAME = re.compile(r"(?<=[\w,;:] )[A-Z]\w+")  # capital letters within a sentence
_EMPTY_CHARACTERS = frozenset(
    "的了是在有和也就都而及与着或一个这那要可以会能被把从到他她它们我你吗呢吧之以为于其时上下里中不没很更最"
)
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


@dataclass(frozen=True)
class _Stretch:
    """Neighbouring sentences of one passage."""

    passage: int  # its number, from 1
    span: tuple[int, int]
    text: str
    above: str  # title and headings
    whole: str  # the passage

    @property
    def under_headings(self) -> str:
        """What it says to someone who has read title and headings."""
        return f"{self.above}\n{self.text}"


def cite(
    answer: str, passages: Sequence[str], embed: Embed | None = None, around: Sequence[str] = ()
) -> list[Citation]:
    """For each sentence of the answer the number of the passage that supports it best, or None.

    `around` is what stands above each passage: its title and headings. With `embed` (texts → unit vectors) other
    words for the same are recognised too. A number or a name that the passage does not have makes a sentence
    unsupported, however much else agrees.
    """
    stretches = _stretches(passages, around or [""] * len(passages))
    words = [frozenset(terms(stretch.under_headings)) for stretch in stretches]
    rarity = _rarity(words)
    spans = sentence_spans(answer)
    sentences = [answer[start:end] for start, end in spans]
    shares = [[_share(sentence, held, rarity) for held in words] for sentence in sentences]
    cosines = _cosines(sentences, stretches, shares, embed) if embed else {}
    citations: list[Citation] = []
    for row, ((start, end), sentence) in enumerate(zip(spans, sentences, strict=True)):
        supports = [
            _support(sentence, stretch, shares[row][at], cosines.get((row, at)))
            for at, stretch in enumerate(stretches)
        ]
        best = max(
            range(len(stretches)), key=lambda at: (supports[at], -len(stretches[at].text), -at), default=None
        )
        if best is not None and supports[best] >= SUPPORTED:
            found = stretches[best]
            citations.append(Citation(start, end, sentence, found.passage, found.span, supports[best]))
        else:
            citations.append(Citation(start, end, sentence, None, None, max(supports, default=0.0)))
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


def _stretches(passages: Sequence[str], around: Sequence[str]) -> list[_Stretch]:
    """Every sentence of every passage, and every run of STRETCH neighbours."""
    found: list[_Stretch] = []
    for number, (text, above) in enumerate(zip(passages, around, strict=True), 1):
        spans = sentence_spans(text)
        runs = [
            (spans[at][0], spans[at + size - 1][1])
            for size in range(1, STRETCH + 1)
            for at in range(len(spans) - size + 1)
        ]
        found += [_Stretch(number, (start, end), text[start:end], above, text) for start, end in runs]
    return found


def _rarity(stretches: Sequence[frozenset[str]]) -> dict[str, float]:
    held = Counter(term for words in stretches for term in words)
    return {term: log(1 + len(stretches) / count) for term, count in held.items()}


def _share(sentence: str, held: frozenset[str], rarity: dict[str, float]) -> float:
    """What the stretch has of the sentence's telling words, weighted by rarity."""
    wanted = set(terms(sentence)) - STOPWORDS
    unseen = max(rarity.values(), default=1.0)
    weights = {term: rarity.get(term, unseen) for term in wanted}
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in held) / total if total else 0.0


def _support(sentence: str, stretch: _Stretch, share: float, cosine: float | None) -> float:
    stated = numbers(sentence) - _named(stretch.above, sentence)
    if stated - numbers(stretch.text) or _names(sentence) - _words(f"{stretch.above}\n{stretch.whole}"):
        return min(share, SUPPORTED / 2)
    if told := set(_HAN.findall(sentence)) - _EMPTY_CHARACTERS:
        held = sum(character in stretch.under_headings for character in told) / len(told)
        return max(share, held * SUPPORTED / CHARACTERS)
    if cosine is None:
        return share
    return min(1.0, SUPPORTED * (share + cosine) / (AGREE_WITH_NUMBERS if stated else AGREE))


def _named(above: str, sentence: str) -> set[float]:
    """Numbers of a title that are part of a name ("Petrel 4"), where the sentence has the name too."""
    return {
        number.value
        for number in numbers_in(above)
        if number.start and above[max(0, number.start - 2) : number.end].casefold() in sentence.casefold()
    }


def _names(sentence: str) -> set[str]:
    return {name.casefold() for name in _NAME.findall(sentence)}


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _cosines(
    sentences: Sequence[str], stretches: Sequence[_Stretch], shares: Sequence[Sequence[float]], embed: Embed
) -> dict[tuple[int, int], float]:
    """Of the sentences that words alone do not decide, with the stretches that come closest by words."""
    pairs = [
        (row, at)
        for row, (sentence, of_stretches) in enumerate(zip(sentences, shares, strict=True))
        if not _HAN.search(sentence) and HOPELESS <= max(of_stretches, default=0.0) < CERTAIN
        for at in np.argsort([-share for share in of_stretches], kind="stable")[:COMPARED].tolist()
    ]
    texts = list(
        dict.fromkeys(text for row, at in pairs for text in (sentences[row], stretches[at].under_headings))
    )
    vectors = dict(zip(texts, np.asarray(embed(texts)), strict=True)) if texts else {}
    return {
        (row, at): float(vectors[sentences[row]] @ vectors[stretches[at].under_headings]) for row, at in pairs
    }
