"""Conversations out and in: JSON that keeps every branch, and Markdown to read. It touches no database."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from assistant.errors import ConversationError
from assistant.history.records import StoredConversation, StoredMessage
from assistant.history.sources import Source

FORMATS = ("json", "md")
_KEPT = (
    "role",
    "content",
    "created",
    "status",
    "rating",
    "correction",
    "memory",
    "checkpoint",
    "sources",
    "prompt_tokens",
    "completion_tokens",
    "seconds",
    "seconds_to_first_token",
)
_SPEAKERS = {"user": "You", "assistant": "Imprint", "system": "System"}


def to_json(conversation: StoredConversation, all_messages: Sequence[StoredMessage]) -> str:
    """The active branch under `messages`, as other programs know it; the rest under `other_branches`."""
    active = {message.id for message in conversation.messages}
    record = {
        "format": "imprint-conversation",
        "title": conversation.title,
        "created": conversation.created,
        "source": conversation.source,
        "messages": [_record(message) for message in conversation.messages],
        "other_branches": [_record(message) for message in all_messages if message.id not in active],
    }
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


def to_markdown(conversation: StoredConversation) -> str:
    """The active branch, with corrections, sources and ratings."""
    when = datetime.fromtimestamp(conversation.created, UTC).strftime("%Y-%m-%d %H:%M UTC")
    parts = [f"# {conversation.title or 'Conversation'}", f"*{when}*"]
    for message in conversation.messages:
        parts.append(f"## {_SPEAKERS[message.role]}{_mark(message)}")
        parts.append(message.content.strip())
        if message.correction:
            parts.append(f"**Corrected by you:** {message.correction}")
        if message.sources:
            parts.append("\n".join(f"- {_source(source)}" for source in message.sources))
    return "\n\n".join(parts) + "\n"


def read_json(text: str) -> dict[str, Any]:
    """The record of an exported conversation. Raises ConversationError where the text is none."""
    try:
        record = json.loads(text)
    except json.JSONDecodeError as problem:
        raise ConversationError(f"This is not an exported conversation: not JSON ({problem}).") from problem
    if not isinstance(record, dict) or not isinstance(record.get("messages"), list):
        raise ConversationError('This is not an exported conversation: it has no list of "messages".')
    for number, message in enumerate([*record["messages"], *record.get("other_branches", ())], 1):
        _check_message(number, message)
    return record


def _check_message(number: int, message: object) -> None:
    if not isinstance(message, Mapping) or message.get("role") not in _SPEAKERS:
        raise ConversationError(
            f"Message {number} of the exported conversation has no role of {', '.join(_SPEAKERS)}."
        )
    if not isinstance(message.get("content"), str):
        raise ConversationError(f"Message {number} of the exported conversation has no text.")
    if not all(isinstance(source, Mapping) for source in message.get("sources") or ()):
        raise ConversationError(
            f"Message {number} of the exported conversation has a source that is no object."
        )
    if message.get("rating") not in (None, -1, 0, 1):
        raise ConversationError(f"Message {number} is rated {message['rating']!r}; a rating is 1, 0 or -1.")


def _record(message: StoredMessage) -> dict[str, Any]:
    record: dict[str, Any] = {"id": message.id, "parent": message.parent_id}
    for name in _KEPT:
        value = getattr(message, name)
        if name == "sources":
            value = [source.to_dict() for source in value]
        if value not in (None, "", 0, []) or name in ("role", "content"):
            record[name] = value
    return record


def _mark(message: StoredMessage) -> str:
    return {1: " 👍", -1: " 👎"}.get(message.rating, "")


def _source(source: Source) -> str:
    name = source.title or source.source or "source"
    return f"{name}, p. {source.page}" if source.page else name
