"""Rows of the conversations file as records."""

import json
import os
import sqlite3
from collections.abc import Sequence
from functools import cache

import psutil

from assistant.history.records import ConversationInfo, StoredMessage


def message_of(row: sqlite3.Row, alternatives: int, alternative: int) -> StoredMessage:
    """A message; one that was streaming when its process died is stopped, with the text it had."""
    values = dict(row)
    writer = values.pop("writer")
    if values["status"] == "streaming" and not _is_alive(writer):
        values["status"] = "stopped"
    values["sources"] = tuple(json.loads(values["sources"]))
    return StoredMessage(**values, alternatives=alternatives, alternative=alternative)


def messages_of(rows: Sequence[sqlite3.Row]) -> list[StoredMessage]:
    """All messages of a conversation, each knowing which of its alternatives it is."""
    siblings: dict[int | None, list[int]] = {}
    for row in rows:
        siblings.setdefault(row["parent_id"], []).append(row["id"])
    places = {row_id: place for ids in siblings.values() for place, row_id in enumerate(ids, 1)}
    return [message_of(row, len(siblings[row["parent_id"]]), places[row["id"]]) for row in rows]


def info_of(row: sqlite3.Row, excerpt: str) -> ConversationInfo:
    """A line of the list."""
    return ConversationInfo(
        id=row["id"],
        title=row["title"],
        created=row["created"],
        updated=row["updated"],
        message_count=row["message_count"],
        excerpt=excerpt,
        source=row["source"],
    )


def this_process() -> str:
    """A name of this process that no later one has."""
    return _name_of(os.getpid())


@cache
def _name_of(number: int) -> str:
    return f"{number}:{psutil.Process(number).create_time():.2f}"


def _is_alive(writer: str) -> bool:
    """Whether the process that wrote this still runs; a later process with the same number does not count."""
    number, _, born = writer.partition(":")
    try:
        return f"{psutil.Process(int(number)).create_time():.2f}" == born
    except (psutil.Error, ValueError):
        return False
