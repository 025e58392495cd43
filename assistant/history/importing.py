"""Conversations of files into the store: all of a file or nothing, and what is there already only grows.

A conversation is known by its key, or by its content. Messages that a known one lacks are added as branches;
nothing that a person wrote, rated or corrected here is changed.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.history.conversations import ConversationStore
from assistant.history.message_rows import insert_message
from assistant.history.records import NewConversation, NewMessage
from assistant.history.titles import title_from
from tuning.data.storable import storable

LOCAL = "imprint:"  # how the keys of Imprint's own exports begin
Status = Literal["imported", "updated", "skipped"]
Node = tuple[int | None, str, str]  # a message by its parent, its role and its text


@dataclass(frozen=True)
class Imported:
    """What became of one conversation: new, grown, or there already."""

    id: int
    status: Status


def import_conversations(
    store: ConversationStore, conversations: Sequence[NewConversation]
) -> list[Imported]:
    """Store conversations in one transaction; those that are known are not stored twice. Raises ConversationError."""
    with store.transaction() as database:
        return [_import(store, database, conversation) for conversation in conversations]


def own_key(created: float | None, first: NewMessage | None) -> str:
    """The key of a conversation that Imprint exported: its moment, which is its own, and how it begins."""
    if created is None or first is None:
        return ""
    return f"{LOCAL}{created!r}:{_hash([first.role, storable(first.content)])}"


def _import(store: ConversationStore, database: sqlite3.Connection, new: NewConversation) -> Imported:
    key = storable(new.key) or _content_key(new)
    known = _known(database, key, new)
    if known is None:
        return Imported(_add(store, database, new, key), "imported")
    return Imported(known, "updated" if _grow(database, known, new) else "skipped")


def _known(database: sqlite3.Connection, key: str, new: NewConversation) -> int | None:
    """The conversation of this key, or the very one that was exported from this store."""
    row = database.execute(
        "SELECT id FROM conversations WHERE import_key = ? AND deleted IS NULL ORDER BY id DESC", (key,)
    ).fetchone()
    if row is None and key.startswith(LOCAL):
        first = new.messages[0]
        row = database.execute(
            "SELECT c.id FROM conversations c JOIN messages m ON m.conversation_id = c.id"
            " WHERE c.created = ? AND c.deleted IS NULL AND m.parent_id IS NULL AND m.role = ? AND m.content = ?",
            (new.created, first.role, storable(first.content)),
        ).fetchone()
    return None if row is None else row["id"]


def _add(store: ConversationStore, database: sqlite3.Connection, new: NewConversation, key: str) -> int:
    first_question = next((one.content for one in new.messages if one.role == "user"), "")
    title = new.title.strip() or title_from(first_question)
    conversation_id = store.create(title, source=new.source, created=new.created)
    database.execute("UPDATE conversations SET import_key = ? WHERE id = ?", (key, conversation_id))
    ids: dict[int | None, int | None] = {None: None}
    for position, parent in enumerate(new.parents):
        ids[position] = insert_message(database, conversation_id, ids[parent], new.messages[position])
    end = ids[new.active_length - 1] if new.active_length else None
    database.execute("UPDATE conversations SET active_message = ? WHERE id = ?", (end, conversation_id))
    return conversation_id


def _grow(database: sqlite3.Connection, conversation_id: int, new: NewConversation) -> bool:
    """Add what is missing; true where anything was."""
    rows = database.execute(
        "SELECT * FROM messages WHERE conversation_id = ? ORDER BY id", (conversation_id,)
    ).fetchall()
    known: dict[Node, list[sqlite3.Row]] = {}
    for row in reversed(rows):  # so that `pop` gives the oldest of equal ones first, as the file has them
        known.setdefault((row["parent_id"], row["role"], row["content"]), []).append(row)
    ids: dict[int | None, int | None] = {None: None}
    changed = False
    for position, parent in enumerate(new.parents):
        message = new.messages[position]
        node: Node = (ids[parent], message.role, storable(message.content))
        if same := known.get(node):
            row = same.pop()
            ids[position] = row["id"]
            changed |= _judge(database, row, message)
        else:
            ids[position] = insert_message(database, conversation_id, ids[parent], message)
            changed = True
    if changed:
        active = [ids[position] for position in range(new.active_length)]
        _show(database, conversation_id, active)
    return changed


def _judge(database: sqlite3.Connection, row: sqlite3.Row, message: NewMessage) -> bool:
    """Take over a rating or a correction where there is none here."""
    rating = row["rating"] or message.rating
    correction = row["correction"] or (storable(message.correction) if message.correction else None)
    if (rating, correction) == (row["rating"], row["correction"]):
        return False
    database.execute(
        "UPDATE messages SET rating = ?, correction = ? WHERE id = ?", (rating, correction, row["id"])
    )
    return True


def _show(database: sqlite3.Connection, conversation_id: int, active: Sequence[int | None]) -> None:
    """Let the branch of the file be shown where it goes on from what was shown; a branch made here stays."""
    shown = database.execute(
        "SELECT active_message FROM conversations WHERE id = ?", (conversation_id,)
    ).fetchone()["active_message"]
    end = active[-1] if active and (shown is None or shown in active) else shown
    database.execute(
        "UPDATE conversations SET active_message = ?, updated = ? WHERE id = ?",
        (end, time.time(), conversation_id),
    )


def _content_key(new: NewConversation) -> str:
    messages = [[one.role, one.content] for one in new.messages]
    return f"content:{_hash([new.title, new.created, messages, list(new.parents)])}"


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]
