"""The store of conversations: the list of them with its search and its bin, above the messages of each.

It knows no model and no page.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from assistant.errors import ConversationError
from assistant.history import labels
from assistant.history.database import inserted_id
from assistant.history.labels import no_conversation
from assistant.history.messages import MessageStore
from assistant.history.records import ConversationInfo, StoredConversation, choices_of, shown_time
from assistant.history.search import condition, excerpt, pattern
from tuning.data.storable import storable
from tuning.data.times import plausible_seconds

_LISTED = (
    "SELECT c.*, (SELECT count(*) FROM messages m WHERE m.conversation_id = c.id) AS message_count,"
    " (SELECT json_group_array(t.name) FROM tags t WHERE t.conversation_id = c.id) AS tags FROM conversations c"
)
# The source of conversations that no list shows, and how long one that was not erased is there.
TEMPORARY = "temporary"
TEMPORARY_SECONDS = 24 * 3600


class ConversationStore(MessageStore):
    """All conversations in one file. Methods raise ConversationError where the thing named is not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.purge()

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

    def with_feedback(self) -> Sequence[int]:
        """The conversations that hold a thumb or a correction, on whichever branch, oldest first."""
        rows = self._read(
            "SELECT DISTINCT c.id FROM conversations c JOIN messages m ON m.conversation_id = c.id"
            " WHERE c.deleted IS NULL AND (m.rating != 0 OR m.correction IS NOT NULL) ORDER BY c.id"
        )
        return [row["id"] for row in rows]

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
        with self._snapshot(), self._damage_said():
            row = self._conversation(conversation_id)
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
