"""What the store of conversations hands out: messages, conversations, lines of the list, votes."""

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import psutil

from assistant.history.sources import Source
from tuning.data.examples import Message


@dataclass(frozen=True)
class StoredMessage:
    """One message as kept: what was said, how it was answered and what a person thought of it."""

    id: int
    conversation_id: int
    parent_id: int | None
    role: str
    content: str
    created: float
    status: str = "complete"
    rating: int = 0
    correction: str | None = None
    memory: str = ""
    checkpoint: str | None = None
    sources: tuple[Source, ...] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    seconds_to_first_token: float | None = None
    # How many messages stand at this place (this one included), and which of them this is, from 1.
    alternatives: int = 1
    alternative: int = 1

    def to_message(self) -> Message:
        """The plain message; what a person corrected counts instead of what the model said."""
        return {"role": self.role, "content": self.correction or self.content}


@dataclass(frozen=True)
class ConversationInfo:
    """A line in the list of conversations."""

    id: int
    title: str
    created: float
    updated: float
    message_count: int
    # Where a search matched, with a little text around it.
    excerpt: str = ""
    source: str = ""


@dataclass(frozen=True)
class StoredConversation:
    """A conversation with the messages of its active branch, oldest first."""

    id: int
    title: str
    created: float
    updated: float
    messages: tuple[StoredMessage, ...] = ()
    source: str = ""


@dataclass(frozen=True)
class StoredPreference:
    """Two answers to one prompt, of which a person preferred one; arms name what wrote them."""

    id: int
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    chosen_arm: str
    rejected_arm: str
    created: float


def message_of(row: sqlite3.Row, alternatives: int, alternative: int) -> StoredMessage:
    """A message; one that was streaming when its process died is stopped, with the text it had."""
    values = dict(row)
    writer = values.pop("writer")
    if values["status"] == "streaming" and not _is_alive(writer):
        values["status"] = "stopped"
    values["sources"] = tuple(Source.from_dict(one) for one in json.loads(values["sources"]))
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
