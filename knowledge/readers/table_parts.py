"""The tables of one sheet or file that empty rows divide, each with the names of its columns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from knowledge.readers.table_cells import Row
from knowledge.readers.tables import rows_of_names

MAX_BESIDE = 50  # groups of columns on one sheet; more are one table with gaps
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
    blocks = _blocks(grid)
    cuts: list[int] = []
    for at in range(1, len(blocks)):
        left = _joined(block for block in blocks[:at] if not cuts or block.first >= cuts[-1])
        right = _joined(blocks[at:])
        if left.is_table and right.is_table and (left.top, left.bottom) != (right.top, right.bottom):
            cuts.append(blocks[at].first)
    bounds = [0, *cuts, max(map(len, grid), default=0)]
    return [[[*[""] * first, *row[first:last]] for row in grid] for first, last in pairwise(bounds)]


@dataclass(frozen=True)
class _Block:
    """Neighbouring columns of a sheet that hold anything, and its first and last row that do."""

    first: int
    columns: int
    top: int
    bottom: int

    @property
    def is_table(self) -> bool:
        return self.columns > 1 and self.bottom > self.top


def _blocks(grid: Sequence[Row]) -> list[_Block]:
    extents: dict[int, tuple[int, int]] = {}
    for number, row in enumerate(grid):
        for place, cell in enumerate(row):
            if cell:
                extents[place] = extents.get(place, (number, 0))[0], number
    blocks: list[_Block] = []
    for place in sorted(extents):
        own = _Block(place, 1, *extents[place])
        if blocks and blocks[-1].first + blocks[-1].columns == place:
            blocks[-1] = _joined((blocks[-1], own))
        else:
            blocks.append(own)
    return blocks if len(blocks) <= MAX_BESIDE else blocks[:1]


def _joined(blocks: Iterable[_Block]) -> _Block:
    every = list(blocks)
    return _Block(
        every[0].first,
        sum(block.columns for block in every),
        min(block.top for block in every),
        max(block.bottom for block in every),
    )


def _filled(rows: Sequence[Row]) -> set[int]:
    return {place for row in rows for place, cell in enumerate(row) if cell}
