"""The store of conversations: one SQLite file that several tabs and processes may use at once.

A conversation is a tree of messages: regenerating an answer or editing a question adds a branch beside the
old one, and the active branch is what is shown and sent. It knows no model, no page and no passage format.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import ConversationError
from assistant.history import transfer
from assistant.history.database import Database
from assistant.history.migrations import MIGRATIONS
from assistant.history.records import (
    ConversationInfo,
    StoredConversation,
    StoredMessage,
    StoredPreference,
    info_of,
    message_of,
    messages_of,
    this_process,
)
from assistant.history.sources import Source
from tuning.data.examples import Message

if TYPE_CHECKING:
    from tuning.data.formats import ImportedConversation

# The store has a method called `list`, which hides the type inside it.
Strings = list[str]
Values = list[Any]
Rows = list[sqlite3.Row]
Infos = list[ConversationInfo]
Messages = list[StoredMessage]
Preferences = list[StoredPreference]

STATUSES = ("streaming", "complete", "stopped", "failed")
ROLES = ("system", "user", "assistant")
_TITLE_LENGTH = 60


class ConversationStore:
    """All conversations in one file. Methods raise ConversationError where the thing named is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._database = Database(path, MIGRATIONS)
        self._read, self._write = self._database.read, self._database.write
        self.purge()

    # ---- conversations

    def create(self, title: str = "", *, source: str = "", created: float | None = None) -> int:
        """A new empty conversation; without a title it takes one from its first question. Returns its id."""
        now = created or time.time()
        with self._write() as database:
            cursor = database.execute(
                "INSERT INTO conversations (title, created, updated, source) VALUES (?, ?, ?, ?)",
                (title.strip(), now, now, source),
            )
        return _row_id(cursor)

    def list(self, search: str = "", *, limit: int = 200, offset: int = 0) -> Infos:
        """Newest first; with `search`, those whose title or messages contain every word of it."""
        words = search.split()
        where: Strings = ["c.deleted IS NULL"]
        values: Values = []
        for word in words:
            where.append(
                "(c.title LIKE ? ESCAPE '\\' OR EXISTS (SELECT 1 FROM messages m"
                " WHERE m.conversation_id = c.id AND (m.content LIKE ? ESCAPE '\\'"
                " OR m.correction LIKE ? ESCAPE '\\')))"
            )
            values += [_pattern(word)] * 3
        rows = self._read(
            "SELECT c.*, (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id) AS message_count"
            f" FROM conversations c WHERE {' AND '.join(where)}"
            " ORDER BY c.updated DESC, c.id DESC LIMIT ? OFFSET ?",
            (*values, limit, offset),
        )
        return [info_of(row, self._excerpt(row["id"], words)) for row in rows]

    def get(self, conversation_id: int) -> StoredConversation:
        """The conversation with its active branch."""
        row = self._conversation(conversation_id)
        return StoredConversation(
            id=row["id"],
            title=row["title"],
            created=row["created"],
            updated=row["updated"],
            messages=self._branch(conversation_id, row["active_message"]),
            source=row["source"],
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
                "UPDATE conversations SET title = ? WHERE id = ?", (title.strip(), conversation_id)
            )

    def delete(self, conversation_id: int) -> None:
        """Take it out of the list; `restore` brings it back until `purge`."""
        with self._write() as database:
            self._conversation(conversation_id)
            database.execute(
                "UPDATE conversations SET deleted = ? WHERE id = ?", (time.time(), conversation_id)
            )

    def restore(self, conversation_id: int) -> None:
        """Undo `delete`."""
        with self._write() as database:
            done = database.execute(
                "UPDATE conversations SET deleted = NULL WHERE id = ?", (conversation_id,)
            )
            if not done.rowcount:
                raise _no_conversation(conversation_id)

    def purge(self, older_than_seconds: float = 30 * 24 * 3600) -> int:
        """Remove for good what was deleted longer ago than this; returns how many conversations."""
        with self._write() as database:
            return database.execute(
                "DELETE FROM conversations WHERE deleted < ?", (time.time() - older_than_seconds,)
            ).rowcount

    def export(self, conversation_id: int, form: str = "json") -> str:
        """The conversation as text: "json" with every branch and rating, or "md" to read."""
        _check(form, transfer.FORMATS, "form of an export")
        conversation = self.get(conversation_id)
        if form == "md":
            return transfer.to_markdown(conversation)
        return transfer.to_json(conversation, self.all_messages(conversation_id))

    def import_json(self, text: str, *, source: str = "") -> int:
        """Store what `export` wrote, or any JSON with "messages" of role, content, rating, correction."""
        record = transfer.read_json(text)
        created = record.get("created")
        with self._write() as database:
            conversation_id = self.create(
                str(record.get("title") or ""),
                source=str(record.get("source") or source),
                created=created if isinstance(created, int | float) else None,
            )
            new_ids: dict[Any, int] = {}
            end = None
            for message in record["messages"]:
                end = self._import_message(database, conversation_id, message, end)
                new_ids[message.get("id")] = end
            for message in record.get("other_branches", ()):
                parent = new_ids.get(message.get("parent")) if message.get("parent") is not None else None
                new_ids[message.get("id")] = self._import_message(database, conversation_id, message, parent)
            self._activate(database, conversation_id, end)
            self._title_from_first_question(database, conversation_id)
        return conversation_id

    def import_conversation(self, conversation: "ImportedConversation") -> int:
        """Store a conversation that `tuning.data.importers` read from another program; returns its id."""
        record = {
            "title": conversation.title,
            "created": conversation.created,
            "messages": list(conversation.messages),
        }
        return self.import_json(json.dumps(record), source=conversation.source)

    # ---- messages

    def message(self, message_id: int) -> StoredMessage:
        """One message, on whichever branch it is."""
        row = self._message_row(message_id)
        siblings = [m.id for m in self.alternatives(message_id)]
        return message_of(row, len(siblings), siblings.index(message_id) + 1)

    def add_message(
        self,
        conversation_id: int,
        role: str,
        content: str,
        *,
        parent_id: int | None = None,
        status: str = "complete",
        memory: str = "",
        checkpoint: str | None = None,
        sources: Sequence[Source] = (),
        created: float | None = None,
    ) -> StoredMessage:
        """Add a message under `parent_id` (default: the active branch's end) and make it the active end."""
        _check(role, ROLES, "role")
        _check(status, STATUSES, "status")
        now = created or time.time()
        with self._write() as database:
            conversation = self._conversation(conversation_id)
            parent = conversation["active_message"] if parent_id is None else parent_id
            if parent is not None and self._message_row(parent)["conversation_id"] != conversation_id:
                raise ConversationError(f"Message {parent} is not part of conversation {conversation_id}.")
            message_id = self._insert(
                database, conversation_id, parent, role, content, now, status, memory, checkpoint, sources
            )
            title = conversation["title"] or (title_from(content) if role == "user" else "")
            database.execute(
                "UPDATE conversations SET active_message = ?, updated = ?, title = ? WHERE id = ?",
                (message_id, now, title, conversation_id),
            )
        return self.message(message_id)

    def update_message(
        self,
        message_id: int,
        *,
        content: str | None = None,
        status: str | None = None,
        sources: Sequence[Source] | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        seconds: float | None = None,
        seconds_to_first_token: float | None = None,
    ) -> None:
        """Write what is known so far of an answer; what is not named stays. Made to be called often."""
        if status is not None:
            _check(status, STATUSES, "status")
        values = {
            "content": content,
            "status": status,
            "sources": None if sources is None else _json([source.to_dict() for source in sources]),
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "seconds": seconds,
            "seconds_to_first_token": seconds_to_first_token,
        }
        self._set(message_id, {name: value for name, value in values.items() if value is not None})

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
        self._set(message_id, {"correction": (text or "").strip() or None})

    def truncate_from(self, message_id: int) -> None:
        """Let the active branch end before this message: what is added next is its alternative."""
        row = self._message_row(message_id)
        with self._write() as database:
            self._activate(database, row["conversation_id"], row["parent_id"])

    def alternatives(self, message_id: int) -> Messages:
        """All messages at the place of this one, oldest first: regenerated answers, edited questions."""
        row = self._message_row(message_id)
        rows = self._read(
            "SELECT * FROM messages WHERE conversation_id = ? AND parent_id IS ? ORDER BY id",
            (row["conversation_id"], row["parent_id"]),
        )
        return messages_of(rows)

    def select(self, message_id: int) -> None:
        """Show the branch through this message, to its newest end."""
        row = self._message_row(message_id)
        with self._write() as database:
            end = message_id
            while True:
                child = database.execute(
                    "SELECT max(id) FROM messages WHERE conversation_id = ? AND parent_id = ?",
                    (row["conversation_id"], end),
                ).fetchone()[0]
                if child is None:
                    break
                end = child
            self._activate(database, row["conversation_id"], end)

    # ---- preferences

    def add_preference(
        self,
        prompt: Sequence[Message],
        chosen: str,
        rejected: str,
        *,
        chosen_arm: str = "",
        rejected_arm: str = "",
    ) -> int:
        """Keep a vote between two answers to one prompt; returns its id."""
        with self._write() as database:
            cursor = database.execute(
                "INSERT INTO preferences (prompt, chosen, rejected, chosen_arm, rejected_arm, created)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (_json(list(prompt)), chosen, rejected, chosen_arm, rejected_arm, time.time()),
            )
        return _row_id(cursor)

    def preferences(self) -> Preferences:
        """All votes, oldest first."""
        rows = self._read("SELECT * FROM preferences ORDER BY id")
        return [StoredPreference(**{**dict(row), "prompt": tuple(json.loads(row["prompt"]))}) for row in rows]

    def close(self) -> None:
        """Close the connections of every thread."""
        self._database.close()

    # ---- inside

    def all_messages(self, conversation_id: int) -> Messages:
        """Every message of every branch, oldest first."""
        self._conversation(conversation_id)
        rows = self._read("SELECT * FROM messages WHERE conversation_id = ? ORDER BY id", (conversation_id,))
        return messages_of(rows)

    def _branch(self, conversation_id: int, end: int | None) -> tuple[StoredMessage, ...]:
        by_id = {message.id: message for message in self.all_messages(conversation_id)}
        branch: list[StoredMessage] = []
        while end is not None:
            branch.append(by_id[end])
            end = by_id[end].parent_id
        return tuple(reversed(branch))

    @staticmethod
    def _insert(
        database: sqlite3.Connection,
        conversation_id: int,
        parent: int | None,
        role: str,
        content: str,
        created: float,
        status: str,
        memory: str,
        checkpoint: str | None,
        sources: Sequence[Source],
    ) -> int:
        return _row_id(
            database.execute(
                "INSERT INTO messages (conversation_id, parent_id, role, content, created, status, writer,"
                " memory, checkpoint, sources) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    conversation_id,
                    parent,
                    role,
                    content,
                    created,
                    status,
                    this_process(),
                    memory,
                    checkpoint,
                    _json([source.to_dict() for source in sources]),
                ),
            )
        )

    def _import_message(
        self, database: sqlite3.Connection, conversation_id: int, record: dict[str, Any], parent: int | None
    ) -> int:
        created = record.get("created")
        status = record.get("status")
        message_id = self._insert(
            database,
            conversation_id,
            parent,
            record["role"],
            record["content"],
            created if isinstance(created, int | float) else time.time(),
            status if status in STATUSES and status != "streaming" else "complete",
            str(record.get("memory") or ""),
            record.get("checkpoint"),
            [Source.from_dict(source) for source in record.get("sources") or ()],
        )
        database.execute(
            "UPDATE messages SET rating = ?, correction = ? WHERE id = ?",
            (record.get("rating") or 0, record.get("correction") or None, message_id),
        )
        return message_id

    @staticmethod
    def _title_from_first_question(database: sqlite3.Connection, conversation_id: int) -> None:
        first = database.execute(
            "SELECT content FROM messages WHERE conversation_id = ? AND role = 'user' ORDER BY id LIMIT 1",
            (conversation_id,),
        ).fetchone()
        if first is not None:
            database.execute(
                "UPDATE conversations SET title = ? WHERE id = ? AND title = ''",
                (title_from(first["content"]), conversation_id),
            )

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
            raise _no_conversation(conversation_id)
        return rows[0]

    def _message_row(self, message_id: int) -> sqlite3.Row:
        rows = self._read("SELECT * FROM messages WHERE id = ?", (message_id,))
        if not rows:
            raise _no_message(message_id)
        return rows[0]

    def _excerpt(self, conversation_id: int, words: Sequence[str]) -> str:
        if not words:
            return ""
        rows = self._read(
            "SELECT content FROM messages WHERE conversation_id = ? AND content LIKE ? ESCAPE '\\'"
            " ORDER BY id LIMIT 1",
            (conversation_id, _pattern(words[0])),
        )
        return _around(rows[0]["content"], words[0]) if rows else ""


def title_from(question: str) -> str:
    """A title from the first question: its first line, shortened at a word."""
    line = next((line.strip() for line in question.splitlines() if line.strip()), "")
    line = " ".join(line.split())
    if len(line) <= _TITLE_LENGTH:
        return line
    cut = line[: _TITLE_LENGTH - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > _TITLE_LENGTH // 2 else cut).rstrip(" ,;:，；：") + "…"


def _pattern(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def _around(text: str, word: str, width: int = 40) -> str:
    found = max(0, text.lower().find(word.lower()))
    start, end = max(0, found - width), min(len(text), found + len(word) + width)
    inside = " ".join(text[start:end].split())
    return ("…" if start else "") + inside + ("…" if end < len(text) else "")


def _check(value: str, allowed: Sequence[str], name: str) -> None:
    if value not in allowed:
        raise ConversationError(
            f"The {name} of a message is one of {', '.join(allowed)}; {value!r} was given."
        )


def _no_conversation(conversation_id: int) -> ConversationError:
    return ConversationError(f"There is no conversation {conversation_id}; it may have been deleted.")


def _no_message(message_id: int) -> ConversationError:
    return ConversationError(f"There is no message {message_id}; its conversation may have been deleted.")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _row_id(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None  # every caller has just inserted a row
    return cursor.lastrowid
