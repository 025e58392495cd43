"""Rows out of a damaged SQLite file into a whole one with the same tables, as far as they can be read.

It knows no tables: columns are those of the new file, and values are brought to their types.
"""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.doctor.findings import Aside
from assistant.errors import AssistantError

# Row ids that are tried one by one where a page between two readable ones is damaged, and of them in vain.
_PROBES, _MISSES = 1_000_000, 2000
TIMEOUT_SECONDS = 10.0  # for a writer to end
SIDE_FILES = ("-wal", "-shm")


_NOT_THE_FILE = (
    *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY),
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM),
)


class CannotExamineError(AssistantError):
    """A file cannot be read now, for a reason that is not in the file."""


@dataclass(frozen=True)
class _Column:
    name: str
    kind: str  # as it was declared
    required: bool


def check_file(path: Path) -> list[str]:
    """What SQLite finds wrong with a file; empty where nothing is. It reads all of it.

    Opened for writing, since what a killed process left half-written is rolled back first.

    Raises CannotExamineError where it is not the file that is at fault.
    """
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=TIMEOUT_SECONDS)
        ) as database:
            found = [row[0] for row in database.execute("PRAGMA integrity_check(5)")]
            if found == ["ok"]:
                for table in _tables(database):
                    for _ in database.execute(f'SELECT * FROM "{table}"'):  # a text may be none
                        pass
    except (sqlite3.Error, UnicodeDecodeError) as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_THE_FILE:
            raise CannotExamineError(
                f"{path} cannot be examined ({error}): free some disk space, close what uses it, or check its rights"
            ) from error
        return [str(error)]
    return [] if found == ["ok"] else [str(one).splitlines()[-1] for one in found]


def salvage(source: Path, target: Path) -> dict[str, int]:
    """Copy what can be read of each table of `target`, which is empty, out of `source`; how many rows of each.

    Raises sqlite3.DatabaseError where nothing can be read at all.
    """
    with tempfile.TemporaryDirectory(prefix=".salvage-", dir=source.parent) as folder:
        copy = Path(folder) / source.name
        for suffix in ("", *SIDE_FILES):  # on a copy: reading may change a file with a write-ahead log
            if (side := source.with_name(source.name + suffix)).exists():
                shutil.copy2(side, copy.with_name(copy.name + suffix))
        with closing(sqlite3.connect(copy)) as old, closing(sqlite3.connect(target)) as new:
            old.text_factory = lambda data: data.decode("utf-8", "replace")
            old.execute(
                "PRAGMA writable_schema = ON"
            )  # a damaged definition hides its own table, and no other
            there = set(_tables(old))
            with new:
                return {table: _copy_table(old, new, table) for table in _tables(new) if table in there}


def replace_database(path: Path, new: Path, aside: Aside) -> Path:
    """Put the new file into the place of the damaged one, of which a copy is kept; returns that."""
    kept = aside.copy(path)
    for suffix in SIDE_FILES:
        side = path.with_name(path.name + suffix)
        if side.exists():
            aside.copy(side)
            side.unlink()  # it belongs to the old file, and SQLite would apply it to the new one
    new.replace(path)
    return kept


def _tables(database: sqlite3.Connection) -> list[str]:
    rows = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    return [row[0] for row in rows]


def _copy_table(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    columns = _columns(new, table)
    present = {column.name for column in _columns(old, table)}
    columns = [column for column in columns if column.name in present]
    names = ", ".join(f'"{column.name}"' for column in columns)
    places = ", ".join("?" * len(columns))
    before = new.total_changes
    for row in _rows(old, table, names):
        values = [_as(column, value) for column, value in zip(columns, row, strict=True)]
        try:
            new.execute(f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({places})', values)
        except sqlite3.Error:
            continue  # no row of this table: its columns lost what they must have
    return new.total_changes - before


def _columns(database: sqlite3.Connection, table: str) -> list[_Column]:
    rows = database.execute(f'PRAGMA table_info("{table}")')
    return [_Column(row[1], row[2].upper(), bool(row[3])) for row in rows]


def _rows(database: sqlite3.Connection, table: str, names: str) -> Iterator[tuple[Any, ...]]:
    """The rows from the front, from the back, and one by one: a damaged page ends the reading in one direction."""
    query = f'SELECT rowid, {names} FROM "{table}"'
    try:
        database.execute(f'SELECT rowid FROM "{table}" LIMIT 1')
    except sqlite3.OperationalError:  # WITHOUT ROWID
        yield from _readable(database, f'SELECT {names} FROM "{table}"')
        return
    seen: set[int] = set()
    for order in ("ORDER BY rowid", "ORDER BY rowid DESC"):
        for row in _readable(database, f"{query} {order}"):
            if row[0] not in seen:
                seen.add(row[0])
                yield row[1:]
    misses = 0
    for key in _gaps(seen):
        found = list(_readable(database, f"{query} WHERE rowid = {key}"))
        misses = 0 if found else misses + 1
        if misses > _MISSES:
            return
        yield from (row[1:] for row in found)


def _gaps(seen: set[int]) -> Iterator[int]:
    """Row ids up to the last that was read, and some beyond, that were not."""
    last = max((key for key in seen if key < _PROBES), default=0)
    return (key for key in range(1, last + _MISSES) if key not in seen)


def _readable(database: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    try:
        yield from database.execute(query)
    except sqlite3.Error:
        return


def _as(column: _Column, value: Any) -> Any:
    """A value of the column's type: a damaged byte may have made a number of a text."""
    if value is None:
        return None
    if column.kind in ("INTEGER", "REAL"):
        if not isinstance(value, int | float):
            return 0 if column.required else None
        return value
    if column.kind == "TEXT":
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        return text.replace("\0", "")
    return value


def is_json_list(text: str) -> bool:
    """Whether a text is a JSON list."""
    try:
        return isinstance(json.loads(text), list)
    except ValueError:
        return False
