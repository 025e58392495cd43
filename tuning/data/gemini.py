"""Gemini's `contents`, as Vertex AI takes them to tune, and the prompts that AI Studio saves."""

from collections.abc import Mapping, Sequence
from typing import Any

from tuning.data.imported import ImportedConversation, Record, read_messages, string_of
from tuning.data.message_parts import text_of

_SYSTEM = ("systemInstruction", "system_instruction")


def is_gemini(record: Record) -> bool:
    """Whether it holds `contents`, or AI Studio's chunks."""
    return _turns(record) is not None


def read_gemini(record: Record) -> ImportedConversation | None:
    """One conversation; what the model thought aloud, and calls of functions, are no text of it."""
    messages = [
        _turn(turn)
        for turn in _turns(record) or ()
        if isinstance(turn, Mapping) and not turn.get("isThought")
    ]
    return read_messages({"messages": messages, "system": _system(record), "title": record.get("title")})


def _turn(turn: Mapping[str, Any]) -> dict[str, Any]:
    parts = [
        part for part in turn.get("parts") or () if isinstance(part, Mapping) and not part.get("thought")
    ]
    role = turn.get("role", "user")  # a prompt of one turn may leave it out
    if any("functionResponse" in part or "function_response" in part for part in parts):
        role = "tool"
    elif any("functionCall" in part or "function_call" in part for part in parts):
        return {"role": role, "content": text_of(parts), "tool_calls": True}
    return {"role": role, "content": text_of(parts) if parts else text_of(turn.get("text"))}


def _system(record: Record) -> str:
    given = next((record[key] for key in _SYSTEM if key in record), None)
    if isinstance(given, Mapping):
        parts = given.get("parts")
        return text_of(parts) if isinstance(parts, Sequence) else text_of(given)
    return string_of(given)


def _turns(record: Record) -> list[Any] | None:
    prompt = record.get("chunkedPrompt")
    chunks = prompt.get("chunks") if isinstance(prompt, Mapping) else None
    return next((turns for turns in (record.get("contents"), chunks) if isinstance(turns, list)), None)
