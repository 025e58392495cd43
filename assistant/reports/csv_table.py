"""Tables as CSV. No cell is a formula to the spreadsheet that opens the file (OWASP: CSV injection)."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

# A spreadsheet computes a cell that begins so; the full-width forms count in some East Asian locales.
_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?%?")


def to_csv(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The table with its headings; texts that would be formulas begin with an apostrophe, numbers stay numbers."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([_cell(heading) for heading in headings])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
