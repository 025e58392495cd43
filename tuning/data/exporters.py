"""Conversations → the files that other programs train from. Reads no store, and writes no file.

An answer of weight 0 is written as context that is not to be learned, in each format's own words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tuning.data.examples import Message, is_learned
from tuning.storage import dumps

Rows = list[dict[str, Any]]
DATASETS = "datasets"  # a folder with the rows of "openai"; the formats of `CHAT_EXPORTERS` are one file


@dataclass(frozen=True)
class RejectedAnswer:
    """Two answers to one prompt, of which the first was preferred."""

    prompt: tuple[Message, ...]
    chosen: str
    rejected: str


@dataclass(frozen=True)
class JudgedAnswer:
    """One answer to a prompt, and whether a person found it good."""

    prompt: tuple[Message, ...]
    answer: str
    is_good: bool


@dataclass(frozen=True)
class ExportedChat:
    """One conversation as it is exported: the turns, corrections in place, and what people thought of answers."""

    messages: tuple[
        Message, ...
    ]  # an optional system turn, then user and assistant in turn; the last is an answer
    rejected: tuple[RejectedAnswer, ...] = ()
    judged: tuple[JudgedAnswer, ...] = ()


@dataclass(frozen=True)
class ChatExporter:
    """One format: what it is called, and the rows of a file in it."""

    name: str
    title: str
    rows: Callable[[ExportedChat], Rows]


def to_jsonl(chats: Sequence[ExportedChat], exporter: ChatExporter) -> str:
    """The file, one JSON object a line."""
    return "".join(dumps(row) + "\n" for chat in chats for row in exporter.rows(chat))


def _openai(chat: ExportedChat) -> Rows:
    return [{"messages": [_weighed(m) for m in chat.messages]}] if _teaches(chat) else []


def _weighed(message: Message) -> dict[str, Any]:
    plain: dict[str, Any] = {"role": message["role"], "content": message["content"]}
    return plain | ({"weight": 0} if message["role"] == "assistant" and not is_learned(message) else {})


_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


def _sharegpt(chat: ExportedChat) -> Rows:
    turns = [
        {"from": _SHAREGPT[m["role"]], "value": m["content"]}
        | ({"weight": 0} if m.get("weight") == "0" else {})
        for m in chat.messages
    ]
    return [{"conversations": turns}] if _teaches(chat) else []


def _alpaca(chat: ExportedChat) -> Rows:
    """The last answer after what came before; where some answer is not to be learned, a row for each of the others."""
    system, pairs = _pairs(chat.messages)
    learned = [number for number, (_, answer) in enumerate(pairs) if is_learned(answer)]
    is_whole = len(learned) == len(pairs)
    rows = []
    for number in learned[-1:] if is_whole else learned:
        asked, answer = pairs[number]
        row: dict[str, Any] = {"instruction": asked["content"], "input": "", "output": answer["content"]}
        if system:
            row["system"] = system
        if number:
            row["history"] = [[q["content"], a["content"]] for q, a in pairs[:number]]
        if number and not is_whole:
            row["mask_history"] = True
        rows.append(row)
    return rows


def _pairs(messages: Sequence[Message]) -> tuple[str, list[tuple[Message, Message]]]:
    system = messages[0]["content"] if messages and messages[0]["role"] == "system" else ""
    turns = messages[1:] if system else messages
    return system, list(zip(turns[::2], turns[1::2], strict=False))


def _dpo(chat: ExportedChat) -> Rows:
    return [
        {
            "prompt": _plain(one.prompt),
            "chosen": [{"role": "assistant", "content": one.chosen}],
            "rejected": [{"role": "assistant", "content": one.rejected}],
        }
        for one in chat.rejected
    ]


def _kto(chat: ExportedChat) -> Rows:
    return [
        {
            "prompt": _plain(one.prompt),
            "completion": [{"role": "assistant", "content": one.answer}],
            "label": one.is_good,
        }
        for one in chat.judged
    ]


def _plain(messages: Sequence[Message]) -> Rows:
    return [{"role": m["role"], "content": m["content"]} for m in messages]


def _teaches(chat: ExportedChat) -> bool:
    return any(is_learned(message) for message in chat.messages)


CHAT_EXPORTERS: dict[str, ChatExporter] = {
    one.name: one
    for one in (
        ChatExporter("openai", "OpenAI chat JSONL", _openai),
        ChatExporter("sharegpt", "ShareGPT JSONL", _sharegpt),
        ChatExporter("alpaca", "Alpaca JSONL", _alpaca),
        ChatExporter("dpo", "preferences {prompt, chosen, rejected} for DPO", _dpo),
        ChatExporter("kto", "judgements {prompt, completion, label} for KTO", _kto),
    )
}
# Of the rows of "openai", as the `datasets` library describes them.
MESSAGE_FEATURES = {
    "messages": [
        {"role": {"dtype": "string", "_type": "Value"}, "content": {"dtype": "string", "_type": "Value"},
         "weight": {"dtype": "int64", "_type": "Value"}}
    ]
}  # fmt: skip
