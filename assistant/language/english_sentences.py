"""Splits an English sentence into its clauses: one verb each, with the subject that the sentence names once."""

import re

from assistant.language.english_clauses import split_clauses
from assistant.language.english_finite_verb import verb_index
from assistant.language.english_patterns import NUMBER
from assistant.language.english_words import PERSON
from assistant.language.text import uncapitalised
from assistant.language.verbs import BASE, base_of

APPOSITION = re.compile(
    r"(?P<x>[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*|(?:[Mm]y|[Oo]ur|"
    r"[Tt]he) (?:[\w'’-]+ ){0,3}[\w'’-]+), (?P<y>[^,]{3,45}), (?P<rest>[a-z].+)"
)
_NEW_CLAUSE = re.compile(
    r",? and (?=(?:I|we|my|our|the|[A-Z]\w+) (?:\w+ ){0,3}?(?:is|are|was|were|\w+s|have|live|work) )"
)
_AFTERTHOUGHT = re.compile(
    r"[;]|: | - |,? (?:and|but) then |,(?= (?:and|but|so|which|who|where|when|while|because|although|one|two|then|"
    r"counted)\b)| \(| "
    r"– | — "
)
_NOWADAYS = re.compile(r" (?:now|currently|these days|nowadays|from now on)$")
# What belongs to the subject of the clause before.
_TAKEN_UP = re.compile(r"(?:(?:,|;)? and|[;,:]|,? but) (he|she|it|they)(?=['’ ])")


def clauses_of(sentence: str) -> list[str]:
    """The clauses of a sentence without its mark; what follows a comma otherwise rarely belongs to the fact."""
    return [
        lower_first(clause)
        for main in _main_clauses(sentence)
        for part in main.split("; ")
        for clause in split_clauses(lower_first(_NOWADAYS.sub("", _AFTERTHOUGHT.split(part)[0])))
    ]


def _main_clauses(bare: str) -> list[str]:
    """Where "and" begins a clause of its own; "Moss and Vinyl plays music" is one clause."""
    aside = APPOSITION.match(bare)
    bare = _with_subjects(f"{aside['x']} {aside['rest']}" if aside is not None else bare)
    clauses = _NEW_CLAUSE.split(bare)
    return (
        clauses if all(verb_index(lower_first(clause).split()) is not None for clause in clauses) else [bare]
    )


def _with_subjects(bare: str) -> str:
    """With the first subject for the pronoun that takes it up: "Our dog is old and he sleeps" speaks of one dog."""
    parts = _TAKEN_UP.split(bare)
    place = verb_index(lower_first(parts[0]).split()) if len(parts) > 1 else None
    if place is None:
        return bare
    subject = " ".join(parts[0].split()[:place])
    clauses = [parts[0]]
    for pronoun, rest in zip(parts[1::2], parts[2::2], strict=True):
        if pronoun == "it" and PERSON.match(subject):
            break
        clauses.append(subject + rest)
    return "; ".join(clauses)


def lower_first(clause: str) -> str:
    """With the first word in small letters where it is no name: "The", "Nine", "Employees of"."""
    first, _, rest = clause.partition(" ")
    verb = rest.split(" ", 1)[0]
    small = (
        re.fullmatch(NUMBER, first.lower()),
        first.lower() in ("all", "new", "both", "most") and rest[:1].islower(),
        re.match(r"[A-Z][a-z]+s (?:of|at|in|on|from|for|to|are|have|may|must|should|can) ", clause),
        re.match(r"[A-Z][a-z]+(?:ing|day) [a-z]{3,}s (?!the |an? |our |my )", clause),
        re.match(r"[A-Z][a-z]+ing (?:an?|the|one|your|our|it|them)\b", clause),
        re.fullmatch(r"[A-Z][a-z]{3,}s", first) and base_of(verb, BASE) and verb.islower(),
    )
    if any(small):
        return first.lower() + " " + rest
    return uncapitalised(clause)
