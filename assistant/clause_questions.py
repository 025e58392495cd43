"""Asks for what an English clause says: the question about the complement that says most, and that complement."""

import re
from dataclasses import replace

from assistant.clause_words import (
    AMOUNT,
    ASKS_WHAT_IN,
    COMES_FROM,
    COUNT,
    EXTENT,
    MEASURE,
    MOVES,
    PERSON,
    PLACES,
    PLURALS,
    SURFACES,
    TAKES_TWO,
)
from assistant.clauses import Clause, Complement, taken_apart, verb_place
from assistant.statement_rules import NUMBER
from assistant.wording import uncapitalised

_ORDER_OF_ASKING = ("why", "how", "extent", "within", "often", "until", "since", "when")
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


def ask(clause: str) -> tuple[str, str] | None:
    """The question and the answer of a clause, without capitals and marks; None where it cannot be taken apart."""
    words = clause.split()
    read = taken_apart(words)
    if read is not None and read.base == "mean" and read.complements:
        meant = re.sub(r"^\w+ (?:that )?", "", " ".join(words[verb_place(clause) :]))
        return _inverted(replace(read, complements=()), "what"), meant
    return _question(read) if read is not None else None


def _question(read: Clause) -> tuple[str, str] | None:
    """The question about the complement that says most."""
    first = read.complements[0] if read.complements else None
    if first is None:
        return None
    if first.kind == "object" and not read.passive and read.base != "be":
        counted = _counted(read, first)
        if counted is not None:
            return counted
    for kind in _ORDER_OF_ASKING:
        asked = [part for part in read.complements if part.kind == kind]
        if asked:
            if read.base == "be" and kind not in ("when", "until", "often"):
                return None
            return _inverted(read, _ASKED_BY[kind], asked[-1]), _reply(asked[-1])
    if read.base == "be":
        return None
    return _about_things(read, first)


def _about_things(read: Clause, first: Complement) -> tuple[str, str] | None:
    """The question about a place, a person or a thing."""
    agent = next((part for part in read.complements if part.words[0].lower() == "by"), None)
    if read.passive and agent is not None:
        word = "who" if PERSON.fullmatch(agent.text[3:]) else "what"
        return f"{_inverted(read, word, agent)} by", " ".join(agent.words[1:])
    is_named = PERSON.fullmatch(read.subject) and read.subject[0].isupper() and read.auxiliary != "do"
    if is_named and first.kind == "object" and not read.passive:
        rest = " ".join([read.predicate, *(part.text for part in read.complements)])
        return f"who {rest}", read.subject
    where = next((part for part in reversed(read.complements) if part.kind == "where"), None)
    if where is not None and where.words[0].lower() in ("on", "under", "over") and not _names_surface(where):
        if first is where:
            return f"{_inverted(read, 'what', where)} {where.words[0]}", " ".join(where.words[1:])
        where = None
    stands_in = read.base in ASKS_WHAT_IN
    if where is not None and not stands_in and (read.passive or first.kind != "object" or _is_place(where)):
        return _inverted(read, "where", where), where.text
    if first.kind == "object":
        if read.passive:
            return (_inverted(read, "what", first), first.text) if read.base in TAKES_TWO else None
        return _inverted(read, "who" if PERSON.fullmatch(first.text) else "what", first), first.text
    other = next((part for part in reversed(read.complements) if part.kind in ("other", "where")), None)
    return _about_what_follows(read, other) if other is not None and len(other.words) > 1 else None


def _about_what_follows(read: Clause, asked: Complement) -> tuple[str, str]:
    """The question about what a preposition brings: "what is it made from", "where did it move"."""
    preposition, thing = asked.words[0], " ".join(asked.words[1:])
    if preposition in ("to", "into") and read.base in MOVES:
        return _inverted(read, "where", asked), asked.text
    word = "who" if PERSON.fullmatch(thing) else "what"
    if preposition == "from" and read.base in COMES_FROM:
        word = "where"
    if preposition == "in" and read.base in ("write", "code", "program"):
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
    others = [part.text for part in read.complements if part is not asked]
    subject = uncapitalised(read.subject) if read.subject.split()[0] != "I" else read.subject
    return " ".join(filter(None, [word, read.auxiliary, subject, read.verb, *others]))


def _names_surface(part: Complement) -> bool:
    """Whether what stands after "on" is a place: a name or the like of a floor, not a frequency or a diet."""
    return part.words[-1].lower() in SURFACES or "port" in part.words or part.words[-1][:1].isupper()


def _is_place(part: Complement) -> bool:
    return part.words[0].lower() in PLACES and (part.words[-1][:1].isupper() or part.words[0].lower() != "on")


def _reply(part: Complement) -> str:
    return part.text
