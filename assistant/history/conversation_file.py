"""The file of conversations: it is opened and checked, its rows are read, and what is damaged or gone is said.

What is written into it stands in `messages.py` and `conversations.py`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from assistant.errors import ConversationError
from assistant.history.database import Database
from assistant.history.labels import Labels, no_conversation
from assistant.history.message_rows import DAMAGE
from assistant.history.migrations import MIGRATIONS
from knowledge.errors import MEND

# What is read by name.
_COLUMNS = {
    "conversations": "id, title, created, updated, deleted, source, active_message, import_key, choices, pinned,"
    " archived",
    "tags": "conversation_id, name",
    "messages": "id, conversation_id, parent_id, role, content, created, status, writer, rating, correction, memory,"
    " checkpoint, sources, prompt_tokens, completion_tokens, seconds, seconds_to_first_token, ending, thoughts,"
    " engine",
}


class ConversationFile:
    """One SQLite file that several tabs and processes may use at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = Database(path, MIGRATIONS)
        self._read, self._write = self._database.read, self._database.write
        self._snapshot = self._database.snapshot
        self.labels = Labels(self._database)
        self._check_columns()

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """A block whose writes are kept together or not at all."""
        return self._write()

    def close(self) -> None:
        """Close the connections of every thread."""
        self._database.close()

    def _check_columns(self) -> None:
        """Raise ConversationError where a damaged byte changed the name of a column."""
        for table, columns in _COLUMNS.items():
            self._read(f"SELECT {columns} FROM {table} LIMIT 0")

    @contextmanager
    def _damage_said(self) -> Iterator[None]:
        """A row that is none of this schema is an error with a sentence: a damaged byte may change even its names."""
        try:
            yield
        except DAMAGE as error:
            raise ConversationError(
                f"The conversations in {self.path} are damaged ({error}). {MEND}"
            ) from error

    def _conversation(self, conversation_id: int) -> sqlite3.Row:
        rows = self._read("SELECT * FROM conversations WHERE id = ? AND deleted IS NULL", (conversation_id,))
        if not rows:
            raise no_conversation(conversation_id)
        return rows[0]

    def _message_row(self, message_id: int) -> sqlite3.Row:
        rows = self._read("SELECT * FROM messages WHERE id = ?", (message_id,))
        if not rows:
            raise no_message(message_id)
        return rows[0]


def no_message(message_id: int) -> ConversationError:
    """What is raised where there is none of this number."""
    return ConversationError(f"There is no message {message_id}; its conversation may have been deleted.")
