"""Conversations as files: export to JSON with every branch or to Markdown, and import of the JSON."""

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assistant.errors import ConversationError
from assistant.history.conversations import STATUSES, ConversationStore
from assistant.history.records import NewConversation, NewMessage, StoredConversation, StoredMessage
from assistant.history.sources import Source

if TYPE_CHECKING:
    from tuning.data.formats import ImportedConversation

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


def export(store: ConversationStore, conversation_id: int, form: str = "json") -> str:
    """A conversation as text: "json" with every branch and rating, or "md" to read. Raises ConversationError."""
    if form not in FORMATS:
        raise ConversationError(f"The form of an export is one of {', '.join(FORMATS)}; {form!r} was given.")
    conversation = store.get(conversation_id)
    if form == "md":
        return to_markdown(conversation)
    return to_json(conversation, store.all_messages(conversation_id))


def import_json(store: ConversationStore, text: str, *, source: str = "") -> int:
    """Store what `export` wrote, or any JSON with "messages" of role, content, rating, correction.

    Returns the id of the conversation. Raises ConversationError where the text is no conversation.
    """
    return store.add_conversation(parse_json(text, source=source))


def import_conversation(store: ConversationStore, conversation: "ImportedConversation") -> int:
    """Store a conversation that `tuning.data.importers` read from another program; returns its id."""
    record = {
        "title": conversation.title,
        "created": conversation.created,
        "messages": list(conversation.messages),
    }
    return import_json(store, json.dumps(record), source=conversation.source)


def to_json(conversation: StoredConversation, all_messages: Sequence[StoredMessage]) -> str:
    """The active branch under `messages`, where other programs look for it; the rest under `other_branches`."""
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


def parse_json(text: str, *, source: str = "") -> NewConversation:
    """The conversation of an exported JSON; `source` where it names none. Raises ConversationError."""
    record = _read_record(text)
    active, others = record["messages"], list(record.get("other_branches", ()))
    positions: dict[Any, int] = {}
    parents: list[int | None] = []
    for position, message in enumerate([*active, *others]):
        if position < len(active):
            parents.append(position - 1 if position else None)
        else:
            parent = message.get("parent")
            parents.append(None if parent is None else positions.get(parent))
        positions[message.get("id")] = position
    return NewConversation(
        title=str(record.get("title") or ""),
        source=str(record.get("source") or source),
        created=_time(record),
        messages=[_new_message(message) for message in [*active, *others]],
        parents=parents,
        active_length=len(active),
    )


def _read_record(text: str) -> dict[str, Any]:
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


def _new_message(record: dict[str, Any]) -> NewMessage:
    status, created = record.get("status"), _time(record)
    return NewMessage(
        role=record["role"],
        content=record["content"],
        created=time.time() if created is None else created,
        status=status if status in STATUSES and status != "streaming" else "complete",
        rating=record.get("rating") or 0,
        correction=record.get("correction") or None,
        memory=str(record.get("memory") or ""),
        checkpoint=record.get("checkpoint"),
        sources=tuple(Source.from_dict(source) for source in record.get("sources") or ()),
    )


def _time(record: Mapping[str, Any]) -> float | None:
    created = record.get("created")
    return created if isinstance(created, int | float) else None


def _record(message: StoredMessage) -> dict[str, Any]:
    record: dict[str, Any] = {"id": message.id, "parent": message.parent_id}
    for name in _KEPT:
        value = getattr(message, name)
        if value not in (None, "", 0, ()) or name in ("role", "content"):
            record[name] = [source.to_dict() for source in value] if name == "sources" else value
    return record


def _mark(message: StoredMessage) -> str:
    return {1: " 👍", -1: " 👎"}.get(message.rating, "")


def _source(source: Source) -> str:
    name = source.title or source.source or "source"
    return f"{name}, p. {source.page}" if source.page else name
