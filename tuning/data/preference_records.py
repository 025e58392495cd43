"""Records of preferences → messages: two answers to one prompt, several with scores, or one that was judged.

For learning from examples, the preferred answer is one like any other. Opens no files.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tuning.data.examples import Message, shortened
from tuning.data.imported import ImportedConversation, Record, read_messages, string_of
from tuning.data.marks import flag
from tuning.data.message_parts import text_of
from tuning.errors import ExampleError

_CHOSEN = ("chosen", "preferred_output")
_REJECTED = ("rejected", "non_preferred_output")
_PROMPTS = ("conversations", "messages", "prompt", "question", "instruction")
_LISTS = ("completions", "responses", "answers")
_SCORES = ("overall_score", "score", "fine-grained_score", "rating")
_ANSWERS = ("response", "content", "text", "answer", "completion")
_LABELS = ("label", "good", "desirable")
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


def read_pair(record: Record) -> tuple[list[Message], str, str]:
    """The prompt, the preferred and the rejected answer. Raises `ExampleError`."""
    better, worse = (_side(record, keys) for keys in (_CHOSEN, _REJECTED))
    shared = 0
    while shared < min(len(better), len(worse)) and better[shared] == worse[shared]:
        shared += 1
    if shared == len(better) == len(worse):
        raise ExampleError(f"both answers are {shortened(better[-1]['content'])!r}, so neither is preferred.")
    if len(better) != shared + 1 or len(worse) != shared + 1:
        raise ExampleError("the two sides differ before their last answer; they must answer the same prompt.")
    return better[:shared], better[-1]["content"], worse[-1]["content"]


def is_scored_list(record: Record) -> bool:
    """Whether it is one prompt with several answers that have scores, as in UltraFeedback."""
    return any(_scored(record.get(key)) for key in _LISTS)


def read_scored_list(record: Record) -> tuple[list[Message], str, str]:
    """The prompt, and the answers with the highest and the lowest score. Raises `ExampleError`."""
    scored = next(found for key in _LISTS if (found := _scored(record.get(key))))
    best, worst = max(scored, key=lambda one: one[0]), min(scored, key=lambda one: one[0])
    if best[0] == worst[0]:
        raise ExampleError(f"its {len(scored)} answers have the same score, {best[0]:g}: none is preferred.")
    return read_pair({**record, "chosen": best[1], "rejected": worst[1]})


def is_judged(record: Record) -> bool:
    """Whether it is one answer that somebody found good or bad, as KTO learns from."""
    return "completion" in record and any(key in record for key in _LABELS)


def read_judged(record: Record) -> tuple[list[Message], str, bool]:
    """The prompt, the answer, and whether it is good. Raises `ExampleError`."""
    label = next(record[key] for key in _LABELS if key in record)
    good = flag(label)
    if good is None:
        raise ExampleError(f"its label must be true or false; found {shortened(repr(label))}.")
    *prompt, answer = _side(record, ("completion",))
    return prompt, answer["content"], good


def _side(record: Record, keys: Sequence[str]) -> list[Message]:
    """The prompt and one of the answers as messages, the last of which is the answer."""
    said = _turns(next(record[key] for key in keys if key in record), "assistant")
    prompt = _prompt(record)
    whole = said if _begins_with(said, prompt) else [*prompt, *said]
    if not any(turn.get("role", turn.get("from")) in ("user", "human") for turn in whole):
        raise ExampleError(f"the answer {shortened(repr(said))} has no question before it.")
    found = read_messages({"messages": whole, "system": record.get("system")})
    if found is None:
        raise ExampleError("it rests on what a tool answered, which a prompt does not show.")
    messages = [{"role": one["role"], "content": one["content"]} for one in found.messages]
    if messages[-1]["role"] != "assistant" or not messages[-1]["content"].strip():
        raise ExampleError(f"one of its answers is empty: {shortened(repr(said))}.")
    return messages


def _scored(value: object) -> list[tuple[float, str]]:
    """The answers of a list with their scores; nothing where it holds fewer than two."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    found = [
        (score, text)
        for one in value
        if isinstance(one, Mapping)
        and (text := next((text_of(one[key]) for key in _ANSWERS if key in one), ""))
        and (score := _score(one)) is not None
    ]
    return found if len(found) > 1 else []


def _score(answer: Mapping[str, Any]) -> float | None:
    value = next((answer[key] for key in _SCORES if key in answer), None)
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


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
