"""Whether a question asks for what a note answers: strict, since a note is quoted as it stands.

Likeness alone would quote "Who is the engineer?" for "Who is the manager?" of the same house. So the names of the
question must be known to the note, both must ask for the same kind of answer (a person, a place, a time, an amount),
the question may not say the answer already, and only what is left beside the names is compared. The amounts below
were chosen with the development domains of `benchmarks/memory_domains`: half of the facts were notes, and the other
half was asked too.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

import numpy as np

from assistant.language.text import has_chinese, sentences
from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms
from tuning.data.examples import Example
from tuning.scoring import contains, normalise

Encode = Callable[[Sequence[str]], np.ndarray]  # texts -> unit vectors [texts, dimension]


@dataclass(frozen=True)
class Strictness:
    """How alike a question and a note have to be, and how much less alike every other note."""

    likeness: float
    margin: float


# The packaged embedding model reads English; for Chinese, shared characters count as much as its vectors.
ENGLISH, CHINESE = Strictness(0.62, 0.05), Strictness(0.55, 0.05)
_NOTHING_LEFT = 0.3  # how alike two questions are of which one is contained in the other

_KINDS = {
    "person": r"\b(who|whom|whose)\b|谁|哪一?位|何人|什么人|哪个人",
    "place": r"\bwhere\b|\b(what|which) (place|town|city|country|locality)\b|哪里|哪儿|什么地方|何处|在哪(?![年天])",
    "time": r"\bwhen\b|\b(what|which) (year|day|date|month|time|weekday)\b|哪一?[年天]|几[号点]|何时|年份"
    r"|[什啥]么?时候|什么日子",
    "amount": r"\bhow (many|much|long|often|old|heavy|far|tall|wide|fast|high|big|large|deep)\b|多少"
    r"|几[个种只条座步级人克块元厘米公里分]|多[大重长高宽快远深久]",
}

_ASKS = re.compile(
    r"\b(?:who|whom|whose|where|when|which|what|state|name|give|quote|indicate)\b"
    r"|\bhow (?:many|much|long|often|old|heavy|far|tall|wide|fast|high|big|large|deep)\b"
    r"|[谁哪几]|多[少大重长高宽快远深久]|什么|啥|何[时处]",
    re.IGNORECASE,
)
_ASKS_FOR_MORE = re.compile(
    r"\b(?:why|think|feel|opinion|explain|describe|summar\w+|write|tell me about|compare|difference)\b"
    r"|^(?:should|could|would)\b"
    r"|为什么|怎么看|觉得|认为|介绍|解释|描述|总结|写一|比较|区别|应该|如果",
    re.IGNORECASE,
)
_NAME_CHARACTERS = 3

# Names that documents about anything share.
_OF_THE_WORLD = frozenset(
    terms(
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August "
        "September October November December Celsius Fahrenheit Earth"
    )
)
# Characters of questions that tell no two of them apart.
_SAY_NOTHING = frozenset("的是了在有个一什么谁哪里儿怎样如何多少几吗呢啥叫请问被把和与也都这那它")
_WORD = re.compile(r"[^\W_]+")
_NAMES_IN_A_ROW = re.compile(r"(the )?\0(\W*\0|\W+(and|of|the)\W+\0)*(['’]s)?")


def closest(question: str, notes: Sequence[Example], encode: Encode) -> Example | None:
    """The note that the question asks for; None where none does, or several might.

    A question in the very words of a note needs no likeness. With equal claims the later note counts.
    """
    asked = normalise(question)
    for note in reversed(notes):
        if asked and asked in map(normalise, (note.question, *note.probes)):
            return note
    possible = [note for note in notes if may_answer(question, note)]
    if not possible:
        return None
    strictness = CHINESE if has_chinese(question) else ENGLISH
    scores = [_likeness(question, note, encode) for note in possible]
    best = int(np.argmax(scores))
    others = [
        score
        for score, note in zip(scores, possible, strict=True)
        if normalise(note.answer) != normalise(possible[best].answer)
    ]
    clear = scores[best] - max(others, default=0.0) >= strictness.margin
    return possible[best] if clear and scores[best] >= strictness.likeness else None


def may_answer(question: str, note: Example) -> bool:
    """Whether nothing speaks against it: names, the kind of answer, an answer that the question already says."""
    own = _names(note.question)
    if not knows_the_names(question, note) or (own and not own & set(terms(question))):
        return False
    kinds, wanted = asked_kinds(question), asked_kinds(note.question)
    return not (kinds and wanted and not kinds & wanted) and not contains(question, note.answer)


def shares_a_name(text: str, others: Sequence[str]) -> bool:
    """Whether a name in the text, or in Chinese a run of characters, is one that another text speaks of.

    A word at the beginning of a text is no name, nor are days, months and degrees, which are asked for anywhere.
    """
    if has_chinese(text):
        return any(
            SequenceMatcher(None, text, one, autojunk=False).find_longest_match().size >= _NAME_CHARACTERS
            for one in others
        )
    named = _names_in_letters(text) - _OF_THE_WORLD
    return bool(named) and any(named & _names(one) for one in others)


def speaks_of_a_name(question: str, texts: Sequence[str]) -> bool:
    """Whether a word of the question, however it is written, is a name within a sentence of the texts."""
    words = set(terms(question)) - STOPWORDS - _OF_THE_WORLD
    return any(words & _names_in_letters(sentence) for text in texts for sentence in sentences(text))


def asks_for_something_short(question: str) -> bool:
    """Whether it asks who, what, when, where or how much, and for no opinion, reason or text."""
    return bool(_ASKS.search(question)) and not asks_for_more(question)


def asks_for_more(question: str) -> bool:
    """Whether it asks for an opinion, a reason or a text."""
    return bool(_ASKS_FOR_MORE.search(question))


def knows_the_names(question: str, note: Example) -> bool:
    """Whether the note speaks of every name in the question."""
    return _names(question) <= set(terms(" ".join((note.question, note.answer, *note.probes))))


def _likeness(question: str, note: Example, encode: Encode) -> float:
    """How alike the question and the nearest wording of the note are, about 0 to 1."""
    wordings = [note.question, *note.probes]
    if has_chinese(question):
        alike = encode([question, *wordings])
        shared = max(_shared_beside_the_longest(question, wording) for wording in wordings)
        return (float((alike[1:] @ alike[0]).max()) + shared) / 2
    alike = encode([_without_names(text) for text in (question, *wordings)])
    return float((alike[1:] @ alike[0]).max())


def _shared_beside_the_longest(one: str, other: str) -> float:
    """The F1 of the content of two Chinese questions, without the longest text that both have: mostly the subject."""
    one, other = one.rstrip("？?。 "), other.rstrip("？?。 ")
    same = SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    first = one[: same.a] + one[same.a + same.size :]
    second = other[: same.b] + other[same.b + same.size :]
    if not first or not second:
        return 1.0 if first == second else _NOTHING_LEFT
    terms_of_one, terms_of_other = content(first), content(second)
    together = len(terms_of_one) + len(terms_of_other)
    return 2 * len(terms_of_one & terms_of_other) / max(1, together)


def _without_names(text: str) -> str:
    """The question with "it" in place of its names: what is asked, whatever it is asked of."""
    for match in reversed(_named(text)):
        text = f"{text[: match.start()]}\0{text[match.end() :]}"
    return _NAMES_IN_A_ROW.sub("it", text)


@lru_cache(maxsize=20_000)
def content(text: str) -> frozenset[str]:
    characters = {character for character in text if has_chinese(character)} - _SAY_NOTHING
    return frozenset((set(terms(text)) - STOPWORDS) | characters)


def _names(text: str) -> set[str]:
    return set(terms(" ".join(match.group() for match in _named(text)))) - STOPWORDS


def _names_in_letters(text: str) -> set[str]:
    """Names that are no mere numbers, which are in questions about anything."""
    return {name for name in _names(text) if not name.isdigit()}


def _named(text: str) -> list[re.Match[str]]:
    """The words that begin with a capital, the first word apart, or hold a digit."""
    words = list(_WORD.finditer(text))
    return [
        match
        for place, match in enumerate(words)
        if any(map(str.isdigit, match.group())) or (place and match.group()[0].isupper())
    ]


@lru_cache(maxsize=20_000)
def asked_kinds(question: str) -> frozenset[str]:
    lower = question.casefold()
    return frozenset(kind for kind, pattern in _KINDS.items() if re.search(pattern, lower))
