"""The shape every loader returns: blocks in reading order. Loaders know nothing of passages or of the index."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["heading", "text", "table", "code"]
MAX_CHARACTERS = 30_000_000  # of extracted text; a novel has one million


@dataclass(frozen=True)
class Block:
    """One heading, paragraph, table or piece of code. A line of a table is a row and stands on its own."""

    kind: Kind
    text: str
    page: int | None = None  # from 1: PDF page, slide, or chapter of a book
    level: int = 0  # of a heading, from 1


@dataclass(frozen=True)
class Draft:
    """What a loader found in one file."""

    title: str = ""
    blocks: tuple[Block, ...] = ()
    notes: tuple[str, ...] = field(default=())  # what was left out, for the person to know

    def to_dict(self) -> dict[str, Any]:
        """JSON with every field."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Draft":
        """The reverse of `to_dict`."""
        blocks = tuple(Block(**block) for block in data["blocks"])
        return cls(title=data["title"], blocks=blocks, notes=tuple(data["notes"]))


def table_block(rows: Iterable[Sequence[str]], page: int | None = None) -> Block | None:
    """Rows of cells as one table block whose first row names the columns; None when nothing is written in it.

    Every row repeats its column names ("Name: Ann; Age: 3"), so that it is understood wherever it is cut off.
    """
    lines = list(table_rows(rows))
    return Block("table", "\n".join(lines), page) if lines else None


def table_rows(rows: Iterable[Sequence[str]]) -> Iterable[str]:
    """The lines of a table: one a row, with its column names where the first row has them."""
    cleaned = [[one_line(cell) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    if not cleaned:
        return
    if len(cleaned) == 1 or not _is_header(cleaned[0]):
        for row in cleaned:
            yield " | ".join(cell for cell in row if cell)
        return
    header = cleaned[0]
    for row in cleaned[1:]:
        yield record(zip(header + [""] * (len(row) - len(header)), row, strict=False))


def record(pairs: Iterable[tuple[str, str]]) -> str:
    """One row as "column: value; column: value", empty values left out."""
    return "; ".join(
        f"{name}: {value}" if name and name != value else value for name, value in pairs if value
    )


def one_line(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def _is_header(row: Sequence[str]) -> bool:
    """Column names are words, mostly filled in, mostly different; numbers are data."""
    filled = [cell for cell in row if cell]
    if len(row) < 2 or len(filled) * 2 < len(row) or any(len(cell) > 120 for cell in filled):
        return False
    numeric = sum(_is_number(cell) for cell in filled)
    return numeric * 2 < len(filled) or all(len(cell) == 4 and cell.isdigit() for cell in filled[1:])


def _is_number(cell: str) -> bool:
    digits = sum(character.isdigit() for character in cell)
    letters = sum(character.isalpha() for character in cell)
    return digits > 0 and letters == 0
