"""One SQLite file that many threads and processes read and write. It knows no tables."""

import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from assistant.errors import ConversationError
from knowledge.errors import database_problem, disk_problem

COPIES = "database-copies"  # a folder beside the file
KEPT_COPIES = 3
# One step of the schema: executes its statements inside the transaction it is given.
Migration = Callable[[sqlite3.Connection], None]


class _Connection:
    """The connection of one thread; it is closed when the thread ends."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self.database = database

    def __del__(self) -> None:
        self.database.close()


class Database:
    """One connection per thread, opened when first needed; failures are ConversationErrors naming the file.

    The file keeps the number of migrations it has been through in `PRAGMA user_version`.
    """

    def __init__(self, path: Path, migrations: Sequence[Migration]) -> None:
        self.path = path
        self._local = threading.local()
        self._open: weakref.WeakSet[_Connection] = weakref.WeakSet()
        with self._translate_errors():
            path.parent.mkdir(parents=True, exist_ok=True)
        self._migrate(migrations)

    def read(self, statement: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """The rows of a query."""
        with self._translate_errors():
            return self._connected().execute(statement, values).fetchall()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read in the block is of one moment, whatever others write meanwhile. Nothing is written in it."""
        with self._translate_errors():
            database = self._connected()
            if database.in_transaction:
                yield
                return
            database.execute("BEGIN")
            try:
                yield
            finally:
                if database.in_transaction:
                    database.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, committed at the end of the block and rolled back if anything in it fails.

        It takes the write lock at its start, so that it never fails half-way. A block inside another is part
        of the outer transaction.
        """
        with self._translate_errors():
            database = self._connected()
            if database.in_transaction:
                yield database
                return
            database.execute("BEGIN IMMEDIATE")
            try:
                yield database
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:  # SQLite rolls back by itself when the disk is full
                    database.execute("ROLLBACK")
                raise

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, UnicodeError) as problem:  # text that is not UTF-8 is damage too
            raise ConversationError(
                f"The conversations in {self.path} cannot be read or written: {database_problem(problem, self.path)}"
            ) from problem
        except OverflowError as problem:
            raise ConversationError(
                "A number larger than any conversation or message has was given."
            ) from problem
        except OSError as problem:
            raise ConversationError(
                f"The conversations in {self.path} cannot be kept: {disk_problem(problem)}"
            ) from problem

    def _connected(self) -> sqlite3.Connection:
        held: _Connection | None = getattr(self._local, "connection", None)
        if held is None:
            database = sqlite3.connect(self.path, timeout=10, isolation_level=None, check_same_thread=False)
            database.row_factory = sqlite3.Row
            # One damaged text must not keep the others of a query out.
            database.text_factory = lambda data: data.decode("utf-8", "replace")
            held = self._local.connection = _Connection(database)
            self._open.add(held)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA foreign_keys = ON")
        return held.database

    def _migrate(self, migrations: Sequence[Migration]) -> None:
        with self.write() as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version > len(migrations):
                raise ConversationError(
                    f"{self.path} was written by a newer Imprint (format {version}, and this one knows "
                    f"{len(migrations)}): update Imprint, or choose another folder with IMPRINT_HOME."
                )
            if 0 < version < len(migrations):
                keep_copy(self.path, version)
            for number, migrate in enumerate(migrations[version:], version + 1):
                migrate(database)
                database.execute(f"PRAGMA user_version = {number}")

    def close(self) -> None:
        """Close the connections of every thread; the next call opens one anew."""
        for connection in tuple(self._open):
            connection.database.close()
        self._local = threading.local()


def keep_copy(path: Path, version: int) -> Path:
    """Copy the file, as it was last committed, to `database-copies` beside it; the newest few stay there."""
    folder = path.parent / COPIES
    folder.mkdir(mode=0o700, exist_ok=True)
    target = folder / f"{path.stem}-version-{version}-{time.strftime('%Y%m%d-%H%M%S')}{path.suffix}"
    partial = target.with_name(f".{target.name}.part")
    with closing(sqlite3.connect(path, timeout=10)) as source, closing(sqlite3.connect(partial)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    partial.replace(target)
    for old in sorted(folder.glob(f"{path.stem}-version-*"), key=lambda one: one.stat().st_mtime)[
        :-KEPT_COPIES
    ]:
        old.unlink(missing_ok=True)
    return target


def inserted_id(cursor: sqlite3.Cursor) -> int:
    """The id of the row that an INSERT has just written."""
    assert cursor.lastrowid is not None
    return cursor.lastrowid
