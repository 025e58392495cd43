"""Finds the finite verb of an English clause. Many words are a verb and a noun: number and neighbours decide."""

import re
from collections.abc import Sequence

from assistant.language.english_patterns import NUMBER
from assistant.language.english_words import (
    ADVERB,
    ALSO_NOUNS,
    BE,
    DETERMINERS,
    HAVE,
    MODALS,
    PLURALS,
    PREPOSITIONS,
    SUBORDINATE,
)
from assistant.language.text import word_set
from assistant.language.verbs import BASE, PARTICIPLE, PAST, THIRD, base_of

_ATTRIBUTES = word_set("new old big small late early free guest staff support short long main daily")
_IS = BE - {"am"}  # that is a time of day as well


def verb_index(words: Sequence[str]) -> int | None:
    """Which of the words of a clause is its finite verb; None where no verb is known."""
    for place in range(1, min(len(words), 10)):
        if words[place - 1].lower() in SUBORDINATE or not words[0][0].isalnum():
            return None  # a clause inside the subject, or a fragment
        if _ends_as_noun(words[:place]) and _is_finite(words, place):
            return _unless_noun(words, place)
    return None


def _unless_noun(words: Sequence[str], place: int) -> int:
    """ "Parking permits expire": what is a noun as well is no verb where another one follows."""
    word = words[place].lower()
    if words[place + 1 : place + 2] in (["and"], ["or"]):  # "wrist straps and holsters are covered"
        joined = (
            at for at in range(place + 3, min(len(words), place + 6)) if words[at].lower() in _IS | MODALS
        )
        return next(joined, place)
    soon = next((at for at in range(place + 1, min(len(words), place + 3)) if words[at].lower() in _IS), None)
    if soon and not (DETERMINERS | PREPOSITIONS) & {one.lower() for one in words[place:soon]}:
        return soon  # "two spare fuses are clipped"
    pronoun = words[place - 1].lower() in ("i", "we", "they", "you")
    if pronoun or not {base_of(word, THIRD), base_of(word, BASE)} & ALSO_NOUNS:
        return place
    for at in range(place + 1, min(len(words), place + 8)):
        later = words[at].lower()
        if later in SUBORDINATE | DETERMINERS | {"and", "or", "to"} or words[at - 1].endswith(","):
            return place
        if later in _IS or later in MODALS:
            return at
        adverbs = all(ADVERB.fullmatch(between) for between in words[place + 1 : at])
        if adverbs and _is_finite(words, at):
            return at
    return place


def _ends_as_noun(subject: Sequence[str]) -> bool:
    last = subject[-1].lower()
    if last in DETERMINERS or last in PREPOSITIONS or last in ("and", "or", "not"):
        return False
    listed = any(word.endswith(",") for word in subject[:-1])
    return not last.endswith(("'s", "’s", ",")) and (not listed or "and" in subject)


def is_plural(subject: Sequence[str]) -> bool | None:
    """Whether the subject is plural; None where it can be either."""
    if re.fullmatch(NUMBER, subject[0], re.IGNORECASE) and subject[0].lower() not in ("one", "a", "an", "1"):
        return True
    cut = next((at for at, word in enumerate(subject) if at and word.lower() in PREPOSITIONS), len(subject))
    head = subject[cut - 1]
    if head.lower() in PLURALS or " and " in f" {' '.join(subject)} ":
        return True
    if head.endswith("s") and not head.lower().endswith(("ss", "us", "is")):
        return None if head[0].isupper() else True
    return None if head[0].isupper() and len(subject) == 1 and head.isupper() else False


def _is_finite(words: Sequence[str], place: int) -> bool:
    word, subject = words[place].lower(), words[:place]
    after = words[place + 1].lower() if place + 1 < len(words) else ""
    if word in BE or word in HAVE:
        return word != "am" or words[place - 1] == "I"  # "1 am" is no verb
    if word in MODALS:
        return bool(after)
    plural = is_plural(subject)
    if base_of(word, THIRD) and plural is not True:
        return not _is_noun_before_verb(words, place)
    if base_of(word, BASE) and plural is not False and words[place].islower():
        return not base_of(word, PAST) or not _more_to_come(words, place)
    return bool(base_of(word, PAST)) and words[place].islower() and not _more_to_come(words, place)


def _is_noun_before_verb(words: Sequence[str], place: int) -> bool:
    """ "The team leads meet on Fridays": the verb is the next word."""
    rest = [word.lower() for word in words[place + 1 : place + 3]]
    if not rest:
        return False
    if rest[0] in BE or rest[0] in MODALS or rest[0] in HAVE:
        return True
    if words[0].lower() not in DETERMINERS | _ATTRIBUTES or not base_of(rest[0], BASE):
        return False
    return len(rest) == 1 or not rest[1].endswith("s")


def _more_to_come(words: Sequence[str], place: int) -> bool:
    """ "The pump installed in 2019 needs seals": what looks like a past form only describes the subject."""
    after = words[place + 1 :]
    if _main_verb_follows(after):
        return bool(base_of(words[place], PARTICIPLE))
    if not after or after[0].lower() not in PREPOSITIONS:
        return False
    for at, word in enumerate(after[1:], 1):
        lowered = word.lower()
        if lowered in ("and", "because", "which", "that", "when", "so", "but") or word.endswith(","):
            return False
        if lowered in _IS or lowered in MODALS or lowered in HAVE:
            return True
        if (
            base_of(lowered, THIRD)
            and after[at - 1].lower() not in DETERMINERS | PREPOSITIONS
            and at + 1 < len(after)
        ):
            return after[at + 1].lower() in DETERMINERS or bool(re.match(NUMBER, after[at + 1]))
    return False


def _main_verb_follows(words: Sequence[str]) -> bool:
    for word in words:
        if word.endswith((",", ";")) or word.lower() in SUBORDINATE | {"and", "but", "or"}:
            return False
        if word in _IS or word in MODALS:
            return True
    return False


def agrees(verb: str, follower: str, after: Sequence[str]) -> bool:
    """Whether a word after "and" can be a second verb of the subject of `verb`."""
    if base_of(follower, THIRD):
        return bool(base_of(verb, THIRD)) or verb in ("is", "has")
    if base_of(follower, PAST):
        return bool(base_of(verb, PAST)) or verb in ("was", "had", "were")
    starts = bool(after) and (
        after[0].lower() in DETERMINERS | PREPOSITIONS or re.match(NUMBER, after[0], re.I)
    )
    return bool(base_of(follower, BASE) and starts and (base_of(verb, BASE) or verb in ("are", "have", "am")))
