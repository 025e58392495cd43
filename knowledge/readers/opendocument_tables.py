"""Tables of OpenDocument → full grids; rows and cells that repeat are written once where they are empty."""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, one_line
from knowledge.readers.opendocument_text import inline_text, name, name_of
from knowledge.readers.table_cells import spread
from knowledge.readers.table_parts import NamesAbove
from knowledge.readers.tables import table_block

MAX_CELLS = 3_000_000  # of one table
_MOST_COLUMNS = 16_384
_VALUES = ("value", "date-value", "time-value", "boolean-value", "string-value")
_GROUPS = ("table:table-row-group", "table:table-rows", "table:table-header-rows")

Grid = list[list[str]]


def table_grid(table: etree._Element) -> tuple[Grid, int | None]:
    """The cells as a full grid, and how many rows at its top say that they name the columns."""
    grid: Grid = []
    merged: list[_Area] = []
    header = cells = 0
    for row, in_header in _rows(table):
        texts = list(_row(row, len(grid), merged))
        while texts and not texts[-1]:
            texts.pop()
        times = _number(row, "table:number-rows-repeated") if texts else 1
        cells += len(texts) * times
        if cells + sum(area.height * area.width for area in merged) > MAX_CELLS:
            raise DocumentError(f"it holds more than {MAX_CELLS:,} cells; split it into smaller files")
        grid += [list(texts) for _ in range(times)]
        header += times if in_header else 0
    for area in merged:
        _cover(grid, area)
    return grid, header or None


@dataclass(frozen=True)
class _Area:
    row: int
    column: int
    height: int
    width: int


def _cover(grid: Grid, area: _Area) -> None:
    """Mark the places that a merged cell covers."""
    text = grid[area.row][area.column] if area.column < len(grid[area.row]) else ""
    for row in range(area.row, min(area.row + area.height, len(grid)) if text else 0):
        missing = area.column + area.width - len(grid[row])
        grid[row] += [""] * missing
        grid[row][area.column : area.column + area.width] = spread(text, area.width, row > area.row)


def grid_blocks(grid: Grid, header: int | None, page: int | None) -> Iterator[Block]:
    """The tables of a grid, which empty rows divide; a row with a single text is one."""
    table: Grid = []
    above = NamesAbove()
    for row in [*grid, []]:
        if any(row):
            table.append(row)
            continue
        lines = len(table) == 1 and sum(map(bool, table[0])) == 1
        if table and header is None and not lines:
            table, header = above.with_names(table)
        if table and (block := table_block(_from_first_column(table), page, header)):
            yield Block("text" if lines else "table", block.text, page)
        table, header = [], None if table else header


def _from_first_column(rows: Grid) -> Grid:
    first = min(next((place for place, cell in enumerate(row) if cell), len(row)) for row in rows)
    return [row[first:] for row in rows]


def _row(row: etree._Element, number: int, merged: list[_Area]) -> Iterator[str]:
    """The texts of a row; what it merges is added to `merged`. Covered places are cells of their own here."""
    column = 0
    for cell in row:
        if name(cell) not in ("table:table-cell", "table:covered-table-cell"):
            continue
        times = min(_number(cell, "table:number-columns-repeated"), _MOST_COLUMNS - column)
        text = cell_text(cell) if name(cell) == "table:table-cell" else ""
        height = min(_number(cell, "table:number-rows-spanned"), 1_048_576)
        width = min(_number(cell, "table:number-columns-spanned"), _MOST_COLUMNS)
        if text and height * width > 1:
            merged.append(_Area(number, column, height, width))
        yield from [text] * times
        column += times


def cell_text(cell: etree._Element) -> str:
    """What is shown in a cell; the formula where there is no result."""
    parts: list[str] = []
    for child in cell:
        if name(child) == "table:table":
            grid, header = table_grid(child)
            block = table_block(grid, header=header)
            parts.append(f"({'; '.join(block.text.splitlines())})" if block else "")
        elif name(child) == "text:list":
            parts.append(", ".join(filter(None, map(inline_text, child.iter(name_of("text:p"))))))
        elif name(child) == "office:annotation":
            words = (inline_text(part) for part in child.iter(name_of("text:p")))
            parts.append(f"(comment: {' '.join(filter(None, words))})")
        elif isinstance(child.tag, str):
            parts.append(inline_text(child).replace("\n", " "))
    shown = " ".join(filter(None, parts))
    if shown:
        return shown
    formula = cell.get(name_of("table:formula")) or ""
    value = next(filter(None, (cell.get(name_of(f"office:{kind}")) for kind in _VALUES)), "")
    return one_line(value.replace("T", " ") if value[:1].isdecimal() else value) or formula.partition(":")[2]


def _rows(table: etree._Element, in_header: bool = False) -> Iterator[tuple[etree._Element, bool]]:
    for child in table:
        if name(child) == "table:table-row":
            yield child, in_header
        elif name(child) in _GROUPS:
            yield from _rows(child, in_header or name(child) == "table:table-header-rows")


def _number(element: etree._Element, attribute: str) -> int:
    value = element.get(name_of(attribute)) or "1"
    return max(int(value), 1) if value.isdecimal() and len(value) < 8 else 1
