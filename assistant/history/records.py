"""The records of the history: what its stores return and take. It reads no file and no database."""

import json
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from assistant.history.sources import Source
from assistant.history.writer import is_alive
from tuning.data.examples import Message
from tuning.data.times import TOLERANCE_SECONDS, finite_number, plausible_seconds

# The columns of a message that hold text, those of them that may be empty, and those that hold a measured figure.
_TEXTS = (
    "role", "content", "status", "writer", "correction", "memory", "checkpoint", "sources", "ending", "thoughts",
    "engine",
)  # fmt: skip
# The `ending` of an answer that is a sentence of the documents.
VERBATIM = "verbatim"
# And of one that quotes them since a small model says less surely what stands there.
QUOTED = "quoted"
# Of one that a file said is not to be learned, though nobody disliked it; a thumb up undoes it.
CONTEXT = "context"
ENDINGS = ("length", "repeated", VERBATIM, QUOTED, CONTEXT)
_OPTIONAL = ("correction", "checkpoint")
_FIGURES, _COUNTS = ("seconds", "seconds_to_first_token"), ("prompt_tokens", "completion_tokens")


@dataclass(frozen=True)
class StoredMessage:
    """One message: its text, how it was generated, and the rating and correction that a person gave it."""

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
    # "length" where the answer was cut at its limit, "repeated" where it was stopped since it repeated itself,
    # "verbatim" where it is a sentence of the documents and no model was asked, "quoted" where a small one was and
    # says less surely what stands there, "context" where a file keeps it from being learned.
    ending: str = ""
    # The reasoning before the answer; it is shown and goes nowhere else.
    thoughts: str = ""
    # What computed it, as `Engine.label` says.
    engine: str = ""
    # How many messages have the same parent (this one included), and which of them this is, from 1.
    alternatives: int = 1
    alternative: int = 1

    @classmethod
    def from_row(cls, row: sqlite3.Row, *, alternatives: int, alternative: int) -> "StoredMessage":
        """A row of the table; an answer whose process died while it streamed is stopped.

        Figures of another kind than a number are left out; a text that is none raises TypeError.
        """
        values = dict(row)
        for name in _TEXTS:
            if not isinstance(values[name], str) and not (values[name] is None and name in _OPTIONAL):
                raise TypeError(f"{name} is no text")
        for name in _FIGURES:
            values[name] = finite_number(values[name])
        for name in _COUNTS:
            values[name] = values[name] if isinstance(values[name], int) else None
        writer = values.pop("writer")
        if values["status"] == "streaming" and not is_alive(writer):
            values["status"] = "stopped"
        values["sources"] = _sources(values["sources"])
        values["created"] = shown_time(values["created"])
        return cls(**values, alternatives=alternatives, alternative=alternative)

    @classmethod
    def from_rows(cls, rows: Sequence[sqlite3.Row]) -> "list[StoredMessage]":
        """All messages with some parents, so that each one's alternatives are among the rows."""
        siblings: dict[int | None, list[int]] = {}
        for row in rows:
            siblings.setdefault(row["parent_id"], []).append(row["id"])
        places = {row_id: place for ids in siblings.values() for place, row_id in enumerate(ids, 1)}
        return [
            cls.from_row(row, alternatives=len(siblings[row["parent_id"]]), alternative=places[row["id"]])
            for row in rows
        ]

    def to_message(self) -> Message:
        """The message for a prompt; a correction replaces what the model said."""
        return {"role": self.role, "content": self.correction or self.content}


def _sources(text: str) -> tuple[Source, ...]:
    """The sources of a stored message; none where the file was damaged there, which costs nobody the text."""
    try:
        return tuple(Source.from_dict(one) for one in json.loads(text))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return ()


@dataclass(frozen=True)
class ConversationInfo:
    """An entry in the list of conversations."""

    id: int
    title: str
    created: float
    updated: float
    message_count: int
    # Where a search matched, with a little text around it.
    excerpt: str = ""
    source: str = ""
    pinned: bool = False
    archived: bool = False
    tags: tuple[str, ...] = ()

    @classmethod
    def from_row(cls, row: sqlite3.Row, excerpt: str) -> "ConversationInfo":
        """A row of the table, joined with its `message_count` and, as JSON, its `tags`."""
        return cls(
            id=row["id"],
            title=str(row["title"]),
            created=shown_time(row["created"]),
            updated=shown_time(row["updated"]),
            message_count=row["message_count"],
            source=str(row["source"]),
            excerpt=excerpt,
            pinned=row["pinned"] == 1,
            archived=row["archived"] == 1,
            tags=tuple(map(str, json.loads(row["tags"]))),
        )


@dataclass(frozen=True)
class StoredConversation:
    """A conversation with the messages of its active branch, oldest first."""

    id: int
    title: str
    created: float
    updated: float
    messages: tuple[StoredMessage, ...] = ()
    source: str = ""
    # What its next question is answered with (memory, knowledge base, checkpoint …), by the names of the page.
    choices: Mapping[str, str] = field(default_factory=dict)
    pinned: bool = False
    archived: bool = False
    tags: tuple[str, ...] = ()


def choices_of(text: object) -> dict[str, str]:
    """The choices of a stored conversation; none where they cannot be read, which costs nobody the text."""
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, str)}


@dataclass(frozen=True)
class StoredPreference:
    """Two answers to one prompt, of which a person preferred one; the arms name the variants that wrote them."""

    id: int
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    chosen_arm: str
    rejected_arm: str
    created: float
    # The ballot of a blind trial whose vote this is; None for a vote made elsewhere.
    ballot_id: int | None = None
    # The file that it was imported from; "" for a vote.
    source: str = ""

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "StoredPreference":
        """A row of the table."""
        return cls(**{**dict(row), "prompt": tuple(json.loads(row["prompt"]))})


@dataclass(frozen=True)
class StoredJudgement:
    """An answer that somebody called good or bad, imported from a file; thumbs stay with their messages."""

    id: int
    prompt: tuple[Message, ...]
    completion: str
    good: bool
    source: str
    created: float

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "StoredJudgement":
        """A row of the table."""
        return cls(**{**dict(row), "prompt": tuple(json.loads(row["prompt"])), "good": bool(row["good"])})


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A message to be stored."""

    role: str
    content: str
    created: float = field(default_factory=time.time)
    status: str = "complete"
    rating: int = 0
    correction: str | None = None
    memory: str = ""
    checkpoint: str | None = None
    sources: Sequence[Source] = ()
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    seconds: float | None = None
    seconds_to_first_token: float | None = None
    ending: str = ""
    thoughts: str = ""
    engine: str = ""


@dataclass(frozen=True, kw_only=True)
class NewConversation:
    """A conversation to be stored whole: a tree of messages, each after its parent."""

    messages: Sequence[NewMessage]
    # For each message the position of its parent among `messages`; None begins a branch of its own.
    parents: Sequence[int | None]
    # How many messages, from the first, are the active branch.
    active_length: int
    title: str = ""
    source: str = ""
    created: float | None = None
    # What it is known by where it comes from; without it, its content tells whether it is there already.
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class NewPreference:
    """A vote between two answers to be stored; arms name the variants that wrote them."""

    prompt: Sequence[Message]
    chosen: str
    rejected: str
    chosen_arm: str = ""
    rejected_arm: str = ""
    ballot_id: int | None = None
    source: str = ""
    created: float = field(default_factory=time.time)


@dataclass(frozen=True, kw_only=True)
class NewJudgement:
    """An answer that a file calls good or bad, to be stored."""

    prompt: Sequence[Message]
    completion: str
    good: bool
    source: str = ""
    created: float = field(default_factory=time.time)


class MessageDetails(TypedDict, total=False):
    """What may be stored with a message beside its role and text."""

    status: str
    memory: str
    checkpoint: str | None
    sources: Sequence[Source]
    created: float


class MessageChanges(TypedDict, total=False):
    """What becomes known of an answer while it streams; None changes nothing."""

    content: str | None
    status: str | None
    sources: Sequence[Source] | None
    prompt_tokens: int | None
    completion_tokens: int | None
    seconds: float | None
    seconds_to_first_token: float | None
    ending: str | None
    thoughts: str | None
    engine: str | None


def shown_time(value: object) -> float:
    """A time of the database in seconds since 1970, whatever an earlier version imported; 0 where it is no time."""
    number = finite_number(value)
    if number is not None and 0 <= number <= time.time() + TOLERANCE_SECONDS:
        return number
    return plausible_seconds(value) or 0.0
