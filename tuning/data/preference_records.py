"""Records with a preferred and a rejected answer: the preferred one is an answer like any other."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tuning.data.examples import shortened
from tuning.data.imported import ImportedConversation, Record, read_messages, string_of, text_of
from tuning.errors import ExampleError

_CHOSEN = ("chosen", "preferred_output")
_REJECTED = ("rejected", "non_preferred_output")
_PROMPTS = ("conversations", "messages", "prompt", "question", "instruction")
_TRANSCRIPT = re.compile(r"\n\n(Human|Assistant): ?")  # HH-RLHF


def is_preference(record: Record) -> bool:
    """Whether it names both a preferred and a rejected answer."""
    return any(key in record for key in _CHOSEN) and any(key in record for key in _REJECTED)


def read_preference(record: Record) -> ImportedConversation | None:
    """The prompt and the preferred answer. Raises `ExampleError` where there is no question before it."""
    chosen = _turns(next(record[key] for key in _CHOSEN if key in record), "assistant")
    prompt = _prompt(record)
    whole = chosen if _begins_with(chosen, prompt) else [*prompt, *chosen]
    if not any(turn.get("role", turn.get("from")) in ("user", "human") for turn in whole):
        raise ExampleError(f"the preferred answer {shortened(repr(chosen))} has no question before it.")
    return read_messages({"messages": whole, "system": record.get("system")})


def _prompt(record: Record) -> list[Mapping[str, Any]]:
    given = record.get("input")
    if isinstance(given, Mapping) and isinstance(given.get("messages"), list):  # OpenAI's form
        return _turns(given["messages"], "user")
    found = next((record[key] for key in _PROMPTS if record.get(key)), None)
    turns = _turns(found, "user") if found is not None else []
    more = string_of(given)
    if isinstance(found, str) and more.strip():  # Alpaca's second half of the question
        return [{"role": "user", "content": f"{found}\n{more}"}]
    return turns


def _turns(value: object, role: str) -> list[Mapping[str, Any]]:
    """Messages of a list, of one message, or of a text that may be a transcript."""
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [
            turn if isinstance(turn, Mapping) else {"role": role, "content": text_of(turn)} for turn in value
        ]
    text = text_of(value)
    parts = _TRANSCRIPT.split(text)
    if len(parts) < 3 or parts[0].strip():
        return [{"role": role, "content": text}]
    return [
        {"role": "user" if speaker == "Human" else "assistant", "content": said.strip()}
        for speaker, said in zip(parts[1::2], parts[2::2], strict=True)
    ]


def _begins_with(turns: Sequence[Mapping[str, Any]], prompt: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the preferred side repeats the prompt, as some files have it."""
    return len(turns) > len(prompt) and list(turns[: len(prompt)]) == list(prompt)
