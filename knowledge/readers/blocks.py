"""What every reader returns: blocks in reading order. Readers know nothing of passages or of the index."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

Kind = Literal["heading", "text", "table", "code"]
_YEAR = re.compile(r"(?:19|20)\d\d")
MAX_CHARACTERS = 30_000_000  # of extracted text; a novel has one million
MAX_BLOCKS = 1_000_000


@dataclass(frozen=True)
class Block:
    """One heading, paragraph, table or piece of code. A line of a table is a row and stands on its own."""

    kind: Kind
    text: str
    page: int | None = None  # from 1: PDF page, slide, or chapter of a book
    level: int = 0  # of a heading, from 1


@dataclass(frozen=True)
class ParsedFile:
    """What a reader found in one file."""

    title: str = ""
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = field(default=())  # what was left out, for the person to know

    def to_dict(self) -> dict[str, Any]:
        """JSON with every field."""
        blocks = [[block.kind, block.text, block.page, block.level] for block in self.blocks]
        return {"title": self.title, "blocks": blocks, "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "ParsedFile":
        """The reverse of `to_dict`."""
        blocks = tuple(Block(*block) for block in data["blocks"])
        return cls(title=data["title"], blocks=blocks, notes=tuple(data["notes"]))


def table_block(
    rows: Iterable[Sequence[str]], page: int | None = None, header: bool | None = None
) -> Block | None:
    """Rows of cells as one table block; None when nothing is written in it.

    Every row repeats its column names ("Name: Ann; Age: 3"), so that it is understood wherever it is cut off.
    `header` says whether the first row names the columns; where None, it is guessed from the cells.
    """
    lines = list(table_rows(rows, header))
    return Block("table", "\n".join(lines), page) if lines else None


def table_rows(rows: Iterable[Sequence[str]], header: bool | None = None) -> Iterator[str]:
    """The lines of a table: one a row, with its column names where the first row has them."""
    cleaned = [[one_line(cell) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    if not cleaned:
        return
    cleaned = _one_header(cleaned)
    names = cleaned[0]
    if len(cleaned) == 1 or not (_is_header(names, cleaned[1:]) if header is None else header):
        for row in cleaned:
            yield (": " if len(row) == 2 else " | ").join(cell for cell in dict.fromkeys(row) if cell)
        return
    for row in cleaned[1:]:
        yield record(zip(names + [""] * (len(row) - len(names)), row, strict=False))


def record(pairs: Iterable[tuple[str, str]]) -> str:
    """One row as "column: value; column: value", empty values left out."""
    return "; ".join(
        f"{name}: {value}" if name and name != value else value for name, value in pairs if value
    )


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def _one_header(rows: list[list[str]]) -> list[list[str]]:
    """Two header rows of which the upper one spans several columns become one: "2025 / Income"."""
    if len(rows) < 3 or len(rows[0]) < 2:
        return rows
    upper, lower = rows[0], rows[1]
    spans = len(set(upper)) > 1 and any(a and a == b for a, b in pairwise(upper))
    if not spans or any(_has_digit(cell[:1]) for cell in lower):
        return rows
    width = max(len(upper), len(lower))
    pairs = zip(upper + [""] * (width - len(upper)), lower + [""] * (width - len(lower)), strict=True)
    return [[" / ".join(dict.fromkeys(filter(None, pair))) for pair in pairs], *rows[2:]]


def _is_header(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Column names are short, mostly there, and without numbers where the column has numbers."""
    filled = [name for name in names if name]
    if len(names) < 2 or len(filled) * 2 < len(names) or len(filled) < 2:
        return False
    if any(len(name) > 100 or name[0] in "-•*" for name in filled):
        return False
    columns = ([row[place] for row in rows[:200] if place < len(row)] for place in range(len(names)))
    votes = sum(_vote(name, list(filter(None, column))) for name, column in zip(names, columns, strict=True))
    return votes > 0 or (votes == 0 and not all(map(_is_number, filled)))


def _vote(name: str, below: Sequence[str]) -> int:
    """1 when the cell looks like the name of what is below it, -1 when like more of the same, otherwise 0."""
    if not name or not below or sum(map(_has_digit, below)) * 5 < len(below) * 3:
        return 0
    if not _has_digit(name):
        return 1
    numbers = sum(map(_is_number, below)) * 5 >= len(below) * 3
    if _YEAR.fullmatch(name):
        return -1 if any(map(_YEAR.fullmatch, below)) else 1
    return 1 if numbers and not _is_number(name) else -1


def _has_digit(cell: str) -> bool:
    return any(character.isdigit() for character in cell)


def _is_number(cell: str) -> bool:
    return _has_digit(cell) and not any(character.isalpha() for character in cell)
