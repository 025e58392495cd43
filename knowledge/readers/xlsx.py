"""XLSX → blocks: each sheet under its name, its tables, comments and text boxes; values as a person sees them.

Nothing is computed: a formula without a result is read as its text, and a note says so.
"""

import datetime
import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence

import openpyxl
from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.dimensions import ColumnDimension
from openpyxl.worksheet.worksheet import Worksheet

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.number_formats import date_text, number_text, time_text
from knowledge.readers.table_cells import Across, Below, Name, is_number, spread
from knowledge.readers.table_names import looks_like_names
from knowledge.readers.table_parts import NamesAbove, side_by_side
from knowledge.readers.tables import table_block
from knowledge.readers.xlsx_parts import (
    Area,
    drawn_texts,
    formulas_without_results,
    merged_areas,
    sheet_members,
    without_merges,
)
from knowledge.readers.zip_container import Archive

MAX_CELLS = 3_000_000  # of all sheets together
_THREAD = re.compile(r"\A\[Threaded comment\].*?Comment:\s*", re.DOTALL)  # what older programs are told
_STATES = {"hidden": " (hidden sheet)", "veryHidden": " (very hidden sheet)"}


def load_xlsx(data: bytes) -> ParsedFile:
    """The blocks of a workbook; formulas are read as their last computed values."""
    archive = Archive(data)
    members = sheet_members(archive)
    areas = merged_areas(archive, members)
    data = without_merges(data, archive, members)
    workbook = _open(data, values=True)
    missing = formulas_without_results(archive, members)
    formulas = _open(data, values=False) if missing else None
    notes = [_no_results(missing)] if missing else []
    blocks: list[Block] = []
    cells = 0
    for number, sheet in enumerate(workbook.worksheets, start=1):
        grid = sheet_grid(sheet, areas.get(sheet.title, []), formulas[sheet.title] if formulas else None)
        cells += sum(map(len, grid))
        if cells > MAX_CELLS:
            raise DocumentError(f"it holds more than {MAX_CELLS:,} cells; split it into smaller files")
        found = [block for part in side_by_side(grid) for block in _blocks(part, number)]
        found += _comments(sheet, number)
        found += [Block("text", text, number) for text in drawn_texts(archive, members.get(sheet.title, ""))]
        if found:
            state = _STATES.get(sheet.sheet_state, "")
            blocks += [Block("heading", sheet.title + state, number, 1), *found]
            notes += _hidden(sheet, state)
    return ParsedFile(one_line(workbook.properties.title or ""), tuple(blocks), tuple(notes))


def _open(data: bytes, values: bool) -> Workbook:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl names every extension of a sheet that it leaves out
            return openpyxl.load_workbook(io.BytesIO(data), data_only=values, keep_links=False)
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


def _no_results(count: int) -> str:
    if count == 1:
        return (
            "1 cell holds a formula without a result and was read as a formula: open the file in a spreadsheet "
            "program and save it there, then add it again"
        )
    return (
        f"{count:,} cells hold formulas without results and were read as formulas: open the file in a spreadsheet "
        "program and save it there, then add it again"
    )


def _hidden(sheet: Worksheet, state: str) -> Iterator[str]:
    if state:
        yield f'sheet "{sheet.title}" is hidden, and was read'
    rows = sorted(number for number, row in sheet.row_dimensions.items() if row.hidden)
    columns = [_span_of(column) for column in sheet.column_dimensions.values() if column.hidden]
    for kind, hidden in (("rows", rows), ("columns", columns)):
        if hidden:
            shown = ", ".join(map(str, hidden[:10])) + (" …" if len(hidden) > 10 else "")
            yield f'sheet "{sheet.title}" has hidden {kind}, which were read: {shown}'


def _span_of(column: ColumnDimension) -> str:
    """The letters of a column, or of the first and the last of several that were hidden together."""
    first, last = column.min or 1, column.max or column.min or 1
    names = [get_column_letter(number) for number in dict.fromkeys((first, min(last, 16_384)))]
    return "–".join(names)


def sheet_grid(
    sheet: Worksheet, areas: Sequence[Area] = (), formulas: Worksheet | None = None
) -> list[list[str]]:
    """The texts of all cells, row by row; the places that a merged cell covers are marked."""
    grid: dict[int, dict[int, str]] = {}
    for (row, column), cell in sorted(
        sheet._cells.items()
    ):  # only those that are there: a sheet may claim millions
        text = cell_text(cell) or (_formula(formulas, row, column) if formulas else "")
        if cell.data_type == "s" and cell.has_style and cell.font.b:
            text = Name(text)
        if text:
            grid.setdefault(row, {})[column] = text
    for left, top, right, bottom in areas:
        text = grid.get(top, {}).get(left, "")
        for row in range(top, bottom + 1) if text else ():
            cells = grid.setdefault(row, {})
            for column, place in enumerate(spread(text, right - left + 1, row > top), start=left):
                cells[column] = place
    return [_row(grid.get(row, {})) for row in _rows_with_gaps(sorted(grid))]


def _formula(formulas: Worksheet, row: int, column: int) -> str:
    cell = formulas._cells.get((row, column))
    if cell is None or cell.data_type != "f":
        return ""
    return one_line(str(getattr(cell.value, "text", None) or cell.value or ""))


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
    """A value as a person sees it: ISO dates, times, and numbers as they are formatted."""
    value, form = cell.value, cell.number_format or "General"
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime | datetime.date):
        return date_text(value, form)
    if isinstance(value, datetime.time | datetime.timedelta):
        return time_text(value, form)
    if isinstance(value, int | float):
        return one_line(number_text(value, form))
    return one_line(str(value))


def _blocks(grid: list[list[str]], page: int) -> Iterator[Block]:
    """Tables, divided by empty rows; a row with a single text is a caption."""
    table: list[list[str]] = []
    above = NamesAbove()
    for number, row in enumerate([*grid, []]):
        own = sum(bool(cell) and not isinstance(cell, Across | Below) for cell in row)
        over = own == 1 and _heads_columns(row, grid[number + 1 :][:1])
        if any(row) and (own > 1 or over or table):
            table.append(row)
            continue
        if not any(row) and len(table) == 1 and _names_what_follows(table[0], grid[number + 1 :]):
            continue
        yield from _table(table, above, page)
        table = []
        if any(row):
            yield Block("text", next(filter(None, row)), page)


def _heads_columns(row: list[str], below: Sequence[list[str]]) -> bool:
    """Whether a merged cell stands over some columns of the row below it: over all of them it is a caption."""
    places = {place for place, cell in enumerate(row) if cell}
    return len(places) > 1 and any(
        {place for place, cell in enumerate(one) if cell} > places for one in below
    )


def _names_what_follows(names: list[str], following: Sequence[list[str]]) -> bool:
    """Whether a row above an empty one names the columns of the rows below it."""
    below = following[: next((at for at, row in enumerate(following) if not any(row)), len(following))]
    if not below or any(map(is_number, names)):
        return False
    used = {place for row in below for place, cell in enumerate(row) if cell}
    return used <= {place for place, name in enumerate(names) if name} and looks_like_names(names, below)


def _table(rows: list[list[str]], above: NamesAbove, page: int) -> Iterator[Block]:
    if not rows:
        return
    rows, header = above.with_names(rows)
    first = min(next((column for column, cell in enumerate(row) if cell), len(row)) for row in rows)
    if block := table_block([row[first:] for row in rows], page, header):
        yield block


def _comments(sheet: Worksheet, page: int) -> Iterator[Block]:
    """What was noted on cells, beside the value that it is about."""
    for _, cell in sorted(sheet._cells.items()):
        if cell.comment and (text := one_line(_THREAD.sub("", cell.comment.text or ""))):
            about = ", ".join(filter(None, (cell.coordinate, cell_text(cell))))
            yield Block("text", f"Comment ({about}): {text}", page)
