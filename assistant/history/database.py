"""One SQLite file for many threads and processes. It knows no tables."""

import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assistant.errors import ConversationError


class _Connection:
    """A thread's own connection; closes with the thread."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def __del__(self) -> None:
        self.database.close()


class Database:
    """A connection a thread, opened when first needed; failures are ConversationErrors naming the file."""

    def __init__(self, path: Path, migrations: Sequence[str]) -> None:
        self.path = path
        self._local = threading.local()
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._migrate(migrations)

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """The rows of a query."""
        with self._told():
            return self._connected().execute(statement, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction that has the right to write from its start, so that it never fails half-way."""
        with self._told():
            database = self._connected()
            if database.in_transaction:  # part of a larger one
                yield database
                return
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
            except BaseException:
                if database.in_transaction:  # a full disk has rolled back already
                    database.execute("ROLLBACK")
                raise
            database.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            raise ConversationError(
                f"The conversations in {self.path} cannot be read or written: {problem}. "
                "Free some disk space, close other programs that use the file, or restore it from a copy."
            ) from problem

    def _connected(self) -> sqlite3.Connection:
        held: _Connection | None = getattr(self._local, "connection", None)
        if held is None:
            database = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            database.row_factory = sqlite3.Row
            held = self._local.connection = _Connection(database)
            self._open.add(held)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA foreign_keys = ON")
        return held.database

    def _migrate(self, migrations: Sequence[str]) -> None:
        with self.write() as database:
            done = database.execute("PRAGMA user_version").fetchone()[0]
            if done > len(migrations):
                raise ConversationError(
                    f"{self.path} was written by a newer Imprint (format {done}, known here up to "
                    f"{len(migrations)}). Update Imprint, or choose another folder with IMPRINT_HOME."
                )
            for number, script in enumerate(migrations[done:], done + 1):
                for statement in script.split(";"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {number}")

    def close(self) -> None:
        """Close the connections of every thread; the next call opens one anew."""
        for connection in tuple(self._open):
            connection.database.close()
        self._local = threading.local()
