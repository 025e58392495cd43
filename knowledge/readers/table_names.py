"""Which rows of a table name its columns, as their cells and those below them tell."""

import re
from collections.abc import Sequence
from itertools import pairwise

from knowledge.readers.table_cells import Across, Below, Row, has_digit, is_number

_YEAR = re.compile(r"(?:19|20)\d\d")
_FORMULA = re.compile(r"=.|#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!)")
_AMOUNT = re.compile(r"[-+(]?\W?\s?\d{1,3}(?:[,.]\d{3})*[.,]\d{2}\)?(?:\s?\W)?")  # 21,000.00, €4,50
_DIGITS = re.compile(r"\d+")
_IN_BRACKETS = re.compile(r"[(\[（［].{1,30}[)\]）］]")
_LONGEST_UNIT = 20
SAMPLE_ROWS = 200  # by which column names are told from data


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
    found = votes(names, rows)
    distinct = len(set(filled)) == len(filled)  # what is said twice in a row is more likely a value
    return found > 0 or (found == 0 and distinct and not all(map(is_number, filled)))


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
    return not any(_DIGITS.sub("0", cell) in kinds for row in rows[:SAMPLE_ROWS] for cell in row)


def with_groups(grid: Sequence[Row]) -> list[Row]:
    """The rows, where names of groups of columns stand above the first one of each: they cover the others too.

    Known by names below that only the groups tell apart: ",2024,,2025," above "Town,Boats,Nets,Boats,Nets".
    """
    rows = list(grid)
    if (
        len(rows) < 3
        or rows[0][0]
        or any(isinstance(cell, Across | Below) for row in rows[:2] for cell in row)
    ):
        return rows
    groups, names = rows[0], rows[1]
    if (
        len(set(names)) == len(names)
        or not all(names)
        or any(map(is_number, names))
        or len(groups) > len(names)
    ):
        return rows
    covering: Row = []
    for cell in [*groups, *[""] * (len(names) - len(groups))]:
        before = covering[-1] if covering else ""
        covering.append(cell or (Across(before) if before else ""))
    pairs = list(zip(map(str, covering), names, strict=True))
    if len(set(pairs)) < len(pairs) or not all(covering[1:]) or votes(names, rows[2:]) <= 0:
        return rows
    return [covering, *rows[1:]]


def guessed_height(grid: Sequence[Row], framed: bool) -> int:
    """How many rows look like the names of the columns; in a form, where labels stand beside values, none does."""
    if len(grid) < 2:
        return 0
    if (framed or _is_form(grid)) and votes(grid[0], grid[1:]) <= 0:
        return 0
    height = 1
    while height < min(len(grid) - 1, 4) and _names_go_on(grid, height):
        height += 1
    if any(isinstance(cell, Below) for cell in grid[height - 1]):
        return height  # one name beside two rows of names
    return height if looks_like_names(names_of(grid[:height]), grid[height:]) else 0


def _names_go_on(grid: Sequence[Row], height: int) -> bool:
    """Whether the row under the names divides one of them that spans several columns."""
    upper, lower = grid[height - 1], grid[height]
    if _is_below_a_name(lower, grid[height + 1 :]) or _holds_units(upper, lower, grid[height + 1 :]):
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
    plain = not any(has_digit(name[:1]) and not _YEAR.fullmatch(name) for name in names)
    return plain and (not merged or votes(lower, grid[height + 1 :]) > 0)


def _is_below_a_name(row: Row, rows: Sequence[Row]) -> bool:
    """Whether a row into which a name from above reaches holds names itself, such as units."""
    own = [cell for cell in row if cell and not isinstance(cell, Across | Below)]
    reached = any(isinstance(cell, Below) for cell in row)
    plain = not any(has_digit(name[:1]) and not _YEAR.fullmatch(name) for name in own)
    return bool(own) and reached and plain and votes(row, rows) > 0


def _holds_units(names: Row, row: Row, rows: Sequence[Row]) -> bool:
    """Whether a row below the names says in what their columns are counted: it has no label and no number."""
    units = {place: cell for place, cell in enumerate(row) if cell}
    if not units or row[0] or not names[0] or not all(names[place : place + 1] != [""] for place in units):
        return False
    if all(_IN_BRACKETS.fullmatch(cell) for cell in units.values()):
        return True
    single = ["" if isinstance(cell, Across) else cell for cell in row]
    return votes(single, rows) == len(units) and max(map(len, units.values())) <= _LONGEST_UNIT


def _is_form(grid: Sequence[Row]) -> bool:
    """Rows that are merged each in its own way hold labels and values, not columns."""
    patterns = {tuple(isinstance(cell, Across) for cell in row) for row in grid[1:]}
    merged = sum(any(isinstance(cell, Across) for cell in row) for row in grid[1:])
    two_rows_of_names = any(isinstance(cell, Below) for cell in grid[1])
    return len(patterns) > 1 and merged * 3 >= len(grid) - 1 and not two_rows_of_names


def names_of(rows: Sequence[Row]) -> list[str]:
    """The names of a column from the top down: "2025 / Income"."""
    width = max(map(len, rows), default=0)
    columns = ([row[place] for row in rows if place < len(row)] for place in range(width))
    return [" / ".join(dict.fromkeys(filter(None, map(str, column)))) for column in columns]


def votes(names: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """How many columns speak for it that a row names them, less those that speak against it."""
    columns = ([row[place] for row in rows[:SAMPLE_ROWS] if place < len(row)] for place in range(len(names)))
    alone = sum(bool(_YEAR.fullmatch(name)) for name in names) == 1
    return sum(
        _vote(name, list(filter(None, column)), alone) for name, column in zip(names, columns, strict=True)
    )


def is_year(cell: str) -> bool:
    """Whether it is a year of our time: of numbers these alone name columns."""
    return bool(_YEAR.fullmatch(cell))


def _vote(name: str, below: Sequence[str], alone: bool) -> int:
    """1 when the cell looks like the name of what is below it, -1 when like more of the same, otherwise 0.

    A year that stands `alone` names a column of numbers; above anything else it is the value of a label.
    """
    if not name or not below or sum(map(has_digit, below)) * 5 < len(below) * 3:
        return 0
    if not has_digit(name):
        return 1
    numbers = sum(map(is_number, below)) * 5 >= len(below) * 3
    if _YEAR.fullmatch(name):
        return -1 if any(map(_YEAR.fullmatch, below)) or (alone and not numbers) else 1
    return 1 if numbers and not is_number(name) else -1
