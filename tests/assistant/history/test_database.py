"""The SQLite file: a write is kept whole or not at all, and a failure names the file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import ConversationError
from assistant.history.database import Database


def create_tables(database: sqlite3.Connection) -> None:
    database.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
    # Deferred: a missing parent is found by COMMIT, not by INSERT.
    database.execute(
        "CREATE TABLE children (parent INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)"
    )


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    opened = Database(file, [create_tables])
    yield opened
    opened.close()


def seen_by_others(file: Path, table: str) -> int:
    other = sqlite3.connect(file)
    count: int = other.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    other.close()
    return count


def test_writes_after_a_failed_commit_are_kept(database: Database, file: Path) -> None:
    with pytest.raises(ConversationError, match="FOREIGN KEY"), database.write() as connection:
        connection.execute("INSERT INTO children VALUES (7)")
    with database.write() as connection:
        connection.execute("INSERT INTO parents VALUES (1)")
    assert (seen_by_others(file, "parents"), seen_by_others(file, "children")) == (1, 0)


def test_a_failure_in_an_inner_block_rolls_the_whole_transaction_back(database: Database, file: Path) -> None:
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute("INSERT INTO parents VALUES (1)")
        with database.write() as inner:
            inner.execute("INSERT INTO parents VALUES (2)")
            raise RuntimeError
    assert seen_by_others(file, "parents") == 0


def test_after_close_the_next_call_opens_the_file_anew(database: Database) -> None:
    database.close()
    assert database.read("SELECT * FROM parents") == []


def test_a_file_that_is_no_database_is_named(file: Path) -> None:
    file.write_text("not a database at all" * 100, encoding="utf-8")
    with pytest.raises(ConversationError, match=r"conversations\.sqlite3 cannot be read or written"):
        Database(file, [create_tables])


def test_a_file_of_a_newer_version_is_refused_and_not_touched(file: Path) -> None:
    Database(file, [create_tables]).close()
    with sqlite3.connect(file) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(ConversationError) as refused:
        Database(file, [create_tables])
    assert str(refused.value) == (
        f"{file} was written by a newer Imprint (format 99, and this one knows 1): "
        "update Imprint, or choose another folder with IMPRINT_HOME."
    )
    assert seen_by_others(file, "parents") == 0


def add_column(database: sqlite3.Connection) -> None:
    database.execute("ALTER TABLE parents ADD COLUMN name TEXT")


def test_a_copy_is_kept_before_each_change_of_the_schema_and_the_last_few_stay(file: Path) -> None:
    migrations = [create_tables]
    Database(file, migrations).close()
    with sqlite3.connect(file) as before:
        before.execute("INSERT INTO parents VALUES (7)")
    before.close()
    copies = file.parent / "database-copies"
    assert not copies.exists()  # a new file needs none
    for number in range(5):
        migrations.append(lambda database, number=number: database.execute(f"CREATE TABLE t{number} (x)"))  # type: ignore[misc]
        Database(file, migrations).close()
    kept = sorted(copies.iterdir())
    assert [path.name.split("-2")[0] for path in kept] == [f"conversations-version-{n}" for n in (3, 4, 5)]
    assert seen_by_others(kept[0], "parents") == 1
    assert seen_by_others(kept[0], "sqlite_master WHERE name LIKE 't_'") == 2


def test_a_failed_change_of_the_schema_leaves_the_file_as_it_was(file: Path) -> None:
    Database(file, [create_tables]).close()

    def fail(database: sqlite3.Connection) -> None:
        add_column(database)
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(ConversationError, match="disk I/O error"):
        Database(file, [create_tables, fail])
    Database(file, [create_tables, add_column]).close()
    assert seen_by_others(file, "parents WHERE name IS NULL") == 0
