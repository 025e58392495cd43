"""Parses an English clause into subject, verb and complements, and splits a clause that has several verbs.

The patterns of `english_patterns.py` know particular sentences; this reads the others by their grammar.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.language.english_complements import Complement, complements_of
from assistant.language.english_finite_verb import agrees, is_plural, verb_index
from assistant.language.english_patterns import NUMBER
from assistant.language.english_words import (
    ADVERB,
    BE,
    DETERMINERS,
    HAVE,
    MODALS,
    OFTEN,
    PARTICLES,
    PREPOSITIONS,
)
from assistant.language.text import word_set
from assistant.language.verbs import BASE, PARTICIPLE, PAST, THIRD, base_of

_PRONOUN_INSIDE = re.compile(r"\s(?:I|you|he|she|it|they|we)(?:['’]\w+)?(?:\s|$)")
_AFTER_IS = r"located|based|open|closed|made|built|kept|stored|in|on|at|an?|the|run|led|owned|allergic|\d+"
_ANY = word_set("everything anything nothing it them")
_FRONTED = (
    "last|next|in|at|on|since|every|each|after|before|during|from|for|until|between|under|behind|next to|by|"
    "once|twice"
)


@dataclass(frozen=True)
class Clause:
    """A parsed clause. `auxiliary` comes before the subject in a question, `verb` after it."""

    subject: str
    auxiliary: str
    verb: str
    base: str
    passive: bool
    complements: tuple[Complement, ...]
    # The verb as it stood, with its auxiliaries: for questions about the subject.
    predicate: str


def split_clauses(clause: str) -> list[str]:
    """One clause for each verb: "the shop opens at nine and closes at five" says two things of one shop."""
    words = _expanded(_fronted_last(clause)).split()
    place = verb_index(words)
    return [clause] if place is None else [" ".join(part) for part in _predicates(words, place)]


def _fronted_last(clause: str) -> str:
    """The same with its opening at its end: "in 2019, the firm moved" is "the firm moved in 2019"."""
    match = re.match(
        rf"(?P<front>(?:{_FRONTED}) [^,]{{2,50}}?)"
        r"(?:, | (?=(?:the|our|my|we|I)\b))(?P<rest>.+)",
        clause,
        re.IGNORECASE,
    )
    if match is None:
        return clause
    known = re.match(r"(?:the|an?|our|my|we|I|every|each|[A-Z]|\w+s)\b", match["rest"])
    if not known and not (", " in clause and verb_index(match["rest"].split())):
        return clause
    front = match["front"][:1].lower() + match["front"][1:]
    return f"{match['rest']} {front}"


def _expanded(clause: str) -> str:
    clause = re.sub(r"\bi(?=['’ ])", "I", clause)
    clause = re.sub(r"\b(I)['’]m\b", "I am", clause)
    clause = re.sub(r"(?<=\w)['’]s been\b", " has been", clause)
    clause = re.sub(r"\b([Tt]here)['’]s\b", r"\1 is", clause)
    clause = re.sub(r"\b(we|they|you)['’]re\b", r"\1 are", clause, flags=re.IGNORECASE)
    clause = re.sub(r"\b(I|we|they|you)['’]ve\b", r"\1 have", clause, flags=re.IGNORECASE)
    clause = re.sub(r"\b(I|we|they|you)['’]ll\b", r"\1 will", clause, flags=re.IGNORECASE)
    clause = re.sub(rf"(?<=\w)['’]s (?=(?:called|named|{_AFTER_IS})\b)", " is ", clause)
    return re.sub(r"\b(?:has|have) to (?=[a-z])", "must ", re.sub(r"\bneeds? to (?=[a-z])", "must ", clause))


def _predicates(words: Sequence[str], place: int) -> Iterator[list[str]]:
    """The clause, and again with its subject where "and" is followed by another finite verb."""
    subject, predicate = list(words[:place]), list(words[place:])
    start = 0
    for at in range(1, len(predicate) - 1):
        if predicate[at].lower() not in ("and", "but"):
            continue
        follower = predicate[at + 1].lower()
        alike = predicate[at + 1].islower() and agrees(
            predicate[0].lower(), follower, predicate[at + 2 : at + 3]
        )
        governs = (
            predicate[at + 2 : at + 3] and predicate[at + 2].lower() in DETERMINERS | PREPOSITIONS | _ANY
        )
        listed = predicate[at - 1].endswith("s") and base_of(follower, THIRD) and not governs
        more = at + 2 < len(predicate) and not listed
        if more and (follower in BE or follower in HAVE or follower in MODALS or alike):
            yield subject + [word.rstrip(",") for word in predicate[start:at]]
            start = at + 1
        elif (
            predicate[0].lower() in BE and base_of(predicate[1], PARTICIPLE) and base_of(follower, PARTICIPLE)
        ):
            yield subject + [word.rstrip(",") for word in predicate[start:at]]  # "is looked at and replaced"
            predicate[at], start = predicate[0], at
    yield subject + predicate[start:]


def parse_clause(words: Sequence[str]) -> Clause | None:
    """The parts of a clause with one verb; None where no verb is known or its subject holds another clause."""
    place = verb_index(words)
    if place is None:
        return None
    subject, rest = " ".join(words[:place]), list(words[place:])
    if _PRONOUN_INSIDE.search(subject):
        return None  # "the tool we use is …"
    verb = rest.pop(0).lower()
    if (
        verb in ("get", "gets", "got")
        and rest
        and base_of(rest[0], PARTICIPLE)
        and rest[0] not in ("set", "cut")
    ):
        base, done = base_of(rest[0], PARTICIPLE), rest.pop(0)
        auxiliary = {"get": "do", "gets": "does", "got": "did"}[verb]
        done = f"get {done}{_particle(rest)}"
        return Clause(subject, auxiliary, done, base, True, complements_of(rest), f"{verb} {done[4:]}")
    if verb in MODALS:
        return _after_modal(subject, verb, rest)
    if verb == "used" and rest[:1] == ["to"] and rest[1:]:
        read = _after_modal(subject, "did", rest[1:])
        return None if read is None else replace(read, verb=f"use to {read.verb or 'be'}", predicate=verb)
    if verb in HAVE:
        return _after_have(subject, verb, rest)
    if verb in BE:
        return _after_be(subject, verb, rest, verb)
    kind = next(
        kind
        for kind in (THIRD, BASE, PAST)
        if base_of(verb, kind) and not (kind == BASE and is_plural(words[:place]) is False)
    )
    auxiliary = {THIRD: "does", BASE: "do", PAST: "did"}[kind]
    base = base_of(verb, kind)
    particle = _particle(rest)
    if (
        auxiliary == "do"
        and re.fullmatch(r"[A-Z][a-z]{3,}s( .*)?", subject)
        and not re.search(r" [A-Z]", subject)
    ):
        subject = subject[0].lower() + subject[1:]
    return Clause(subject, auxiliary, base + particle, base, False, complements_of(rest), verb + particle)


def _particle(rest: list[str]) -> str:
    """ " out" of "paid out": taken from the head of `rest`."""
    if rest and rest[0].lower() in ("itself", "themselves"):
        return f" {rest.pop(0).lower()}{_particle(rest)}"
    if rest[:2] in (["on", "sale"], ["on", "strike"], ["on", "tour"], ["on", "air"]):
        return f" {rest.pop(0)} {rest.pop(0)}"
    if rest[:2] in (["up", "to"], ["down", "to"]) and re.match(NUMBER, " ".join(rest[2:3])):
        return " " + rest.pop(0)  # "went up to 64 a year"
    if rest[:1] in (["in"], ["on"]) and rest[1:] and rest[1].lower() in PREPOSITIONS:
        return " " + rest.pop(0)  # "get in for half price"
    if (
        rest[:1] == ["over"]
        and rest[1:]
        and rest[1].isalpha()
        and rest[1].islower()
        and rest[1] not in DETERMINERS
    ):
        return "" if re.match(NUMBER, rest[1]) else " " + rest.pop(0)  # "took over payroll"
    if rest and rest[0].lower() in PARTICLES and rest[1:2] not in (["of"], ["to"]):
        return " " + rest.pop(0).lower()
    if len(rest) > 1 and rest[1] == "by" and rest[0].lower() in PREPOSITIONS:
        return " " + rest.pop(0).lower()  # "is paid for by"
    return ""


def _adverbs(rest: list[str]) -> list[str]:
    """Adverbs at the head of `rest`, taken from it."""
    taken = []
    while rest and ADVERB.fullmatch(rest[0]) and not OFTEN.fullmatch(rest[0]):
        taken.append(rest.pop(0))
    return taken


def _after_modal(subject: str, modal: str, rest: list[str]) -> Clause | None:
    only = "only " if "only" in _adverbs(rest) else ""
    if not rest:
        return None
    if rest[0] == "be":
        read = _after_be(subject, modal, rest[1:], f"{modal} {only}be")
        return None if read is None else _with_be(read, only)
    base = base_of(rest[0], BASE) or ("have" if rest[0] == "have" else "")
    if not base:
        return None
    verb = only + rest.pop(0) + _particle(rest)
    return Clause(subject, modal, verb, base, False, complements_of(rest), f"{modal} {verb}")


def _with_be(read: Clause, only: str) -> Clause:
    return Clause(
        read.subject,
        read.auxiliary,
        f"{only}be {read.verb}".strip(),
        read.base,
        read.passive,
        read.complements,
        read.predicate,
    )


def _after_have(subject: str, have: str, rest: list[str]) -> Clause | None:
    _adverbs(rest)
    if rest and rest[0] == "been":
        read = _after_be(subject, have, rest[1:], f"{have} been")
        if read is None:
            return None
        return Clause(
            subject,
            have,
            f"been {read.verb}".strip(),
            read.base,
            read.passive,
            read.complements,
            read.predicate,
        )
    base = ("have" if rest[0] == "had" else base_of(rest[0], PARTICIPLE)) if rest else ""
    noun_follows = len(rest) > 1 and not (
        rest[1].lower() in PREPOSITIONS | DETERMINERS or re.match(NUMBER, rest[1])
    )
    if base and not noun_follows:
        return Clause(subject, have, rest[0], base, False, complements_of(rest[1:]), f"{have} {rest[0]}")
    auxiliary = {"has": "does", "have": "do", "had": "did"}[have]
    return Clause(subject, auxiliary, "have", "have", False, complements_of(rest), have)


def _after_be(subject: str, be: str, rest: list[str], predicate: str) -> Clause | None:
    _adverbs(rest)
    if not rest:
        return None
    base = base_of(rest[0], PARTICIPLE)
    ongoing = re.fullmatch(r"[a-z]{2,}ing", rest[0]) is not None and len(rest) > 1
    if base or ongoing:
        base = base or _base_of_ing(rest[0])
        verb = rest.pop(0) + _particle(rest)
        return Clause(subject, be, verb, base, not ongoing, complements_of(rest), f"{predicate} {verb}")
    return Clause(subject, be, "", "be", False, complements_of(rest), predicate)


def _base_of_ing(word: str) -> str:
    """The base of "flying", "making", "running"; "" where no verb is known."""
    stem = word.removesuffix("ing")
    return next((base for end in (stem, stem + "e", stem[:-1]) if (base := base_of(end, BASE))), "")
