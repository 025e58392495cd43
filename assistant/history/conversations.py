"""The store of conversations: one SQLite file that several tabs and processes may use at once.

A conversation is a tree of messages: regenerating an answer or editing a question adds a branch beside the
old one, and the active branch is what is shown and sent to the model. It knows no model and no page.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Unpack

from assistant.errors import ConversationError
from assistant.history import labels
from assistant.history.database import Database, inserted_id
from assistant.history.labels import Labels, no_conversation
from assistant.history.message_rows import DAMAGE, insert_message, sources_json
from assistant.history.migrations import MIGRATIONS
from assistant.history.records import (
    ConversationInfo,
    MessageChanges,
    MessageDetails,
    NewMessage,
    StoredConversation,
    StoredMessage,
    choices_of,
    shown_time,
)
from assistant.history.search import condition, excerpt, pattern
from knowledge.errors import MEND
from tuning.data.storable import storable
from tuning.data.times import plausible_seconds

STATUSES = ("streaming", "complete", "stopped", "failed")
ROLES = ("system", "user", "assistant")
_TITLE_LENGTH = 60
# What the methods below read by name.
_COLUMNS = {
    "conversations": "id, title, created, updated, deleted, source, active_message, import_key, choices, pinned,"
    " archived",
    "tags": "conversation_id, name",
    "messages": "id, conversation_id, parent_id, role, content, created, status, writer, rating, correction, memory,"
    " checkpoint, sources, prompt_tokens, completion_tokens, seconds, seconds_to_first_token, ending, thoughts,"
    " engine",
}


_LISTED = (
    "SELECT c.*, (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id) AS message_count,"
    " (SELECT json_group_array(t.name) FROM tags t WHERE t.conversation_id = c.id) AS tags FROM conversations c"
)
# The source of conversations that no list shows, and how long one that was not erased is there.
TEMPORARY = "temporary"
TEMPORARY_SECONDS = 24 * 3600


class ConversationStore:
    """All conversations in one file. Methods raise ConversationError where the thing named is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = Database(path, MIGRATIONS)
        self._read, self._write = self._database.read, self._database.write
        self.labels = Labels(self._database)
        self._check_columns()
        self.purge()

    # ---- conversations

    def create(self, title: str = "", *, source: str = "", created: float | None = None) -> int:
        """A new empty conversation; without a title it takes one from its first question. Returns its id."""
        now = plausible_seconds(created) or time.time()
        with self._write() as database:
            cursor = database.execute(
                "INSERT INTO conversations (title, created, updated, source) VALUES (?, ?, ?, ?)",
                (storable(title).strip(), now, now, storable(source)),
            )
        return inserted_id(cursor)

    def list(
        self,
        search: str = "",
        *,
        limit: int = 200,
        offset: int = 0,
        archived: bool | None = None,
        tag: str = "",
    ) -> Sequence[ConversationInfo]:
        """Pinned ones first, then the newest; with `search`, those whose title or messages contain every word of it.

        `archived` takes those in the archive alone (True) or without them (False), `tag` those that have it.
        One in which nothing was asked yet is not listed.
        """
        words = search.split()
        where, values = condition(words)
        labelled, label_values = labels.condition(archived, tag)
        rows = self._read(
            f"{_LISTED} WHERE c.deleted IS NULL AND c.source != '{TEMPORARY}' AND {where} AND {labelled}"
            " AND EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id)"
            " ORDER BY c.pinned = 1 DESC, c.updated DESC, c.id DESC LIMIT ? OFFSET ?",
            (*values, *label_values, limit, offset),
        )
        with self._damage_said():
            return [ConversationInfo.from_row(row, self._excerpt(row["id"], words)) for row in rows]

    def deleted(self) -> Sequence[ConversationInfo]:
        """Those that `delete` took out of the list and `restore` brings back, the last one first."""
        rows = self._read(f"{_LISTED} WHERE c.deleted IS NOT NULL ORDER BY c.deleted DESC")
        with self._damage_said():
            return [ConversationInfo.from_row(row, "") for row in rows]

    def title(self, conversation_id: int) -> str:
        """The title alone, which is there also where the rest is damaged."""
        rows = self._read(
            "SELECT title FROM conversations WHERE id = ? AND deleted IS NULL", (conversation_id,)
        )
        if not rows:
            raise no_conversation(conversation_id)
        return str(rows[0]["title"])

    def get(self, conversation_id: int) -> StoredConversation:
        """The conversation with its active branch."""
        row = self._conversation(conversation_id)
        with self._damage_said():
            return StoredConversation(
                id=row["id"],
                title=str(row["title"]),
                created=shown_time(row["created"]),
                updated=shown_time(row["updated"]),
                messages=self._branch(conversation_id, row["active_message"]),
                source=str(row["source"]),
                choices=choices_of(row["choices"]),
                pinned=row["pinned"] == 1,
                archived=row["archived"] == 1,
                tags=self._tags(conversation_id),
            )

    def keep_choices(self, conversation_id: int, choices: Mapping[str, str]) -> None:
        """Keep what the next question is answered with; a conversation that is gone keeps nothing."""
        text = storable(json.dumps(dict(choices), ensure_ascii=False))
        with self._write() as database:
            database.execute("UPDATE conversations SET choices = ? WHERE id = ?", (text, conversation_id))

    def rename_choice(self, name: str, before: str, after: str) -> None:
        """Let every conversation that keeps this choice keep the other in its place."""
        path = f"$.{name}"
        with self._write() as database:
            database.execute(
                "UPDATE conversations SET choices = json_set(choices, ?, ?)"
                " WHERE json_valid(choices) AND json_extract(choices, ?) = ?",
                (path, after, path, before),
            )

    def pin(self, conversation_id: int, pinned: bool) -> None:
        """Keep it at the top of the list, or no longer."""
        with self._write() as database:
            self._conversation(conversation_id)
            database.execute(
                "UPDATE conversations SET pinned = ? WHERE id = ?", (int(pinned), conversation_id)
            )

    def rename(self, conversation_id: int, title: str) -> None:
        """Give it a title; an empty one is refused."""
        if not title.strip():
            raise ConversationError(
                f"Conversation {conversation_id} cannot have an empty title; type a few words."
            )
        with self._write() as database:
            self._conversation(conversation_id)
            database.execute(
                "UPDATE conversations SET title = ? WHERE id = ?", (storable(title).strip(), conversation_id)
            )

    def delete(self, conversation_id: int) -> None:
        """Take it out of the list; `restore` brings it back until `purge`. A damaged one goes too."""
        with self._write() as database:
            done = database.execute(
                "UPDATE conversations SET deleted = ? WHERE id = ? AND deleted IS NULL",
                (time.time(), conversation_id),
            )
            if not done.rowcount:
                raise no_conversation(conversation_id)

    def erase(self, conversation_id: int) -> None:
        """Remove it for good, at once; one that is gone is no mistake."""
        with self._write() as database:
            database.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def restore(self, conversation_id: int) -> None:
        """Undo `delete`."""
        with self._write() as database:
            done = database.execute(
                "UPDATE conversations SET deleted = NULL WHERE id = ?", (conversation_id,)
            )
            if not done.rowcount:
                raise no_conversation(conversation_id)

    def purge(self, older_than_seconds: float = 30 * 24 * 3600) -> int:
        """Remove for good what was deleted longer ago than this, and what was left a day ago temporary or empty.

        Returns how many conversations.
        """
        with self._write() as database:
            database.execute(
                "DELETE FROM conversations WHERE updated < ?2 AND (source = ?1"
                " OR NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = conversations.id))",
                (TEMPORARY, time.time() - TEMPORARY_SECONDS),
            )
            return database.execute(
                "DELETE FROM conversations WHERE deleted < ?", (time.time() - older_than_seconds,)
            ).rowcount

    # ---- messages

    def message(self, message_id: int) -> StoredMessage:
        """One message, on whichever branch it is."""
        row = self._message_row(message_id)
        siblings = [m.id for m in self.alternatives(message_id)]
        try:
            return StoredMessage.from_row(
                row, alternatives=len(siblings), alternative=siblings.index(message_id) + 1
            )
        except DAMAGE as error:
            raise _damaged(row["conversation_id"]) from error

    def add_message(
        self,
        conversation_id: int,
        role: str,
        content: str,
        *,
        parent_id: int | None = None,
        **details: Unpack[MessageDetails],
    ) -> StoredMessage:
        """Add a message under `parent_id` (default: the active branch's end) and make it the active end."""
        message = NewMessage(role=role, content=content, **details)
        _check(role, ROLES, "role")
        _check(message.status, STATUSES, "status")
        with self._write() as database:
            conversation = self._conversation(conversation_id)
            parent = conversation["active_message"] if parent_id is None else parent_id
            if parent is not None and self._message_row(parent)["conversation_id"] != conversation_id:
                raise ConversationError(f"Message {parent} is not part of conversation {conversation_id}.")
            message_id = insert_message(database, conversation_id, parent, message)
            title = conversation["title"] or (title_from(content) if role == "user" else "")
            database.execute(
                "UPDATE conversations SET active_message = ?, updated = ?, title = ? WHERE id = ?",
                (message_id, message.created, title, conversation_id),
            )
        return self.message(message_id)

    def update_message(self, message_id: int, **changes: Unpack[MessageChanges]) -> None:
        """Write what is known so far of an answer; fast enough to be called while it streams."""
        values: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
        if "status" in values:
            _check(values["status"], STATUSES, "status")
        for name in ("content", "thoughts"):
            if name in values:
                values[name] = storable(values[name])
        if "sources" in values:
            values["sources"] = sources_json(values["sources"])
        self._set(message_id, values)

    def rate(self, message_id: int, rating: int) -> None:
        """1 liked, -1 disliked, 0 neither."""
        if rating not in (1, 0, -1):
            raise ConversationError(
                f"A rating is 1, 0 or -1, and {rating!r} was given for message {message_id}."
            )
        self._set(message_id, {"rating": rating})

    def correct(self, message_id: int, text: str | None) -> None:
        """Keep what the answer should have been; empty text or None takes the correction back."""
        if self._message_row(message_id)["role"] != "assistant":
            raise ConversationError(
                f"Message {message_id} is not an answer; edit and resend a question instead."
            )
        self._set(message_id, {"correction": storable(text or "").strip() or None})

    def truncate_from(self, message_id: int) -> None:
        """Let the active branch end before this message: what is added next is its alternative."""
        row = self._message_row(message_id)
        with self._write() as database:
            self._activate(database, row["conversation_id"], row["parent_id"])

    def withdraw(self, message_id: int, end: int | None) -> None:
        """Remove a message that was just added, with what is below it, and show the branch to `end` again.

        A title that was taken from it goes too.
        """
        row = self._message_row(message_id)
        with self._write() as database:
            database.execute("DELETE FROM messages WHERE id = ?", (message_id,))
            self._activate(database, row["conversation_id"], end)
            database.execute(
                "UPDATE conversations SET title = '' WHERE id = ? AND title = ? AND active_message IS NULL",
                (row["conversation_id"], title_from(row["content"])),
            )

    def with_feedback(self) -> Sequence[int]:
        """The conversations that hold a thumb or a correction, on whichever branch, oldest first."""
        rows = self._read(
            "SELECT DISTINCT c.id FROM conversations c JOIN messages m ON m.conversation_id = c.id"
            " WHERE c.deleted IS NULL AND (m.rating != 0 OR m.correction IS NOT NULL) ORDER BY c.id"
        )
        return [row["id"] for row in rows]

    def all_messages(self, conversation_id: int) -> Sequence[StoredMessage]:
        """Every message of every branch, oldest first."""
        self._conversation(conversation_id)
        rows = self._read("SELECT * FROM messages WHERE conversation_id = ? ORDER BY id", (conversation_id,))
        with self._damage_said():
            return self._messages(rows)

    def alternatives(self, message_id: int) -> Sequence[StoredMessage]:
        """All messages with the same parent, oldest first: regenerated answers, edited questions."""
        row = self._message_row(message_id)
        rows = self._read(
            "SELECT * FROM messages WHERE conversation_id = ? AND parent_id IS ? ORDER BY id",
            (row["conversation_id"], row["parent_id"]),
        )
        with self._damage_said():
            return self._messages(rows)

    def select(self, message_id: int) -> None:
        """Show the branch through this message, to its newest end."""
        row = self._message_row(message_id)
        with self._write() as database:
            end, seen = message_id, {message_id}
            while True:
                child = database.execute(
                    "SELECT max(id) FROM messages WHERE conversation_id = ? AND parent_id = ?",
                    (row["conversation_id"], end),
                ).fetchone()[0]
                if child is None or child in seen:  # a damaged file may hold a circle
                    break
                seen.add(end := child)
            self._activate(database, row["conversation_id"], end)

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

    def _branch(self, conversation_id: int, end: int | None) -> tuple[StoredMessage, ...]:
        by_id = {message.id: message for message in self.all_messages(conversation_id)}
        branch: list[StoredMessage] = []
        while end is not None:
            if end not in by_id:  # it is not there, or was met before: a circle
                raise _damaged(conversation_id)
            branch.append(by_id.pop(end))
            end = branch[-1].parent_id
        return tuple(reversed(branch))

    @staticmethod
    def _messages(rows: Sequence[sqlite3.Row]) -> Sequence[StoredMessage]:
        try:
            return StoredMessage.from_rows(rows)
        except DAMAGE as error:
            raise _damaged(rows[0]["conversation_id"]) from error

    @staticmethod
    def _activate(database: sqlite3.Connection, conversation_id: int, message_id: int | None) -> None:
        database.execute(
            "UPDATE conversations SET active_message = ? WHERE id = ?", (message_id, conversation_id)
        )

    def _set(self, message_id: int, values: dict[str, Any]) -> None:
        if not values:
            return
        assignments = ", ".join(f"{name} = ?" for name in values)
        with self._write() as database:
            done = database.execute(
                f"UPDATE messages SET {assignments} WHERE id = ?", (*values.values(), message_id)
            )
            if not done.rowcount:
                raise _no_message(message_id)

    def _conversation(self, conversation_id: int) -> sqlite3.Row:
        rows = self._read("SELECT * FROM conversations WHERE id = ? AND deleted IS NULL", (conversation_id,))
        if not rows:
            raise no_conversation(conversation_id)
        return rows[0]

    def _message_row(self, message_id: int) -> sqlite3.Row:
        rows = self._read("SELECT * FROM messages WHERE id = ?", (message_id,))
        if not rows:
            raise _no_message(message_id)
        return rows[0]

    def _tags(self, conversation_id: int) -> tuple[str, ...]:
        rows = self._read(
            "SELECT name FROM tags WHERE conversation_id = ? ORDER BY rowid", (conversation_id,)
        )
        return tuple(str(row["name"]) for row in rows)

    def _excerpt(self, conversation_id: int, words: Sequence[str]) -> str:
        if not words:
            return ""
        rows = self._read(
            "SELECT content FROM messages WHERE conversation_id = ? AND content LIKE ? ESCAPE '\\'"
            " ORDER BY id LIMIT 1",
            (conversation_id, pattern(words[0])),
        )
        return excerpt(rows[0]["content"], words[0]) if rows else ""


def title_from(question: str) -> str:
    """A title from the first question: its first line, shortened at a word."""
    line = next((line.strip() for line in question.splitlines() if line.strip()), "")
    line = " ".join(line.split())
    if len(line) <= _TITLE_LENGTH:
        return line
    cut = line[: _TITLE_LENGTH - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > _TITLE_LENGTH // 2 else cut).rstrip(" ,;:，；：") + "…"


def _check(value: str, allowed: Sequence[str], name: str) -> None:
    if value not in allowed:
        raise ConversationError(
            f"The {name} of a message is one of {', '.join(allowed)}; {value!r} was given."
        )


def _no_message(message_id: int) -> ConversationError:
    return ConversationError(f"There is no message {message_id}; its conversation may have been deleted.")


def _damaged(conversation_id: int) -> ConversationError:
    return ConversationError(
        f"Conversation {conversation_id} is damaged and cannot be shown. {MEND} "
        f"`imprint chats delete {conversation_id}` removes it."
    )
