"""Messages as rows of the database: how one is written, and what reading a damaged one raises."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from assistant.history.database import inserted_id
from assistant.history.records import NewMessage
from assistant.history.sources import Source
from assistant.history.writer import this_process
from tuning.data.storable import storable

# What a row raises that holds something else than was once written into it.
DAMAGE = (AttributeError, LookupError, TypeError, ValueError, OverflowError, RecursionError)


def insert_message(
    database: sqlite3.Connection, conversation_id: int, parent_id: int | None, message: NewMessage
) -> int:
    """Write a message under its parent; returns its id."""
    row: dict[str, Any] = {
        **vars(message),
        "sources": sources_json(message.sources),
        "conversation_id": conversation_id,
        "parent_id": parent_id,
        "writer": this_process(),
    }
    row = {name: storable(value) if isinstance(value, str) else value for name, value in row.items()}
    blanks = ", ".join(f":{name}" for name in row)
    return inserted_id(database.execute(f"INSERT INTO messages ({', '.join(row)}) VALUES ({blanks})", row))


def sources_json(sources: Sequence[Source]) -> str:
    """The column `sources` of a message."""
    return storable(json.dumps([source.to_dict() for source in sources], ensure_ascii=False))
