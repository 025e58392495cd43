"""Rows of a table that a question names: an answer about Tuesday is not supported by the row of Monday."""

import re
from collections.abc import Collection

from knowledge.text.stopwords import STOPWORDS
from knowledge.text.terms import terms

# As the readers write a row: "Day: Monday; Morning: 8:00–12:30", or as Markdown.
_NAMED_ROW = re.compile(r"^[^:;\n]{1,40}: (?P<key>[^;\n]+); ")
_PIPED_ROW = re.compile(r"^\| *(?P<key>[^|\n]+?) *\|.*\|")


def rows_asked_for(question: str, passage: str) -> frozenset[str]:
    """The keys of the passage's rows that the question names; a key is what stands in the first column."""
    asked = set(terms(question)) - STOPWORDS
    keys = {key for line in passage.splitlines() if (key := _key(line))}
    return frozenset(key for key in keys if (held := set(terms(key)) - STOPWORDS) and held <= asked)


def is_of_rows(text: str, keys: Collection[str]) -> bool:
    """Whether every row in a piece of a passage has one of these keys; a piece without rows has no other."""
    return all(key in keys for line in text.splitlines() if (key := _key(line)))


def _key(line: str) -> str:
    found = _NAMED_ROW.match(line.strip()) or _PIPED_ROW.match(line.strip())
    return found["key"].strip() if found else ""
