"""JSON and JSON Lines → blocks: lists of records as tables, the rest by their keys as headings."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line, record

MAX_HEADINGS = 4
MAX_CELL_CHARACTERS = 200  # a value of more characters is a text and not a cell


def load_json(text: str) -> ParsedFile:
    """The blocks of one JSON value, or of one a line. Raises DocumentError when it is neither."""
    text = text.strip()
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except json.JSONDecodeError as error:
        if "\n" in text:
            return load_json_lines(text)
        raise DocumentError(f"it is not valid JSON ({error})") from error
    return _draft(value)


def load_json_lines(text: str) -> ParsedFile:
    """The blocks of JSON Lines; a broken line is left out and noted, unless more than half are."""
    values, broken = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            values.append(json.loads(line, parse_int=str, parse_float=str))
        except json.JSONDecodeError as error:
            broken.append((number, error))
    if len(broken) > len(values):
        number, reason = broken[0]
        raise DocumentError(f"it is neither JSON nor JSON Lines (line {number}: {reason})")
    parsed = _draft(values)
    notes = (f"{len(broken)} lines are not valid JSON, the first is line {broken[0][0]}",) if broken else ()
    return ParsedFile(parsed.title, parsed.blocks, notes)


def _draft(value: Any) -> ParsedFile:
    title = value.get("title") if isinstance(value, Mapping) else ""
    blocks = tuple(_blocks(value, 1))
    return ParsedFile(title if isinstance(title, str) else "", blocks)


def _blocks(value: Any, level: int) -> Iterator[Block]:
    if isinstance(value, Mapping):
        yield from _mapping(value, level)
    elif isinstance(value, list):
        yield from _list(value, level)
    elif text := _scalar(value):
        yield Block("text", text)


def _mapping(value: Mapping[str, Any], level: int) -> Iterator[Block]:
    short = [(key, _scalar(item)) for key, item in value.items() if _is_short(item)]
    if line := record(short):
        yield Block("table", line)
    for key, item in value.items():
        if _is_short(item) or item in ({}, []):
            continue
        if level <= MAX_HEADINGS and (name := one_line(key)):
            yield Block("heading", name, level=level)
            yield from _blocks(item, level + 1)
        else:
            yield Block("text", "\n".join(_flat(key, item)))


def _list(values: Sequence[Any], level: int) -> Iterator[Block]:
    """Records without long texts are rows of a table; others stand one after the other."""
    values = [_flattened(value) if isinstance(value, Mapping) else value for value in values]
    if all(isinstance(value, Mapping) and all(_is_cell(item) for item in value.values()) for value in values):
        rows = [record((key, _cell(item)) for key, item in value.items()) for value in values]
        yield Block("table", "\n".join(row for row in rows if row))
    elif all(_is_short(value) for value in values):
        yield Block("text", "\n".join(f"- {_scalar(value)}" for value in values))
    else:
        for value in values:
            if isinstance(value, Mapping):
                yield from _record_with_text(value)
            else:
                yield from _blocks(value, level)


def _flattened(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record with the short values of records in it as its own: {"size": {"length": 9}} → {"size.length": 9}."""
    inner = {key: item for key, item in value.items() if isinstance(item, Mapping) and item}
    if not inner or not all(_is_cell(one) for item in inner.values() for one in item.values()):
        return value
    pairs = ((key, inner.get(key, {"": item})) for key, item in value.items())
    return {f"{key}.{name}" if name else key: one for key, item in pairs for name, one in item.items()}


def _record_with_text(value: Mapping[str, Any]) -> Iterator[Block]:
    """The short values of a record as one row, then its long texts."""
    if line := record((key, _cell(item)) for key, item in value.items() if _is_cell(item)):
        yield Block("table", line)
    for key, item in value.items():
        if isinstance(item, str) and not _is_cell(item):
            yield Block("text", f"{key}: {item}")
        elif not _is_cell(item):
            yield Block("text", "\n".join(_flat(key, item)))


def _flat(path: str, value: Any) -> Iterator[str]:
    """Every value inside on a line of its own, behind the keys that lead to it."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(f"{path}.{key}", item)
    elif isinstance(value, list):
        for item in value:
            yield from _flat(path, item)
    elif text := _scalar(value):
        yield f"{path}: {text}"


def _is_short(value: Any) -> bool:
    return not isinstance(value, Mapping | list) and len(_scalar(value)) <= MAX_CELL_CHARACTERS


def _is_cell(value: Any) -> bool:
    return _is_short(value) or (isinstance(value, list) and all(map(_is_short, value)) and len(value) <= 20)


def _cell(value: Any) -> str:
    return (
        ", ".join(one_line(_scalar(item)) for item in value)
        if isinstance(value, list)
        else one_line(_scalar(value))
    )


def _scalar(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
