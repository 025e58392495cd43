"""Text → records with line numbers (JSON, JSON Lines, CSV), within bounds. Knows no format of chats."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any

from tuning.data.complaints import Complaints
from tuning.errors import ExampleError

MAX_RECORDS = 200_000
MAX_VALUES = 10_000_000  # of JSON: each takes some fifty bytes of memory, however short it is written
MAX_CELLS = 2_000_000  # of a table: one name too many is a cell in every row
DELIMITERS = (",", "\t", ";", "|")
SPACE = re.compile(r"[\s\ufeff]*")
NEXT_VALUE = re.compile(r"[\r\n]\s*(?=[{\[])")

Record = tuple[int, Any]  # the line it begins on, and a JSON value or a row as a dict


class LooseTabs(csv.excel_tab):
    """Tab-separated text whose quotation marks mean nothing."""

    quoting = csv.QUOTE_NONE


def json_records(text: str, path: Path, complaints: Complaints) -> Iterator[Record]:
    """The elements of a JSON array, or values that follow one another (JSON Lines, or printed over lines).

    Of values that follow one another, broken ones are complained of one by one; an array ends at the first.
    """
    _check_values(text, path)
    decoder = JSONDecoder()
    position = _skip(text, 0)
    in_array = text.startswith("[", position)
    position = _skip(text, position + 1) if in_array else position
    line, counted, count = 1, 0, 0
    while position < len(text):
        if in_array and text[position] == "]":
            _check_end(text, position + 1, path)
            return
        line, counted, count = line + text.count("\n", counted, position), position, count + 1
        check_count(count, path)
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            where, reason = _not_json(error, line)
            (Complaints() if in_array else complaints).add(path, where, reason)
            found = NEXT_VALUE.search(text, position)
            position = found.end() if found else len(text)
            continue
        yield line, value
        position = _skip(text, position)
        if in_array:
            position = _next_element(text, position, path)
    if in_array:
        raise ExampleError(f"{path} ends in the middle of its JSON array: the file is incomplete.")


def looks_like_json(text: str) -> bool:
    """Whether the text begins as a JSON object or array does."""
    return text[_skip(text, 0) :][:1] in ("{", "[")


def table_rows(text: str, delimiter: str, path: Path) -> list[tuple[int, list[str]]]:
    """The rows of a CSV text with the line that each ends on; empty rows are left out."""
    # In tab-separated files a quotation mark is a letter like any other.
    has_loose_quote = delimiter == "\t" and text.count('"') % 2 == 1
    dialect = LooseTabs if has_loose_quote else csv.excel
    reader = csv.reader(io.StringIO(text, newline=""), dialect, delimiter=delimiter)
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((reader.line_num, row))
                check_count(len(rows), path)
    except csv.Error as error:
        raise ExampleError(f"{path}, line {reader.line_num}: not CSV ({error}).") from error
    return rows


def named_rows(rows: Sequence[tuple[int, list[str]]], path: Path) -> list[Record]:
    """Rows as dicts, by the names in the first row (lower case); missing cells are empty."""
    if not rows:
        return []
    (_, header), *rest = rows
    names = [name.strip().casefold() for name in header]
    if len(names) * len(rest) > MAX_CELLS:
        raise ExampleError(
            f"{path} has {len(names):,} columns and {len(rest):,} rows; at most {MAX_CELLS:,} cells are read. "
            "Split it, or take out columns that are not needed."
        )
    return [(line, dict(zip(names, [*row, *[""] * len(names)], strict=False))) for line, row in rest]


def check_count(count: int, path: Path) -> None:
    """Raises `ExampleError` for more records than a file may have."""
    if count > MAX_RECORDS:
        raise ExampleError(f"{path} has more than {MAX_RECORDS:,} records. Split it.")


def _check_values(text: str, path: Path) -> None:
    """Every value but the first follows a comma or an opening bracket, and counting these costs nothing."""
    if text.count(",") + text.count("[") + text.count("{") > MAX_VALUES:
        raise ExampleError(f"{path} holds more than {MAX_VALUES:,} values, as no chats do. Split it.")


def _check_end(text: str, position: int, path: Path) -> None:
    position = _skip(text, position)
    if position < len(text):
        raise ExampleError(f"{path}, line {_line(text, position)}: text after the end of the JSON array.")


def _not_json(error: Exception, line: int) -> tuple[int, str]:
    """The line and the reason to show for what cannot be decoded."""
    if isinstance(error, JSONDecodeError):
        return error.lineno, f"not JSON ({error.msg}, column {error.colno}). Repair or remove it."
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return line, f"cannot be read as JSON ({reason})."


def _next_element(text: str, position: int, path: Path) -> int:
    if text.startswith(",", position):
        return _skip(text, position + 1)
    if position < len(text) and text[position] != "]":
        line = _line(text, position)
        raise ExampleError(f"{path}, line {line}: not JSON (a comma is missing between two records).")
    return position


def _skip(text: str, position: int) -> int:
    match = SPACE.match(text, position)
    return match.end() if match else position


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
