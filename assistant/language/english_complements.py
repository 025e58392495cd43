"""Cuts what follows an English verb into complements, each with its kind: when, where, how long, why, …

The kind decides which question asks for it (`english_questions.py`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.language.english_finite_verb import verb_index
from assistant.language.english_patterns import NUMBER
from assistant.language.english_words import (
    AMOUNT,
    BINDING,
    CLOCK,
    COUNT,
    EXTENT,
    IDIOMS,
    LANGUAGE,
    NUMBERED,
    OFTEN,
    PLACES,
    PREPOSITIONS,
    SUBORDINATE,
    WHEN,
)
from assistant.language.text import word_set
from assistant.language.verbs import BASE, base_of

_COMPOUND = frozenset(
    ["next to", "due to", "close to", "up to", "out of", "from under", "because of", "away from"]
)
# After "as" or "since" no reason follows: "as usual", "as far as".
_NO_REASON = ("set", "shown", "usual", "well", "of", "far", "always")
_NEARLY = ("about", "around", "over", "under", "up")
_FREQUENCY = word_set("every each once twice daily weekly monthly yearly annually quarterly today")
_TIME_NOUN = (
    r"(?:week|month|year|quarter|spring|summer|autumn|fall|winter|night|"
    r"\w+day|\w+(?:uary|ember|ober)|March|April|May|June|July|August)"
)
_BEFORE_TIMES = ("at", "on", "in", "from", "between", "by")


@dataclass(frozen=True)
class Complement:
    """A part of what follows the verb: `kind` says how it is asked for."""

    kind: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.words)


def complements_of(words: Sequence[str]) -> tuple[Complement, ...]:
    """What follows the verb, up to the first clause of its own, as complements in order."""
    chunks: list[list[str]] = []
    current: list[str] = []

    def close() -> None:
        nonlocal current
        if current:
            chunks.append(current)
        current = []

    for at, word in enumerate(words):
        bare, before = word.lower().rstrip(","), words[at - 1] if at else ""
        after = words[at + 1].lower() if at + 1 < len(words) else ""
        if (
            bare == "because"
            or (before.endswith(",") and bare in ("as", "since") and after not in _NO_REASON)
            or f"{bare} {after}" == "due to"
        ):
            close()
            chunks.append(list(words[at:]))
            break
        if bare == "except" or (bare in ("and", "but") and after == "then"):
            break
        if bare in ("himself", "herself", "themselves", "even"):
            continue
        spoken = bare == "since" and (not current or verb_index(words[at + 1 :]) is None)
        if bare in SUBORDINATE and not spoken and (at or bare != "that"):
            break
        if current and current[0].lower() == "by" and len(current) > 1 and current[1].endswith("ing"):
            current.append(word)
            continue
        if before.endswith(",") and not _goes_on_listing(words, at):
            break
        if _begins_complement(current, words, at):
            close()
        current.append(word)
    close()
    return tuple(Complement(_kind(chunk), tuple(_bare(chunk))) for chunk in chunks)


def _bare(chunk: Sequence[str]) -> list[str]:
    return [*chunk[:-1], chunk[-1].rstrip(",;")]


def _goes_on_listing(words: Sequence[str], at: int) -> bool:
    return any(word.lower() in ("and", "or") for word in words[at:])


def _begins_complement(current: Sequence[str], words: Sequence[str], at: int) -> bool:
    word = words[at].lower()
    if not current:
        return False
    if word in _FREQUENCY:
        frequency = word in ("every", "each") or OFTEN.match(" ".join(words[at : at + 3])) is not None
        return frequency and current[-1].lower() not in PREPOSITIONS
    if word in ("last", "next", "this") and re.match(rf"{_TIME_NOUN}\b", " ".join(words[at + 1 :])):
        return current[-1].lower() not in PREPOSITIONS
    if re.fullmatch(r"\w+ times (?:an?|per|every|each)", " ".join(words[at : at + 3]).lower()):
        return True
    if word not in PREPOSITIONS or word in ("of", "than", "per", "as"):
        return False
    if word == "at" and words[at + 1 : at + 2] in (["least"], ["most"]):
        return False
    if current[-1].lower() in BINDING and word in ("for", "to", "from", "over", "on", "in"):
        return False
    after = words[at + 1] if at + 1 < len(words) else ""
    if word in _NEARLY and (re.match(NUMBER, after) or after == "to"):
        return False  # "about forty minutes" is an amount
    if f"{current[-1].lower()} {word}" in _COMPOUND:
        return False
    if current[-1].lower() in ("half", "quarter") and word in ("past", "to"):
        return False
    if word in ("to", "till", "until") and current[0].lower() == "from":
        return False  # "from nine to five" stays whole
    return not (
        word in ("at", "on", "in") and current[0].lower() in ("on", "at", "in") and _kind(current) == "when"
    )


def _kind(chunk: Sequence[str]) -> str:
    """What a complement says: "object", "when", "often", "extent", "where", "how", "why", …."""
    head, text = chunk[0].lower(), " ".join(chunk).rstrip(",;")
    if text.lower() in IDIOMS:
        return "manner"
    if re.fullmatch(rf"{AMOUNT} \w+ (?:ahead|earlier|before|in advance|later|ago)", text, re.IGNORECASE):
        return "when"
    if head == "because" or (head in ("as", "since", "due") and len(chunk) > 3):
        return "why"
    if OFTEN.fullmatch(text):
        return "often"
    amount = head in ("at", *_NEARLY) and re.match(AMOUNT, text, re.IGNORECASE)
    if amount or head not in PREPOSITIONS:
        if EXTENT.fullmatch(text):
            return "extent"
        return "when" if WHEN.fullmatch(text) and not COUNT.match(text) else "object"
    return _kind_after(head, " ".join(chunk[1:]).rstrip(",;"))


def _is_unit(text: str) -> bool:
    """Whether what stands after "in" is a unit or the number of a thing: "in euros", "in 4417"."""
    year = re.fullmatch(r"(?:1\d|20)\d\d", text)
    return bool(re.fullmatch(r"[a-z]{3,}s|\d{3,}", text)) and not year and not WHEN.fullmatch(text)


def _kind_after(preposition: str, rest: str) -> str:
    """What a complement says that begins with a preposition."""
    if preposition == "in" and (LANGUAGE.search(rest) or NUMBERED.match(rest) or _is_unit(rest)):
        return "other"
    if preposition == "by" and re.match(r"\w+ing\b", rest):
        return "how"
    if preposition in ("for", "within") and EXTENT.fullmatch(rest):
        return "extent" if preposition == "for" else "within"
    if preposition in ("after", "before") and EXTENT.fullmatch(rest):
        return "when"
    if preposition in ("since", "until", "till") and rest:
        return "since" if preposition == "since" else "until"
    if preposition in _BEFORE_TIMES and (WHEN.fullmatch(rest) or CLOCK.fullmatch(rest)):
        return "when"
    first = rest.split(" ", 1)[0]
    if preposition == "to" and first.islower() and base_of(first, BASE):
        return "purpose"
    return "where" if preposition in PLACES else "other"
