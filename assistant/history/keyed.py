"""Conversations that another program knows by a name of its own."""

import time

from assistant.history.conversations import ConversationStore
from tuning.data.storable import storable


def keyed_conversation(store: ConversationStore, key: str, *, title: str = "") -> int:
    """The conversation of this key, or a new one of this title. Returns its id. Raises ConversationError."""
    key = storable(key)
    with store.transaction() as database:
        row = database.execute(
            "SELECT id FROM conversations WHERE import_key = ? AND deleted IS NULL ORDER BY id DESC", (key,)
        ).fetchone()
        if row is not None:
            return int(row["id"])
        id = store.create(title, source=key.partition(":")[0], created=time.time())
        database.execute("UPDATE conversations SET import_key = ? WHERE id = ?", (key, id))
        return id
