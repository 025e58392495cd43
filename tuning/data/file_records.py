"""Bytes → text, its encoding detected → records with line numbers (JSON, JSON Lines, CSV)."""

import csv
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any

from tuning.errors import ExampleError

MAX_BYTES = 1 << 30
DELIMITERS = (",", "\t", ";", "|")
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")  # occurs in no text, soon in anything else
CONVERSATIONS = re.compile(r"(^|/)conversations[^/]*\.json$")
SPACE = re.compile(r"[\s\ufeff]*")

Record = tuple[int, Any]  # the line it begins on, and a JSON value or a row as a dict


class LooseTabs(csv.excel_tab):
    """Tab-separated text whose quotation marks mean nothing."""

    quoting = csv.QUOTE_NONE


def texts(path: Path) -> list[tuple[Path, str]]:
    """The text of a file, or of each conversations file in an archive like ChatGPT's export, by name.

    UTF-8, UTF-16, UTF-32, GB18030 and Windows-1252 are detected from the bytes.
    """
    data = _bytes(path)
    if not data.startswith(b"PK\x03\x04"):
        return [(path, decoded(data, path))]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [m for m in archive.infolist() if CONVERSATIONS.search(m.filename)]
            if sum(m.file_size for m in members) > MAX_BYTES:
                raise ExampleError(
                    f"{path} unpacks to more than {MAX_BYTES >> 30} GiB, which is not imported."
                )
            found = [(path / m.filename, archive.read(m)) for m in members]
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise ExampleError(
            f"{path} is an archive that cannot be unpacked ({error}). Unpack it yourself."
        ) from error
    if not found:
        raise ExampleError(
            f"{path} is an archive without a conversations.json. Unpack it and choose a file in it."
        )
    return [(name, decoded(content, name)) for name, content in found]


def _bytes(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ExampleError(
                f"{path} has {size / 1e9:.1f} GB; at most {MAX_BYTES >> 30} GiB can be imported. Split it."
            )
        data = path.read_bytes()
    except OSError as error:
        raise ExampleError(f"Cannot read {path}: {error.strerror or error}.") from error
    if not data.strip():
        raise ExampleError(f"{path} is empty.")
    return data


def decoded(data: bytes, path: Path) -> str:
    """The text of `data`; raises `ExampleError` where it is no text."""
    candidates = [json.detect_encoding(data), "gb18030", "cp1252"]
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if CONTROL.search(text[:100_000]) or (encoding == "gb18030" and not _looks_chinese(text)):
            continue
        return text.lstrip("\ufeff")
    raise ExampleError(f"{path} is no text file: it is neither UTF-8, UTF-16 nor GB18030.")


def json_records(text: str, path: Path) -> Iterator[Record]:
    """The elements of a JSON array, or values that follow one another (JSON Lines, or printed over lines)."""
    decoder = JSONDecoder()
    position = _skip(text, 0)
    in_array = text.startswith("[", position)
    position = _skip(text, position + 1) if in_array else position
    line, counted = 1, 0
    while position < len(text):
        if in_array and text[position] == "]":
            position = _skip(text, position + 1)
            in_array = False
            if position < len(text):
                raise ExampleError(
                    f"{path}, line {_line(text, position)}: text after the end of the JSON array."
                )
            return
        line, counted = line + text.count("\n", counted, position), position
        try:
            value, position = decoder.raw_decode(text, position)
        except JSONDecodeError as error:
            where = f"{path}, line {error.lineno}"
            raise ExampleError(
                f"{where}: not JSON ({error.msg}, column {error.colno}). Repair or remove it."
            ) from error
        except (ValueError, RecursionError) as error:
            raise ExampleError(f"{path}, line {line}: cannot be read as JSON ({error}).") from error
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
    except csv.Error as error:
        raise ExampleError(f"{path}, line {reader.line_num}: not CSV ({error}).") from error
    return rows


def named_rows(rows: Sequence[tuple[int, list[str]]]) -> list[Record]:
    """Rows as dicts, by the names in the first row (lower case); missing cells are empty."""
    if not rows:
        return []
    (_, header), *rest = rows
    names = [name.strip().casefold() for name in header]
    return [(line, dict(zip(names, [*row, *[""] * len(names)], strict=False))) for line, row in rest]


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


def _looks_chinese(text: str) -> bool:
    foreign = [c for c in text[:100_000] if ord(c) > 127]
    common = sum(
        "\u4e00" <= c <= "\u9fff" or "\u3000" <= c <= "\u303f" or "\uff00" <= c <= "\uffef" for c in foreign
    )
    return common >= 0.9 * len(foreign)
