"""Attributes that people ask about in Chinese: how each is recognised, how else it is asked, and its other end.

The table is `wordings.txt`, one block an attribute: `= pattern` recognises a question (`(a|b)` alternatives,
`[optional]` parts), a plain line is another wording, `< line` asks from the other end.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

_TABLE = Path(__file__).with_suffix(".txt")
_MARKS = "?？。.!！ "
_POLITE = re.compile(r"^(?:请问|请告诉我)[,，:：]?\s*")
# "登望海塔" is about 望海塔; 去年冠军 and 坐标原点 begin with words of their own.
GOING = r"[登乘坐去到](?![年标记录山客法期达向落机陆])(?=[^，,？?的]{3})"
_GOING = re.compile(rf"^{GOING}")
_TOKEN = re.compile(r"\{[sx]\}|[()|\[\]]|[^{}()|\[\]]+")
_SYNTAX = {"(": "(?:", ")": ")", "|": "|", "[": "(?:", "]": ")?"}


@dataclass(frozen=True)
class Attribute:
    """Something that can be asked of a subject {s}, perhaps with a second part {x}."""

    name: str
    patterns: tuple[re.Pattern[str], ...]
    wordings: tuple[str, ...]
    reversed: tuple[str, ...]  # with {a}, the old answer, and perhaps {x}


@dataclass(frozen=True)
class AttributeQuestion:
    """A question whose attribute is known."""

    attribute: Attribute
    parts: dict[str, str]  # s and perhaps x

    def reword(self, rng: random.Random) -> str:
        """Another wording, without a mark."""
        fitting = [one for one in self.attribute.wordings if "{x}" not in one or "x" in self.parts]
        return rng.choice(fitting).format(**self.parts)

    def turn_round(self, answer: str, rng: random.Random) -> str:
        """A question that gives the answer and asks for the subject, without a mark; empty where none is known."""
        forms = [one for one in self.attribute.reversed if "{x}" not in one or "x" in self.parts]
        return rng.choice(forms).format(a=answer, x=self.parts.get("x", "")) if forms else ""


@lru_cache(maxsize=4096)
def recognise(question: str) -> AttributeQuestion | None:
    """What the question asks about: of the patterns that fit, the one that leaves least to its subject."""
    text = _POLITE.sub("", question.strip().rstrip(_MARKS))
    best, least = None, len(text) + 1
    for attribute in attributes():
        for pattern in attribute.patterns:
            match = pattern.fullmatch(text)
            if match:
                parts = {name: part for name, part in match.groupdict().items() if part}
                left = sum(map(len, parts.values()))
                if "s" in parts:
                    parts["s"] = _GOING.sub("", parts["s"])
                if left < least:
                    best, least = AttributeQuestion(attribute, parts), left
    return best


@cache
def attributes() -> tuple[Attribute, ...]:
    """The table; of patterns that leave equally little to the subject, the first is taken."""
    blocks = _TABLE.read_text(encoding="utf-8").strip().split("\n\n")
    return tuple(_attribute(block) for block in blocks)


def _attribute(block: str) -> Attribute:
    name, *lines = block.splitlines()
    patterns = [line[2:] for line in lines if line.startswith("= ")]
    wordings = [line for line in lines if line[:2] not in ("= ", "< ")]
    return Attribute(
        name.removeprefix("# "),
        tuple(re.compile(expression(pattern)) for pattern in patterns),
        (*(plainest(pattern) for pattern in patterns), *wordings),
        tuple(line[2:] for line in lines if line.startswith("< ")),
    )


def expression(pattern: str) -> str:
    """A pattern as a regular expression with the groups s and x."""
    return "".join(_expressions(pattern))


def _expressions(pattern: str) -> Iterator[str]:
    for token in _TOKEN.findall(pattern):
        if token in ("{s}", "{x}"):
            yield f"(?P<{token[1]}>.+?)"
        else:
            yield _SYNTAX.get(token) or re.escape(token)


def plainest(pattern: str) -> str:
    """A pattern as a wording: the first of its alternatives, nothing optional."""
    before = ""
    while before != pattern:  # from the innermost brackets outwards
        before = pattern
        pattern = re.sub(r"\[[^][()]*\]", "", pattern)
        pattern = re.sub(r"\(([^][()|]*)[^][()]*\)", r"\1", pattern)
    return pattern
