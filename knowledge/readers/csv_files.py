"""CSV and TSV → rows that keep their column names."""

import csv
import io
from collections.abc import Iterator

from knowledge.errors import DocumentError
from knowledge.readers.blocks import ParsedFile
from knowledge.readers.tables import table_block

_DELIMITERS = ",;\t|"


def load_csv(text: str, delimiter: str | None = None) -> ParsedFile:
    """One table block; the delimiter is detected when it is not given."""
    rows = list(_rows(text, delimiter or find_delimiter(text)))
    block = table_block(rows)
    return ParsedFile(blocks=(block,) if block else ())


def find_delimiter(text: str) -> str:
    """The delimiter that gives the first lines the most cells, and the same number in each."""
    sample = "\n".join(text[: 64 * 1024].split("\n")[:50])
    return max(_DELIMITERS, key=lambda delimiter: _evenness(sample, delimiter))


def _evenness(sample: str, delimiter: str) -> float:
    try:
        widths = [len(row) for row in _rows(sample, delimiter) if row]
    except DocumentError:
        return 0.0
    if not widths:
        return 0.0
    usual = max(set(widths), key=widths.count)
    return (usual - 1) * widths.count(usual) / len(widths)


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(10_000_000)
    try:
        yield from csv.reader(io.StringIO(text), delimiter=delimiter)
    except csv.Error as error:
        raise DocumentError(f"its table cannot be read ({error})") from error
