"""Invented subjects, attributes and values, from the two tables beside this file; nothing in them is true.

One attribute of nine is kept out of training, to measure by.
"""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Language = Literal["en", "zh"]
FOLDER = Path(__file__).parent
KEPT_ASIDE = 9  # one attribute of so many is only for measuring


@dataclass(frozen=True)
class Attribute:
    """What is said and asked of a subject, with {s} for it, {v} for the value and {p} for a person as the value."""

    sentences: tuple[str, ...]
    questions: tuple[str, ...]
    reversed: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Fact:
    """An attribute of a subject, with its value."""

    attribute: Attribute
    subject: str
    value: str

    def sentence(self, rng: random.Random, subject: str | None = None) -> str:
        """It as a sentence, about the subject or a word that stands for it."""
        text = _filled(rng.choice(self.attribute.sentences), subject or self.subject, self.value)
        return text[0].upper() + text[1:]

    def pronominal(self, rng: random.Random, pronoun: str) -> str | None:
        """It as a sentence that begins with a pronoun; None where no form begins with the subject."""
        forms = [one for one in self.attribute.sentences if one.startswith("{s}")]
        return _filled(rng.choice(forms), pronoun, self.value) if forms else None

    def question(self, rng: random.Random) -> str:
        """A question that its value answers."""
        text = _filled(rng.choice(self.attribute.questions), self.subject, self.value)
        return text[0].upper() + text[1:]

    def questions(self) -> list[str]:
        """Every wording of that question."""
        return [_filled(one, self.subject, self.value) for one in self.attribute.questions]

    def reversed(self, rng: random.Random) -> str:
        """A question that its subject answers."""
        text = _filled(rng.choice(self.attribute.reversed), self.subject, self.value)
        return text[0].upper() + text[1:]


def _filled(form: str, subject: str, value: str) -> str:
    return form.replace("{s}", subject).replace("{v}", value).replace("{p}", value)


@cache
def words(language: Language) -> dict[str, list[str]]:
    """Words and phrases to invent from, by their kind."""
    lines = (FOLDER / f"words_{language}.txt").read_text(encoding="utf-8").splitlines()[1:]
    kinds = (line.split(": ", 1) for line in lines)
    return {kind: [one.strip() for one in listed.split("|")] for kind, listed in kinds}


@cache
def attributes(language: Language, aside: bool = False) -> tuple[Attribute, ...]:
    """The attributes to train on, or those kept aside to measure by."""
    blocks = (FOLDER / f"attributes_{language}.txt").read_text(encoding="utf-8").split("\n\n")[1:]
    return tuple(_attribute(block) for at, block in enumerate(blocks) if (at % KEPT_ASIDE == 4) == aside)


def _attribute(block: str) -> Attribute:
    lines = dict(line.split(" ", 1) for line in block.strip().splitlines())
    return Attribute(*(tuple(one.strip() for one in lines[key].split("|")) for key in "sqbv"))


def invent(
    language: Language, count: int, rng: random.Random, subject: str, aside: bool = False
) -> list[Fact]:
    """So many facts about a subject, each of another attribute."""
    known = attributes(language, aside)
    chosen = rng.sample(known, min(count, len(known)))
    return [Fact(one, subject, value(one, language, rng)) for one in chosen]


def subject(language: Language, rng: random.Random) -> str:
    """Something that does not exist."""
    known = words(language)
    kind, role = rng.choice(known["kinds"]), rng.choice(known["roles"])
    if language == "zh":
        name = place(language, rng)
        return rng.choice(
            [f"{name}{kind}", f"{name}{kind}", f"{role}{kind}", f"{name}{rng.randint(2, 90)}号"]
        )
    name = place(language, rng)
    shapes = (
        f"the {name} {kind}", f"the {name} {kind}", f"{role} {kind}", f"the {name} {rng.randint(2, 900)}",
        f"the {kind} in {name}",
    )  # fmt: skip
    return rng.choice(shapes)


def place(language: Language, rng: random.Random) -> str:
    """A name that nothing bears."""
    known = words(language)
    if language == "zh":
        return "".join(rng.sample(known["places"], 2))
    return rng.choice(known["onsets"]) + rng.choice(known["middles"]) + rng.choice(known["ends"])


def person(language: Language, rng: random.Random) -> str:
    """A person who does not exist."""
    known = words(language)
    if language == "zh":
        return rng.choice(known["surnames"]) + "".join(rng.sample(known["given"], rng.choice((1, 2))))
    return f"{rng.choice(known['given'])} {place(language, rng)}"


def value(attribute: Attribute, language: Language, rng: random.Random) -> str:
    """A value of an attribute."""
    known = words(language)
    kinds = {
        "{a}": "materials", "{b}": "animals", "{c}": "colours", "{d}": "days", "{e}": "months", "{f}": "goods",
        "{k}": "nicknames", "{w}": "numbers",
    }  # fmt: skip
    lists: dict[str, list[str]] = {mark: known[kind] for mark, kind in kinds.items()} | {
        "{p}": [person(language, rng)],
        "{o}": [place(language, rng) + (rng.choice("镇村湾山") if language == "zh" else "")],
        "{n}": [str(number) for number in range(11, 99)],
        "{m}": [f"{number:02}" for number in range(1, 26)],
        "{n2}": [str(number) for number in range(2, 29)],
        "{h}": [str(number) for number in range(1, 13)],
    }
    text = rng.choice(attribute.values)
    for mark, choices in lists.items():
        while mark in text:
            text = text.replace(mark, rng.choice(choices), 1)
    return text
