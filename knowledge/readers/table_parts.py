"""The tables of one sheet or file that empty rows divide, each with the names of its columns."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from knowledge.readers.tables import Row, rows_of_names

Part = tuple[
    list[Row], int | None
]  # rows, and how many of them name the columns; None where that is to be guessed


class NamesAbove:
    """Remembers the names of the last table: below an empty row it may go on without them."""

    def __init__(self) -> None:
        self._names: list[Row] = []
        self._columns: set[int] = set()  # in which the table has anything

    def with_names(self, rows: list[Row]) -> Part:
        """The rows, behind the names from above where they have none of their own and stand in the same columns."""
        names, clearly = rows_of_names(rows)
        columns = _filled(rows)
        if self._names and not clearly and len(columns) > 1 and columns <= self._columns:
            return [*self._names, *rows], len(self._names)
        self._names, self._columns = names, columns
        return rows, None


def parts(rows: Sequence[Row]) -> Iterator[Part]:
    """The tables of a file, as empty rows divide them; a single row above an empty one belongs to what follows."""
    above = NamesAbove()
    part: list[Row] = []
    for row in rows:
        if any(row):
            part.append(row)
        elif len(part) > 1:
            yield above.with_names(part)
            part = []
    if part:
        yield above.with_names(part)


def side_by_side(grid: Sequence[Row]) -> list[list[Row]]:
    """A sheet's tables that stand beside each other: empty columns lie between them, and they have other rows."""
    filled = sorted(_filled(grid))
    starts = [place for last, place in pairwise(filled) if place > last + 1]
    for start in starts:
        left = [row[:start] for row in grid]
        right = [["" for _ in row[:start]] + list(row[start:]) for row in grid]
        if _is_table(left) and _is_table(right) and _extent(left) != _extent(right):
            return [left, *side_by_side(right)]
    return [list(grid)]


def _is_table(rows: Sequence[Row]) -> bool:
    first, last = _extent(rows)
    return len(_filled(rows)) > 1 and last > first


def _extent(rows: Sequence[Row]) -> tuple[int, int]:
    """The first and the last row in which anything stands."""
    filled = [number for number, row in enumerate(rows) if any(row)]
    return (filled[0], filled[-1]) if filled else (0, 0)


def _filled(rows: Sequence[Row]) -> set[int]:
    return {place for row in rows for place, cell in enumerate(row) if cell}
