"""Rows of cells → lines that each say their column names. No value is dropped, moved or repeated.

A reader gives a full grid. The places that a merged cell covers hold `Across` and `Below`, so that the cell is written
once a row and known by the names of all its columns.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from knowledge.readers.blocks import Block, one_line, record

_YEAR = re.compile(r"(?:19|20)\d\d")
_FORMULA = re.compile(r"=.|#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!)")
_AMOUNT = re.compile(r"[-+(]?\W?\s?\d{1,3}(?:[,.]\d{3})*[.,]\d{2}\)?(?:\s?\W)?")  # 21,000.00, €4,50
_DIGITS = re.compile(r"\d+")
_SAMPLE_ROWS = 200  # by which column names are told from data


class Across(str):
    """The text of a merged cell where it also covers the place to the left."""

    __slots__ = ()


class Below(str):
    """The text of a merged cell in a row below its first."""

    __slots__ = ()


class _Number(str):
    """What a column without a name is called."""

    __slots__ = ()


Row = list[str]


def spread(text: str, width: int = 1, continued: bool = False) -> Row:
    """One row of a merged cell; `continued` in the rows below its first."""
    return [Below(text) if continued else text, *[Across(text)] * (width - 1)]


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
    height = _guessed_height(grid, framed) if header is None else _stated_height(grid, header)
    names, body = _names(grid[:height]), grid[height:]
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
    for at, row in enumerate(body):
        if header is None and at and _begins_anew(body, at):
            yield from table_rows(body[at:])
            return
        yield _named(names, row) if any(names) else _plain(row)


def _begins_anew(rows: Sequence[Row], at: int) -> bool:
    """Whether a row is a caption over the whole table, and names of other columns follow it."""
    first, *others = rows[at]
    if not first or not others or not all(isinstance(cell, Across) for cell in others) or at + 3 > len(rows):
        return False
    names = [str(cell) for cell in rows[at + 1] if cell and not isinstance(cell, Across | Below)]
    below = [["" if isinstance(cell, Across) else cell for cell in row] for row in rows[at + 2 :]]
    return len(names) > 1 and not any(map(_has_digit, names)) and _votes(rows[at + 1], below) > 1


def rows_of_names(rows: Iterable[Sequence[str]]) -> tuple[list[Row], bool]:
    """The rows that seem to name the columns, without captions; and whether what is below speaks for it."""
    grid = _own_rows(rows)
    while grid and _is_caption(grid, None):
        grid.pop(0)
    names = grid[: _guessed_height(grid, framed=False)]
    return names, bool(names) and _votes(_names(names), grid[len(names) :]) > 0


def looks_like_names(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Column names are short, mostly there, no labels, and without numbers where the column has numbers."""
    filled = [name for name in names if name]
    if len(names) < 2 or len(filled) * 2 < len(names) or len(filled) < 2:
        return False
    if any(len(name) > 100 or name[0] in "-•*" or name[-1] in ":：" for name in filled):
        return False
    if any(map(_FORMULA.match, filled)) or any(map(_AMOUNT.fullmatch, filled)):
        return False
    if _are_alike(filled, rows):
        return True
    votes = _votes(names, rows)
    distinct = len(set(filled)) == len(filled)  # what is said twice in a row is more likely a value
    return votes > 0 or (votes == 0 and distinct and not all(map(is_number, filled)))


def _are_alike(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether they are numbered names of one kind, such as "Week 1" and "Week 2", and no cell below is of that kind."""
    kinds = {_DIGITS.sub("0", name) for name in names}
    if (
        len(names) < 3
        or len(kinds) > 1
        or len(set(names)) < len(names)
        or not re.search(r"[^\W\d_]{3}", names[0])
    ):
        return False
    return not any(_DIGITS.sub("0", cell) in kinds for row in rows[:_SAMPLE_ROWS] for cell in row)


def is_number(cell: str) -> bool:
    """Whether it has digits and no letters."""
    return _has_digit(cell) and not any(character.isalpha() for character in cell)


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
    return type(cell)(text) if isinstance(cell, Across | Below) else text


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


def _guessed_height(grid: Sequence[Row], framed: bool) -> int:
    """How many rows look like the names of the columns; in a form, where labels stand beside values, none does."""
    if len(grid) < 2:
        return 0
    if (framed or _is_form(grid)) and _votes(grid[0], grid[1:]) <= 0:
        return 0
    height = 1
    while height < min(len(grid) - 1, 4) and _names_go_on(grid, height):
        height += 1
    if any(isinstance(cell, Below) for cell in grid[height - 1]):
        return height  # one name beside two rows of names
    return height if looks_like_names(_names(grid[:height]), grid[height:]) else 0


def _names_go_on(grid: Sequence[Row], height: int) -> bool:
    """Whether the row under the names divides one of them that spans several columns."""
    upper, lower = grid[height - 1], grid[height]
    if _is_below_a_name(lower, grid[height + 1 :]):
        return True
    merged = any(isinstance(cell, Across) for cell in upper)
    repeated = any(a and a == b for a, b in pairwise(upper)) and len(set(upper)) > 1
    divided = any(
        cell and not isinstance(cell, Across | Below) and a == b
        for cell, (a, b) in zip(lower[1:], pairwise(upper), strict=False)
    )
    if not divided or not (merged or repeated):
        return False
    if any(isinstance(cell, Below) for cell in lower):
        return True
    names = [cell for cell in lower if cell]
    plain = not any(_has_digit(name[:1]) and not _YEAR.fullmatch(name) for name in names)
    return plain and (not merged or _votes(lower, grid[height + 1 :]) > 0)


def _is_below_a_name(row: Row, rows: Sequence[Row]) -> bool:
    """Whether a row into which a name from above reaches holds names itself, such as units."""
    own = [cell for cell in row if cell and not isinstance(cell, Across | Below)]
    reached = any(isinstance(cell, Below) for cell in row)
    plain = not any(_has_digit(name[:1]) and not _YEAR.fullmatch(name) for name in own)
    return bool(own) and reached and plain and _votes(row, rows) > 0


def _is_form(grid: Sequence[Row]) -> bool:
    """Rows that are merged each in its own way hold labels and values, not columns."""
    patterns = {tuple(isinstance(cell, Across) for cell in row) for row in grid[1:]}
    merged = sum(any(isinstance(cell, Across) for cell in row) for row in grid[1:])
    two_rows_of_names = any(isinstance(cell, Below) for cell in grid[1])
    return len(patterns) > 1 and merged * 3 >= len(grid) - 1 and not two_rows_of_names


def _names(rows: Sequence[Row]) -> list[str]:
    """The names of a column from the top down: "2025 / Income"."""
    width = max(map(len, rows), default=0)
    columns = ([row[place] for row in rows if place < len(row)] for place in range(width))
    return [" / ".join(dict.fromkeys(filter(None, map(str, column)))) for column in columns]


def _votes(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    columns = ([row[place] for row in rows[:_SAMPLE_ROWS] if place < len(row)] for place in range(len(names)))
    alone = sum(bool(_YEAR.fullmatch(name)) for name in names) == 1
    return sum(
        _vote(name, list(filter(None, column)), alone) for name, column in zip(names, columns, strict=True)
    )


def _vote(name: str, below: Sequence[str], alone: bool) -> int:
    """1 when the cell looks like the name of what is below it, -1 when like more of the same, otherwise 0.

    A year that stands `alone` names a column of numbers; above anything else it is the value of a label.
    """
    if not name or not below or sum(map(_has_digit, below)) * 5 < len(below) * 3:
        return 0
    if not _has_digit(name):
        return 1
    numbers = sum(map(is_number, below)) * 5 >= len(below) * 3
    if _YEAR.fullmatch(name):
        return -1 if any(map(_YEAR.fullmatch, below)) or (alone and not numbers) else 1
    return 1 if numbers and not is_number(name) else -1


def _has_digit(cell: str) -> bool:
    return any(character.isdigit() for character in cell)


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
