"""Questions that an English clause answers: each asks for one complement, which is its answer."""

import re
from collections.abc import Iterator
from dataclasses import replace

from assistant.language.english_clauses import Clause, parse_clause
from assistant.language.english_complements import Complement
from assistant.language.english_finite_verb import verb_index
from assistant.language.english_patterns import NUMBER
from assistant.language.english_words import (
    AGENT,
    AMOUNT,
    ASKS_WHAT_IN,
    ATTRIBUTE,
    CHANGES,
    COMES_FROM,
    COUNT,
    EXTENT,
    LANGUAGE,
    LIKES,
    MEASURE,
    MOVES,
    PERSON,
    PLACES,
    PLURALS,
    SURFACES,
    TAKES_TWO,
)
from assistant.language.text import uncapitalised

_ASKED_BY = {
    "why": "why",
    "how": "how",
    "extent": "how long",
    "within": "within what time",
    "often": "how often",
    "until": "until when",
    "since": "since when",
    "when": "when",
}
_MAX_QUESTIONS = 3
# What something can be said to be, rather than to be like.
_NOUN_PHRASE = re.compile(r"(?:an?|the|our|my) \w|[A-Z\d]")


def questions_about(clause: str) -> list[tuple[str, str]]:
    """The questions that a clause answers, and its answers, without capitals and marks; none where it is not read."""
    words = clause.split()
    read = parse_clause(words)
    if read is None or not read.complements:
        return []
    if read.base == "mean":
        meant = re.sub(r"^\w+ (?:that )?", "", " ".join(words[verb_index(words) :]))
        return [(_inverted(replace(read, complements=()), "what"), meant)]
    return list(_questions(read))[:_MAX_QUESTIONS]


def _questions(read: Clause) -> Iterator[tuple[str, str]]:
    """An amount, then when, how long, why and the like, then a thing, a person or a place."""
    first = read.complements[0]
    amount = _amount_of(read, first)
    if amount is not None:
        yield amount
    for part in read.complements:
        moved = re.fullmatch(r"from .+ to (.+)", part.text)
        if part.kind == "when" and moved and read.base in CHANGES:
            yield f"{_inverted(read, 'when', part)} to", moved[1]
            continue
        time = next((one for one in read.complements if one.kind == "when"), None)
        if part.kind == "often" and time is not None:  # "how often do we open", and not "… at 10"
            alone = replace(read, complements=tuple(one for one in read.complements if one is not time))
            yield _inverted(alone, "how often", part), f"{part.text} {time.text}"
            continue
        word = _ASKED_BY.get(part.kind)
        only_time = part is first and part.kind not in ("when", "until", "often")
        if word is not None and not (read.base == "be" and only_time):
            yield _inverted(read, word, part), part.text
    thing = _about_things(read, first) if amount is None and read.base != "be" else None
    if thing is not None:
        yield thing


def _amount_of(read: Clause, first: Complement) -> tuple[str, str] | None:
    """The question after a number, where the first complement is one."""
    if first.kind != "object" or read.passive:
        return None
    if read.base == "be":
        if MEASURE.fullmatch(first.text):
            return _inverted(read, "how much", first), first.text
        names = PERSON.fullmatch(first.text) and first.text[0].isupper()
        says_what = _NOUN_PHRASE.match(first.text) or ATTRIBUTE.search(read.subject)
        return (_inverted(read, "who" if names else "what", first), first.text) if says_what else None
    return _counted(read, first)


def _about_things(read: Clause, first: Complement) -> tuple[str, str] | None:
    """The question about a place, a person or a thing."""
    agent = next((part for part in read.complements if part.words[0] == "by" and part.kind == "other"), None)
    if read.passive and agent is not None:
        word = "who" if AGENT.search(agent.text[3:]) else "what"
        return f"{_inverted(read, word, agent)} by", " ".join(agent.words[1:])
    is_named = PERSON.fullmatch(read.subject) and read.subject[0].isupper() and read.auxiliary != "do"
    if is_named and first.kind == "object" and not read.passive:
        rest = " ".join([read.predicate, *(part.text for part in read.complements)])
        return f"who {rest}", read.subject
    places = (part for part in reversed(read.complements) if part.kind == "where" and len(part.words) > 1)
    where = next(places, None)
    if where is not None and where.words[0].lower() in ("on", "under", "over") and not _names_surface(where):
        if first is where:
            return f"{_inverted(read, 'what', where)} {where.words[0]}", " ".join(where.words[1:])
        where = None
    stands_in = read.base in ASKS_WHAT_IN
    if read.base in LIKES and first.kind == "object":
        where = None
    if where is not None and not stands_in and (read.passive or first.kind != "object" or _is_place(where)):
        return _inverted(read, "where", where), where.text
    goal = next((part for part in read.complements if part.words[0] in ("to", "into")), None)
    if goal is not None and goal.kind == "other" and read.base in MOVES:
        return _about_what_follows(read, goal)
    if first.kind == "object":
        if read.passive:
            return (_inverted(read, "what", first), first.text) if read.base in TAKES_TWO else None
        return _inverted(read, "who" if PERSON.fullmatch(first.text) else "what", first), first.text
    other = next((part for part in reversed(read.complements) if part.kind in ("other", "where")), None)
    return _about_what_follows(read, other) if other is not None and len(other.words) > 1 else None


def _about_what_follows(read: Clause, asked: Complement) -> tuple[str, str]:
    """The question about what a preposition brings: "what is it made from", "where did it move"."""
    preposition, thing = asked.words[0], " ".join(asked.words[1:])
    if preposition in ("to", "into") and read.base in MOVES and not re.match(NUMBER, thing):
        return _inverted(read, "where", asked), asked.text
    word = "who" if PERSON.fullmatch(thing) else "what"
    if preposition == "to" and read.base == "belong" and thing[:1].isupper():
        word = "who"
    if preposition == "from" and read.base in COMES_FROM:
        word = "where"
    if preposition == "in" and (read.base in ("write", "code", "program") or LANGUAGE.search(thing)):
        word = "what language"
    return f"{_inverted(read, word, asked)} {preposition}", thing


def _counted(read: Clause, first: Complement) -> tuple[str, str] | None:
    """ "Carries 42 cars" → how many cars; "costs 3 euros" → how much."""
    text = first.text
    numbers = re.findall(rf"\b{NUMBER}\b", text)
    if not re.match(AMOUNT, text):
        return None
    if re.match(r"(?:an?|half an?) ", text, re.IGNORECASE):
        return None
    if len(numbers) > 1 and " and " in text:
        return _inverted(read, "what", first), text
    if MEASURE.fullmatch(text):
        return _inverted(read, "how much", first), text
    if EXTENT.fullmatch(text):
        return None
    match = COUNT.match(text)
    if match is None or match["number"].lower() in ("one", "a", "an"):
        return None
    noun = match["noun"].strip()
    if not noun.split(" of ")[0].split()[-1].endswith("s") and noun.split()[0] not in PLURALS:
        return None
    rest = text[match.end() :].strip()
    return f"{_inverted(read, f'how many {noun}', first)} {rest}".strip(), f"{match['number']} {noun}"


def _inverted(read: Clause, word: str, asked: Complement | None = None) -> str:
    """The question without the complement that it asks for."""
    others = [part.text for part in read.complements if part is not asked and part.kind != "why"]
    subject = uncapitalised(read.subject) if read.subject.split()[0] != "I" else read.subject
    return " ".join(filter(None, [word, read.auxiliary, subject, read.verb, *others]))


def _names_surface(part: Complement) -> bool:
    """Whether what stands after "on" is a place: a name or the like of a floor, not a frequency or a diet."""
    return part.words[-1].lower() in SURFACES or "port" in part.words or part.words[-1][:1].isupper()


def _is_place(part: Complement) -> bool:
    return part.words[0].lower() in PLACES and (part.words[-1][:1].isupper() or part.words[0].lower() != "on")
