"""Whether the messages of a training file are shaped as OpenAI's are, line by line. What they teach is not asked here.

Lines that are not `{"messages": [...]}` with roles are left to the importer, which reads other formats, too, and says
what it cannot read.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuning.errors import ExampleError

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def require_openai_messages(path: Path) -> None:
    """Raises ExampleError with the line, and the place in it."""
    for line, messages in _chats(path):
        for number, message in enumerate(messages):
            wrong = _wrong(message) if isinstance(message, Mapping) and "role" in message else ""
            if wrong:
                raise ExampleError(
                    f"{path.name}, line {line}: messages.{number}.{wrong}. Repair or remove it."
                )


def _chats(path: Path) -> Iterator[tuple[int, Sequence[Any]]]:
    """The messages of each line, as far as the lines are such records."""
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                return
            messages = record.get("messages") if isinstance(record, Mapping) else None
            if not isinstance(messages, list):
                return
            yield number, messages


def _wrong(message: Mapping[str, Any]) -> str:
    """What is wrong with a message, after its number; nothing where it is as it should be."""
    role, content, weight = message["role"], message.get("content"), message.get("weight")
    if role not in _ROLES:
        return f"role: {role!r} is none of {', '.join(_ROLES)}"
    if not (content is None or isinstance(content, str | list)):
        return f"content: a text, a list of parts or null is needed, and {content!r} was given"
    if weight is not None and weight not in (0, 1):
        return f"weight: 0 or 1 is needed, and {weight!r} was given"
    return ""
