"""XLSX → blocks: each sheet under its name, its tables, merged cells filled in, dates readable."""

import datetime
import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence

import openpyxl
from openpyxl.cell.cell import Cell
from openpyxl.utils import range_boundaries
from openpyxl.worksheet.worksheet import Worksheet

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line, table_block
from knowledge.readers.zip_container import Archive

MAX_CELLS = 3_000_000  # of all sheets together
MAX_MERGED = 500_000  # merged cells of one sheet
_MERGE = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*["']([^"']{2,40})["']""")


def load_xlsx(data: bytes) -> ParsedFile:
    """The blocks of a workbook; formulas are read as their last computed values."""
    _check_merges(Archive(data))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl names every extension of a sheet that it leaves out
            workbook = openpyxl.load_workbook(io.BytesIO(data), data_only=True, keep_links=False)
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        zipfile.BadZipFile,
        OSError,
    ) as error:
        raise DocumentError(f"its workbook is damaged ({type(error).__name__}: {error})") from error
    blocks: list[Block] = []
    cells = 0
    for number, sheet in enumerate(workbook.worksheets, start=1):
        grid = sheet_grid(sheet)
        cells += sum(map(len, grid))
        if cells > MAX_CELLS:
            raise DocumentError(f"it holds more than {MAX_CELLS:,} cells; split it into smaller files")
        found = list(_blocks(grid, number))
        if found:
            blocks.append(Block("heading", sheet.title, number, 1))
            blocks.extend(found)
    return ParsedFile(title=one_line(workbook.properties.title or ""), blocks=tuple(blocks))


def _check_merges(archive: Archive) -> None:
    """openpyxl makes an object for every merged cell, so a range over a whole sheet would never end."""
    for name in archive.names:
        if name.startswith("xl/worksheets/") and name.endswith(".xml"):
            merged = sum(_area(reference) for reference in _MERGE.findall(archive.read(name)))
            if merged > MAX_MERGED:
                raise DocumentError(f"it merges {merged:,} cells; undo that and save it again")


def _area(reference: bytes) -> int:
    try:
        left, top, right, bottom = range_boundaries(reference.decode("ascii", "replace"))
    except (ValueError, TypeError):
        return 0
    return (int(right or 16_384) - int(left or 1) + 1) * (int(bottom or 1_048_576) - int(top or 1) + 1)


def sheet_grid(sheet: Worksheet) -> list[list[str]]:
    """The texts of all cells, row by row; a merged cell is repeated in every place it covers."""
    grid: dict[int, dict[int, str]] = {}
    for (row, column), cell in sorted(
        sheet._cells.items()
    ):  # only those that are there: a sheet may claim millions
        if text := cell_text(cell):
            grid.setdefault(row, {})[column] = text
    for merged in sheet.merged_cells.ranges:
        text = grid.get(merged.min_row, {}).get(merged.min_col, "")
        height, width = merged.max_row - merged.min_row + 1, merged.max_col - merged.min_col + 1
        for row in range(merged.min_row, merged.min_row + height if text else 0):
            for column in range(merged.min_col, merged.min_col + width):
                grid.setdefault(row, {})[column] = text
    return [_row(grid.get(row, {})) for row in _rows_with_gaps(sorted(grid))]


def _rows_with_gaps(rows: Sequence[int]) -> Iterator[int]:
    """The row numbers, with one empty row (0) wherever some are missing: there a table ends."""
    for place, row in enumerate(rows):
        if place and row != rows[place - 1] + 1:
            yield 0
        yield row


def _row(cells: dict[int, str]) -> list[str]:
    last = min(max(cells, default=0), 16_384)
    return [cells.get(column, "") for column in range(1, last + 1)]


def cell_text(cell: Cell) -> str:
    """A value as a person writes it: ISO dates, whole numbers without a point, percentages as such."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time(0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number(value, cell.number_format or "")
    return one_line(str(value))


def _number(value: float, form: str) -> str:
    if "%" in form:
        return f"{value * 100:.6g}%"
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.10g}"


def _blocks(grid: list[list[str]], page: int) -> Iterator[Block]:
    """Tables, divided by empty rows; a row with a single text is a caption."""
    table: list[list[str]] = []
    for row in [*grid, []]:
        if any(row) and (len(set(filter(None, row))) > 1 or table):
            table.append(row)
            continue
        yield from _table(table, page)
        table = []
        if any(row):
            yield Block("text", next(filter(None, row)), page)


def _table(rows: list[list[str]], page: int) -> Iterator[Block]:
    if not rows:
        return
    first = min(next((column for column, cell in enumerate(row) if cell), len(row)) for row in rows)
    if block := table_block([row[first:] for row in rows], page):
        yield block
