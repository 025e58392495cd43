"""Conversations as files: export to JSON with every branch or to Markdown, and import of the JSON."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.importing import import_conversations, own_key
from assistant.history.messages import STATUSES
from assistant.history.records import (
    CONTEXT,
    ENDINGS,
    NewConversation,
    NewMessage,
    StoredConversation,
    StoredMessage,
)
from assistant.history.sources import Source
from assistant.safe_markdown import rewrite
from tuning.data.formats import EXPORTED
from tuning.data.times import finite_number, plausible_seconds

if TYPE_CHECKING:
    from tuning.data.examples import Message
    from tuning.data.imported import ImportedConversation

FORMATS = ("json", "md")
MAX_MESSAGES = 50_000  # of all branches
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
    "ending",
    "thoughts",
    "engine",
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

    One that is there already only grows. Returns the id of the conversation. Raises ConversationError where the
    text is no conversation.
    """
    return import_conversations(store, [parse_json(text, source=source)])[0].id


def new_conversation(conversation: "ImportedConversation", *, source: str = "") -> NewConversation:
    """What `tuning.data.importers` read from a file, to be stored. Raises ConversationError."""
    if conversation.record is not None:
        return parse_record(conversation.record, source=source or conversation.source)
    record = {
        "title": conversation.title,
        "created": conversation.created,
        "messages": [_with_rating(message) for message in conversation.messages],
    }
    return replace(parse_record(record, source=source or conversation.source), key=conversation.key)


def _with_rating(message: "Message") -> dict[str, object]:
    """An answer that somebody disliked is kept as one; any other that is not to be learned is context."""
    if "rating" in message:
        return {**message, "rating": int(message["rating"])}
    return {**message, "ending": CONTEXT} if message.get("weight") == "0" else dict(message)


def to_json(conversation: StoredConversation, all_messages: Sequence[StoredMessage]) -> str:
    """The active branch under `messages`, where other programs look for it; the rest under `other_branches`."""
    active = {message.id for message in conversation.messages}
    record = {
        "format": EXPORTED,
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
    parts = [f"# {_harmless(' '.join(conversation.title.split())) or 'Conversation'}", f"*{when}*"]
    for message in conversation.messages:
        parts.append(f"## {_SPEAKERS.get(message.role, message.role)}{_mark(message)}")
        parts.append(_harmless(message.content.strip()))
        if message.correction:
            parts.append(f"**Corrected by you:** {_harmless(message.correction)}")
        if message.sources:
            parts.append("\n".join(f"- {_harmless(_source(source))}" for source in message.sources))
    return "\n\n".join(parts) + "\n"


def _harmless(text: str) -> str:
    """The text as whoever opens the file may see it: a picture of another host would tell that host."""
    is_plain = "![" not in text and "<" not in text
    return text if is_plain else rewrite(text, "picture at {host}", html=True)


def parse_json(text: str, *, source: str = "") -> NewConversation:
    """The conversation of an exported JSON; `source` where it names none. Raises ConversationError."""
    try:
        record = json.loads(text)
    except ValueError as problem:
        raise ConversationError(f"This is not an exported conversation: not JSON ({problem}).") from problem
    except RecursionError as problem:
        raise ConversationError("This is not an exported conversation: it is nested too deeply.") from problem
    return parse_record(record, source=source)


def parse_record(record: object, *, source: str = "") -> NewConversation:
    """The conversation of an exported object; `source` where it names none. Raises ConversationError."""
    if not isinstance(record, Mapping) or not isinstance(record.get("messages"), list):
        raise ConversationError('This is not an exported conversation: it has no list of "messages".')
    others = record.get("other_branches") or []
    if not isinstance(others, list):
        raise ConversationError('The "other_branches" of the exported conversation are no list.')
    active = record["messages"]
    if len(active) + len(others) > MAX_MESSAGES:
        raise ConversationError(f"The exported conversation has more than {MAX_MESSAGES:,} messages.")
    for number, message in enumerate([*active, *others], 1):
        _check_message(number, message)
    messages = [_new_message(message) for message in [*active, *others]]
    created = plausible_seconds(record.get("created"))
    is_own = record.get("format") == EXPORTED
    return NewConversation(
        title=_text(record, "title"),
        source=_text(record, "source") or source,
        created=created,
        messages=messages,
        parents=_parents(active, others),
        active_length=len(active),
        key=own_key(created, messages[0] if messages else None) if is_own else "",
    )


def _parents(active: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """For each message the position of its parent: of the active ones the one before, of the others as they say."""
    positions: dict[Any, int] = {}
    parents: list[int | None] = []
    for position, message in enumerate([*active, *others]):
        if position < len(active):
            parents.append(position - 1 if position else None)
        else:
            parents.append(positions.get(_id(message, "parent")))
        if (id := _id(message, "id")) is not None:
            positions[id] = position
    return parents


def _id(message: Mapping[str, Any], key: str) -> int | str | None:
    value = message.get(key)
    return value if isinstance(value, int | str) else None


def _check_message(number: int, message: object) -> None:
    if not isinstance(message, Mapping) or message.get("role") not in tuple(_SPEAKERS):
        raise ConversationError(
            f"Message {number} of the exported conversation has no role of {', '.join(_SPEAKERS)}."
        )
    if not isinstance(message.get("content"), str):
        raise ConversationError(f"Message {number} of the exported conversation has no text.")
    sources = message.get("sources") or []
    if not isinstance(sources, list) or not all(isinstance(source, Mapping) for source in sources):
        raise ConversationError(
            f"Message {number} of the exported conversation has a source that is no object."
        )
    if message.get("rating") not in (None, -1, 0, 1):
        raise ConversationError(f"Message {number} is rated {message['rating']!r}; a rating is 1, 0 or -1.")
    for key in ("correction", "memory", "checkpoint"):
        if not isinstance(message.get(key) or "", str):
            raise ConversationError(f"Message {number} of the exported conversation has no text as {key!r}.")


def _new_message(record: Mapping[str, Any]) -> NewMessage:
    status, ending = record.get("status"), record.get("ending")
    return NewMessage(
        role=record["role"],
        content=record["content"],
        created=plausible_seconds(record.get("created")) or time.time(),
        status=status if status in STATUSES and status != "streaming" else "complete",
        rating=int(record.get("rating") or 0),
        correction=record.get("correction") or None,
        memory=_text(record, "memory"),
        checkpoint=record.get("checkpoint") or None,
        sources=tuple(Source.from_dict(source) for source in record.get("sources") or ()),
        ending=ending if ending in ENDINGS else "",
        thoughts=_text(record, "thoughts"),
        engine=_text(record, "engine"),
        prompt_tokens=_count(record, "prompt_tokens"),
        completion_tokens=_count(record, "completion_tokens"),
        seconds=finite_number(record.get("seconds")),
        seconds_to_first_token=finite_number(record.get("seconds_to_first_token")),
    )


def _count(record: Mapping[str, Any], key: str) -> int | None:
    value = record.get(key)
    return value if isinstance(value, int) and 0 <= value < 1 << 31 else None


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


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
