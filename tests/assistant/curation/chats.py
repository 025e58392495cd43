"""Chats to be curated, and what was found in them."""

from typing import Any

from assistant.curation.candidates import Curation
from assistant.history.records import StoredConversation, StoredMessage


def chat(
    *lines: str | tuple[str, dict[str, Any]], created: float = 1.0, number: int = 1
) -> StoredConversation:
    """A conversation of alternating user and assistant lines; a pair adds fields to its message."""
    messages = []
    for place, line in enumerate(lines):
        text, fields = line if isinstance(line, tuple) else (line, {})
        role = "assistant" if place % 2 else "user"
        messages.append(StoredMessage(place + 1, number, place or None, role, text, created, **fields))
    return StoredConversation(number, "chat", created, created, tuple(messages))


def pairs(curation: Curation, kind: str | None = None) -> list[tuple[str, str]]:
    return [
        (candidate.example.question, candidate.example.answer)
        for candidate in curation.candidates
        if kind in (None, candidate.kind)
    ]
