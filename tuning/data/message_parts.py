"""The parts that a message's content may be made of: its text, and what of it are tools and reasoning."""

from collections.abc import Mapping, Sequence
from typing import Any

_TEXTS = ("content", "value", "text", "parts", "message")  # where programs keep what a message says


def content_of(turn: Mapping[str, Any]) -> object:
    """The text or the parts of a message, by whatever name; a name that holds nothing gives way to the next."""
    held = [turn[key] for key in _TEXTS if turn.get(key) is not None]
    return next((content for content in held if content), held[0] if held else None)


def text_of(content: object) -> str:
    """Text out of a string, a number, nothing, or parts, of which pictures, reasoning and tools are left out."""
    if isinstance(content, str):
        return content
    if isinstance(content, int | float):
        return str(content)
    texts = [
        part if isinstance(part, str) else part.get("text", part.get("content"))
        for part in _parts(content)
        if isinstance(part, str) or not (_is_of_a_tool(part) or _kind(part) in ("reasoning", "thinking"))
    ]
    return "\n".join(text for text in texts if isinstance(text, str))


def uses_tools(content: object) -> bool:
    """Whether a part is a tool's call or result: Anthropic's, LibreChat's and Vercel's all have it in their type."""
    return any(isinstance(part, Mapping) and _is_of_a_tool(part) for part in _parts(content))


def ends_with_a_call(content: object) -> bool:
    """Whether no text follows the last part that is a tool's."""
    parts = _parts(content)
    last = max((n for n, part in enumerate(parts) if uses_tools([part])), default=None)
    return last is not None and not text_of(parts[last + 1 :]).strip()


def _parts(content: object) -> list[str | Mapping[str, Any]]:
    if isinstance(content, Mapping):
        content = [content]
    if not isinstance(content, Sequence) or isinstance(content, str):
        return []
    return [part for part in content if isinstance(part, str | Mapping)]


def _kind(part: Mapping[str, Any]) -> str:
    kind = part.get("type")
    return kind if isinstance(kind, str) else ""


def _is_of_a_tool(part: Mapping[str, Any]) -> bool:
    return "tool" in _kind(part)
