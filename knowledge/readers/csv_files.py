"""CSV and TSV → rows that keep their column names."""

import csv
import io
import re
from collections.abc import Iterator, Sequence

from knowledge.errors import DocumentError
from knowledge.readers.blocks import ParsedFile
from knowledge.readers.table_parts import parts
from knowledge.readers.tables import table_block

_DELIMITERS = "\t;|,"  # a comma last: it stands within numbers and sentences
_EVEN = 0.9  # of the rows have one width: nothing but a delimiter divides them so
_DOUBLED = re.compile(r'[^\\,;|\t\n]""')  # a quotation mark within quotes; MySQL writes a backslash before it
_STATED = re.compile(r"sep=(.)\n", re.IGNORECASE)  # the first line of a file for Excel


def load_csv(text: str, delimiter: str | None = None) -> ParsedFile:
    """A table, or several that empty rows divide; the delimiter is detected when it is not given, or stands nowhere."""
    if stated := _STATED.match(text):
        delimiter, text = stated[1], text[stated.end() :]
    rows = list(_rows(text, delimiter if delimiter and delimiter in text else find_delimiter(text)))
    found = (table_block(part, header=header) for part, header in parts(rows))
    return ParsedFile(blocks=tuple(block for block in found if block))


def find_delimiter(text: str) -> str:
    """The delimiter that gives the first lines the most cells, and the same number in each."""
    sample = "\n".join(text[: 64 * 1024].split("\n")[:50])
    widths = {delimiter: _widths(sample, delimiter) for delimiter in _DELIMITERS}
    even = (delimiter for delimiter, cells in widths.items() if _is_even(cells))
    return next(even, max(widths, key=lambda delimiter: _evenness(widths[delimiter])))


def _widths(sample: str, delimiter: str) -> list[int]:
    """How many cells each row has."""
    try:
        return [len(row) for row in _rows(sample, delimiter) if row]
    except DocumentError:
        return []


def _is_even(widths: Sequence[int]) -> bool:
    """Whether the first row and nearly all others have the same cells, more than one."""
    return bool(widths) and widths[0] > 1 and widths.count(widths[0]) >= _EVEN * len(widths)


def _evenness(widths: Sequence[int]) -> float:
    if not widths:
        return 0.0
    usual = max(sorted(set(widths), reverse=True), key=widths.count)
    return (usual - 1) * widths.count(usual) / len(widths)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(10_000_000)
    try:
        escaped = "\\" if '\\"' in text and not _DOUBLED.search(text) else None
        yield from csv.reader(
            io.StringIO(text),
            delimiter=delimiter,
            skipinitialspace=True,
            escapechar=escaped,
            doublequote=not escaped,
        )
    except csv.Error as error:
        raise DocumentError(f"its table cannot be read ({error})") from error
