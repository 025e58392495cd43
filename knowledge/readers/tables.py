"""Rows of cells → lines that each say their column names. No value is dropped, moved or repeated.

A reader gives a full grid. The places that a merged cell covers hold `Across` and `Below`, so that the cell is written
once a row and known by the names of all its columns.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from knowledge.readers.blocks import Block, one_line, record
from knowledge.readers.table_beginnings import beginnings
from knowledge.readers.table_cells import Across, Below, Name, Row
from knowledge.readers.table_names import guessed_height, names_of, votes, with_groups


class _Number(str):
    """What a column without a name is called."""

    __slots__ = ()


def table_block(
    rows: Iterable[Sequence[str]], page: int | None = None, header: int | None = None
) -> Block | None:
    """Rows of cells as one table block; None when nothing is written in it.

    Every row repeats its column names ("Name: Ann; Age: 3"), so that it is understood wherever it is cut off.
    `header` is how many rows name the columns, captions not counted; where None, it is guessed from the cells.
    """
    lines = list(table_rows(rows, header))
    return Block("table", "\n".join(lines), page) if lines else None


def table_rows(rows: Iterable[Sequence[str]], header: int | None = None) -> Iterator[str]:
    """The lines of a table: its captions, then one a row, with its column names where there are any."""
    grid = _own_rows(rows)
    apart = [place for place, own in enumerate(_own_columns(grid)) if own]
    framed = any(isinstance(cell, Across) for row in grid[1:] for cell in row) and len(apart) == 2
    grid = [[row[place] for place in apart if place < len(row)] for row in grid]
    while grid and _is_caption(grid, header):
        yield _plain(grid.pop(0))
    if header is None:
        grid = with_groups(grid)
    height = guessed_height(grid, framed) if header is None else _stated_height(grid, header)
    names, body = names_of(grid[:height]), grid[height:]
    if not body:
        names, body = [], grid
    names += [""] * (max(map(len, body), default=0) - len(names))
    filled = {place for row in body for place, cell in enumerate(row) if cell}
    if any(name and place not in filled for place, name in enumerate(names)):
        yield " | ".join(names).rstrip(" |")  # a column without a value is named all the same
    nameless = [place for place in sorted(filled) if not names[place]]
    if len(nameless) > 1 and any(names):
        for place in nameless:  # the first one labels the rows
            names[place] = _Number(f"#{place + 1}" if place or names[0] else "")
    bounds = [*beginnings(body, any(names), header is not None), len(body)]
    for row in body[: bounds[0]]:
        yield _named(names, row) if any(names) else _plain(row)
    for first, last in pairwise(bounds):
        yield from table_rows(body[first:last], 1 if header else None)


def rows_of_names(rows: Iterable[Sequence[str]]) -> tuple[list[Row], bool]:
    """The rows that seem to name the columns, without captions; and whether what is below speaks for it."""
    grid = _own_rows(rows)
    while grid and _is_caption(grid, None):
        grid.pop(0)
    names = grid[: guessed_height(grid, framed=False)]
    return names, bool(names) and votes(names_of(names), grid[len(names) :]) > 0


def _own_rows(rows: Iterable[Sequence[str]]) -> list[Row]:
    """The rows that say something beside what a merged cell above said."""
    grid = [[_cleaned(cell) for cell in row] for row in rows]
    return [row for row in grid if any(cell and not isinstance(cell, Across | Below) for cell in row)]


def _own_columns(grid: Sequence[Row]) -> list[bool]:
    """For each column whether anything stands in it that does not begin further to the left."""
    own = [False] * max(map(len, grid), default=0)
    for row in grid:
        for place, cell in enumerate(row):
            own[place] = own[place] or bool(cell and not isinstance(cell, Across))
    return own


def _cleaned(cell: str) -> str:
    text = one_line(cell)
    return type(cell)(text) if isinstance(cell, Across | Below | Name) else text


def _is_caption(grid: Sequence[Row], header: int | None) -> bool:
    """Whether the first row is one cell over the whole table, or the only one filled."""
    first = grid[0]
    if len(grid) < 2 or not first[0] or isinstance(first[0], Below):
        return False
    others = [cell for cell in first[1:] if cell]
    if others:
        return all(isinstance(cell, Across) for cell in others) and len(first) > 1
    return (header is None or len(first) == 1) and max(map(len, grid)) > 1


def _stated_height(grid: Sequence[Row], height: int) -> int:
    """How many rows name the columns, those into which a name reaches included; never all of them."""
    while 0 < height < len(grid) and any(isinstance(cell, Below) for cell in grid[height]):
        height += 1
    return max(min(height, len(grid) - 1), 0)


def _plain(row: Sequence[str]) -> str:
    """A row without names. An empty cell keeps its place, one at the end says nothing."""
    cells = [cell for cell in row if not isinstance(cell, Across)]
    while cells and not cells[-1]:
        cells.pop()
    return (": " if len(cells) == 2 and cells[0] else " | ").join(cells).strip()


def _named(names: Sequence[str], row: Sequence[str]) -> str:
    """A row with its names; a merged cell under those of every column that it covers."""
    cells: list[tuple[dict[str, None], str]] = []
    for name, cell in zip(names, row, strict=False):
        if isinstance(cell, Across) and cells:
            cells[-1][0][name] = None
        else:
            cells.append(({name: None}, cell))
    if len(cells) == 1 < len(row):
        return cells[0][1]  # over the whole table: it heads the rows below
    return record((_joined(under), text) for under, text in cells)


def _joined(names: Collection[str]) -> str:
    """The names of the columns that a cell covers; their numbers where none has a name."""
    given = [name for name in names if name and not isinstance(name, _Number)]
    numbers = [name for name in names if isinstance(name, _Number)]
    return ", ".join(given or numbers[:1])
