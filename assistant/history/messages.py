"""The messages of conversations: a tree each, in which regenerating or editing adds a branch beside the old one.

The active branch is what is shown and sent to the model. Lists, titles and the bin stand in `conversations.py`.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Unpack

from assistant.errors import ConversationError
from assistant.history.conversation_file import ConversationFile, no_message
from assistant.history.message_rows import DAMAGE, insert_message, sources_json
from assistant.history.records import MessageChanges, MessageDetails, NewMessage, StoredMessage
from assistant.history.titles import title_from
from knowledge.errors import MEND
from tuning.data.storable import storable

STATUSES = ("streaming", "complete", "stopped", "failed")
ROLES = ("system", "user", "assistant")


class MessageStore(ConversationFile):
    """The messages of all conversations. Methods raise ConversationError where the thing named is not there."""

    def message(self, message_id: int) -> StoredMessage:
        """One message, on whichever branch it is."""
        with self._snapshot():
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
                raise no_message(message_id)


def _check(value: str, allowed: Sequence[str], name: str) -> None:
    if value not in allowed:
        raise ConversationError(
            f"The {name} of a message is one of {', '.join(allowed)}; {value!r} was given."
        )


def _damaged(conversation_id: int) -> ConversationError:
    return ConversationError(
        f"Conversation {conversation_id} is damaged and cannot be shown. {MEND} "
        f"`imprint chats delete {conversation_id}` removes it."
    )
