"""Which passage supports which sentence of an answer, and where.

Words, numbers, names and, with an embedding model, meanings are compared; no language model judges.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from knowledge.grounding.asked_units import counts_otherwise
from knowledge.grounding.numbers import numbers, numbers_in
from knowledge.grounding.own_numbers import NumberedAnswer
from knowledge.grounding.rows import is_of_rows, rows_asked_for
from knowledge.text.sentences import sentence_spans
from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms

# Chosen and judged on the cases in tests/knowledge/grounding/citation_cases.py.
MIN_SUPPORT = 0.6  # of a sentence's content words, weighted by idf, are in the passage's best window
MIN_CHARACTER_SHARE = 0.75  # or, in Chinese, so many of its content characters
# Or share and cosine add up to so much; to less where the sentence states numbers and the window has them too.
MIN_AGREEMENT, MIN_AGREEMENT_WITH_NUMBERS = 1.2, 0.9
UNDECIDED_SHARES = (0.25, 0.85)  # within these the vectors are compared; beyond them the words decide alone
MAX_EMBEDDED_WINDOWS = 6  # windows that each sentence is compared with by their vectors
WINDOW_SENTENCES = 2  # neighbouring sentences of a passage that may support one sentence together
_HAN = re.compile("[\u3400-\u9fff]")
_NAME = re.compile(r"(?<=[\w,;:] )[A-Z]\w+")  # capital letters within a sentence
_STOP_CHARACTERS = frozenset(
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
    span: tuple[int, int] | None  # the supporting window of that passage's text
    support: float  # 0 to 1

    @property
    def supported(self) -> bool:
        """Whether some passage supports the sentence."""
        return self.passage is not None


@dataclass(frozen=True)
class _Window:
    """Neighbouring sentences of one passage."""

    passage: int  # its number, from 1
    span: tuple[int, int]
    text: str
    context: str  # title and headings
    whole: str  # the passage

    @property
    def under_headings(self) -> str:
        """The text under its title and headings."""
        return f"{self.context}\n{self.text}"


def cite(
    answer: str | NumberedAnswer,
    passages: Sequence[str],
    embed: Embed | None = None,
    contexts: Sequence[str] = (),
    question: str = "",
) -> list[Citation]:
    """For each sentence of the answer the number of the passage that supports it best, or None.

    `contexts` are the title and headings of each passage. With `embed` (texts → unit vectors) paraphrases are
    recognised too. A number or a name that the passage does not have makes a sentence unsupported, however much
    else agrees. Where an answer names passages itself, one of those is taken if it supports the sentence. Where the
    `question` names a row of a table, no other row of it supports an answer; where it asks for days and a passage
    counts days, nothing supports weeks.
    """
    read = answer if isinstance(answer, NumberedAnswer) else NumberedAnswer(answer)
    answer = read.text
    windows = _fitting(_windows(passages, contexts or [""] * len(passages)), question)
    words = [frozenset(terms(window.under_headings)) for window in windows]
    idf = _idf(words)
    spans = sentence_spans(answer)
    sentences = [answer[start:end] for start, end in spans]
    shares = [[_share(sentence, held, idf) for held in words] for sentence in sentences]
    cosines = _cosines(sentences, windows, shares, embed) if embed else {}
    citations: list[Citation] = []
    for row, ((start, end), sentence) in enumerate(zip(spans, sentences, strict=True)):
        supports = [
            _support(sentence, window, shares[row][at], cosines.get((row, at)))
            for at, window in enumerate(windows)
        ]
        best = _best(windows, supports, read.numbers_of(start, end))
        is_supported = best is not None and supports[best] >= MIN_SUPPORT
        if best is not None and is_supported and not counts_otherwise(sentence, question, passages):
            found = windows[best]
            citations.append(Citation(start, end, sentence, found.passage, found.span, supports[best]))
        else:
            citations.append(Citation(start, end, sentence, None, None, max(supports, default=0.0)))
    return citations


def _best(windows: Sequence[_Window], supports: Sequence[float], named: Sequence[int]) -> int | None:
    """The window that supports most, of the named passages where one of them supports enough."""
    own = [at for at, one in enumerate(windows) if one.passage in named and supports[at] >= MIN_SUPPORT]
    return max(
        own or range(len(windows)), key=lambda at: (supports[at], -len(windows[at].text), -at), default=None
    )


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


def _windows(passages: Sequence[str], contexts: Sequence[str]) -> list[_Window]:
    """Every sentence of every passage, and every run of WINDOW_SENTENCES neighbours."""
    found: list[_Window] = []
    for number, (text, context) in enumerate(zip(passages, contexts, strict=True), 1):
        spans = sentence_spans(text)
        runs = [
            (spans[at][0], spans[at + size - 1][1])
            for size in range(1, WINDOW_SENTENCES + 1)
            for at in range(len(spans) - size + 1)
        ]
        found += [_Window(number, (start, end), text[start:end], context, text) for start, end in runs]
    return found


def _fitting(windows: Sequence[_Window], question: str) -> list[_Window]:
    """Without the rows of tables that are about something else than the rows that are asked for."""
    asked = {window.whole: rows_asked_for(question, window.whole) for window in windows} if question else {}
    return [one for one in windows if not (keys := asked.get(one.whole)) or is_of_rows(one.text, keys)]


def _idf(windows: Sequence[frozenset[str]]) -> dict[str, float]:
    held = Counter(term for words in windows for term in words)
    return {term: log(1 + len(windows) / count) for term, count in held.items()}


def _share(sentence: str, held: frozenset[str], idf: dict[str, float]) -> float:
    """The share of the sentence's content words that the window has, weighted by idf."""
    wanted = set(terms(sentence)) - STOPWORDS
    unseen = max(idf.values(), default=1.0)
    weights = {term: idf.get(term, unseen) for term in wanted}
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in held) / total if total else 0.0


def _support(sentence: str, window: _Window, share: float, cosine: float | None) -> float:
    stated = numbers(sentence) - _named(window.context, sentence)
    if stated - numbers(window.text) or _names(sentence) - _words(f"{window.context}\n{window.whole}"):
        return min(share, MIN_SUPPORT / 2)
    if characters := set(_HAN.findall(sentence)) - _STOP_CHARACTERS:
        held = sum(character in window.under_headings for character in characters) / len(characters)
        return max(share, held * MIN_SUPPORT / MIN_CHARACTER_SHARE)
    if cosine is None:
        return share
    return min(
        1.0, MIN_SUPPORT * (share + cosine) / (MIN_AGREEMENT_WITH_NUMBERS if stated else MIN_AGREEMENT)
    )


def _named(context: str, sentence: str) -> set[float]:
    """Numbers of a title that are part of a name ("Petrel 4"), where the sentence has the name too."""
    return {
        number.value
        for number in numbers_in(context)
        if number.start and context[max(0, number.start - 2) : number.end].casefold() in sentence.casefold()
    }


def _names(sentence: str) -> set[str]:
    return {name.casefold() for name in _NAME.findall(sentence)}


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _cosines(
    sentences: Sequence[str], windows: Sequence[_Window], shares: Sequence[Sequence[float]], embed: Embed
) -> dict[tuple[int, int], float]:
    """By (sentence, window): of the sentences that words alone do not decide, with their closest windows by words."""
    lowest, highest = UNDECIDED_SHARES
    pairs = [
        (row, at)
        for row, (sentence, shares_of_sentence) in enumerate(zip(sentences, shares, strict=True))
        if not _HAN.search(sentence) and lowest <= max(shares_of_sentence, default=0.0) < highest
        for at in np.argsort([-share for share in shares_of_sentence], kind="stable")[
            :MAX_EMBEDDED_WINDOWS
        ].tolist()
    ]
    texts = list(
        dict.fromkeys(text for row, at in pairs for text in (sentences[row], windows[at].under_headings))
    )
    vectors = dict(zip(texts, np.asarray(embed(texts)), strict=True)) if texts else {}
    return {
        (row, at): float(vectors[sentences[row]] @ vectors[windows[at].under_headings]) for row, at in pairs
    }
