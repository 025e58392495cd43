"""Tables as CSV. No cell is a formula to the spreadsheet that opens the file (OWASP: CSV injection)."""

import csv
import io
from collections.abc import Iterable, Sequence

# A spreadsheet computes a cell that begins so; the full-width forms count in some East Asian locales.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def to_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table with its headings; numbers stay numbers, a text that might be a formula begins with an apostrophe."""
    text = io.StringIO()
    plain, quoting = csv.writer(text), csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    for row in [headings, *rows]:
        cells = [_cell(value) for value in row]
        (quoting if any(map(_may_split, cells)) else plain).writerow(cells)
    return text.getvalue()


def _may_split(cell: object) -> bool:
    """Whether a spreadsheet that expects another separator would see two cells in it, unless it is in quotes."""
    return isinstance(cell, str) and any(separator in cell for separator in ";\t|")


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value
