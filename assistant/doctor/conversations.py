"""The conversations file: whether every row can be read, and a new file out of what can."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from assistant.doctor.findings import Aside, Finding
from assistant.doctor.salvage import check_file, is_json_list, replace_database, salvage
from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.database import Database
from assistant.history.messages import ROLES, STATUSES
from assistant.history.migrations import MIGRATIONS

PART = "conversations"
# A message comes after its parent, in the same conversation; the end of the active branch is in it too.
_LOST_PARENT = (
    "parent_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages p WHERE p.id = messages.parent_id"
    " AND p.id < messages.id AND p.conversation_id = messages.conversation_id)"
)
_LOST_END = (
    "active_message IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = active_message"
    " AND m.conversation_id = conversations.id)"
)
# Rows that refer to others which are gone, in the order in which they have to go.
_ORPHANS = (
    "DELETE FROM tags WHERE conversation_id NOT IN (SELECT id FROM conversations)",
    f"UPDATE messages SET parent_id = NULL WHERE {_LOST_PARENT}",
    "UPDATE conversations SET active_message = (SELECT max(id) FROM messages m WHERE m.conversation_id ="
    f" conversations.id) WHERE {_LOST_END}",
    "DELETE FROM blind_questions WHERE trial NOT IN (SELECT id FROM blind_trials)",
    "DELETE FROM blind_answers WHERE trial NOT IN (SELECT id FROM blind_trials)",
    "DELETE FROM ballots WHERE trial NOT IN (SELECT id FROM blind_trials)",
    "UPDATE preferences SET ballot_id = NULL WHERE ballot_id NOT IN (SELECT id FROM ballots)",
)
# Columns that hold JSON lists, with what stands for one that cannot be read: None drops the row.
_LISTS = (
    ("messages", "sources", "[]"),
    ("preferences", "prompt", None),
    ("judgements", "prompt", None),
    ("blind_trials", "arms", None),
)


def examine_conversations(path: Path, aside: Aside) -> Iterator[Finding]:
    """The state of the file; nothing where there is none."""
    if not path.exists() or not path.stat().st_size:  # an empty file is a new one
        return
    problems = check_file(path)
    if not problems and (version := _version(path)) > len(MIGRATIONS):
        newer = f"{path} was written by a newer Imprint (format {version}): update Imprint"
        yield Finding(PART, path.name, "damaged", newer)
        return
    problems = problems or _unreadable(path)
    if problems:
        message = f"{path} is damaged ({problems[0]})"
        yield Finding(PART, path.name, "damaged", message, lambda: mend_conversations(path, aside))
    else:
        yield Finding(PART, path.name, "ok")


def mend_conversations(path: Path, aside: Aside) -> str:
    """Put what can be read into a new file. Raises ConversationError where nothing can."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    Database(new, MIGRATIONS).close()
    try:
        rows = salvage(path, new)
        with closing(sqlite3.connect(new)) as database:
            with database:
                _complete(database)
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (sqlite3.Error, UnicodeDecodeError) as error:  # SQLite quotes damaged names in its messages
        rows, reason = {}, str(error)
    else:
        reason = "no row of it can be read"
    if not any(rows.values()):
        new.unlink(missing_ok=True)
        copies = "the copies in database-copies, or a backup (`imprint restore FILE`)"
        raise ConversationError(f"{path} cannot be salvaged ({reason}). Look for {copies}.")
    kept = replace_database(path, new, aside)
    ConversationStore(path).close()
    counted = f"{rows.get('conversations', 0)} conversations and {rows.get('messages', 0)} messages"
    return f"{counted} were read out of {path.name} into a new file; the damaged one is {kept}"


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        version: int = database.execute("PRAGMA user_version").fetchone()[0]
    return version


def _unreadable(path: Path) -> list[str]:
    """Rows that SQLite can read and the stores cannot."""
    with closing(sqlite3.connect(path)) as database:
        tables = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
        if not {"conversations", "messages"} <= tables:
            return ["it holds no conversations, not even the tables for them"]
        problems = [
            f"a row of {row[0]} refers to nothing" for row in database.execute("PRAGMA foreign_key_check")
        ]
        for table, column, _ in _LISTS:
            if table in tables:
                values = database.execute(f"SELECT {column} FROM {table}")
                bad = sum(not isinstance(value, str) or not is_json_list(value) for (value,) in values)
                problems += [f"{bad} rows of {table} hold no {column}"] if bad else []
        odd = database.execute(
            "SELECT count(*) FROM messages WHERE typeof(created) NOT IN ('real', 'integer') OR typeof(content) !="
            f" 'text' OR role NOT IN ({_quoted(ROLES)}) OR status NOT IN ({_quoted(STATUSES)})"
        ).fetchone()[0]
        odd += database.execute(f"SELECT count(*) FROM messages WHERE {_LOST_PARENT}").fetchone()[0]
        odd += database.execute(f"SELECT count(*) FROM conversations WHERE {_LOST_END}").fetchone()[0]
    return [*problems, f"{odd} rows hold nonsense"] if odd else problems


def _complete(database: sqlite3.Connection) -> None:
    """Make the rows that were salvaged fit each other: no message is left out for want of its conversation."""
    for table, column, instead in _LISTS:
        for rowid, text in database.execute(f"SELECT rowid, {column} FROM {table}").fetchall():
            if not is_json_list(text):
                change = f"UPDATE {table} SET {column} = '{instead}'" if instead else f"DELETE FROM {table}"
                database.execute(f"{change} WHERE rowid = ?", (rowid,))
    database.execute(f"UPDATE messages SET status = 'stopped' WHERE status NOT IN ({_quoted(STATUSES)})")
    database.execute(f"UPDATE messages SET role = 'assistant' WHERE role NOT IN ({_quoted(ROLES)})")
    lost = database.execute(
        "SELECT conversation_id, max(id) FROM messages WHERE conversation_id NOT IN (SELECT id FROM conversations)"
        " GROUP BY conversation_id"
    ).fetchall()
    now = time.time()
    database.executemany(
        "INSERT INTO conversations (id, title, created, updated, active_message) VALUES (?, 'Recovered', ?, ?, ?)",
        [(conversation, now, now, message) for conversation, message in lost],
    )
    for statement in _ORPHANS:
        database.execute(statement)


def _quoted(words: tuple[str, ...]) -> str:
    return ", ".join(f"'{word}'" for word in words)
