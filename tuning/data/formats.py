"""What each foreign chat format looks like and says, one entry a format. Opens no files."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tuning.data.examples import Example, Message, shortened
from tuning.data.text_labels import ENTITIES, LABELLED, has_entities, is_labelled, labelled_reader
from tuning.data.times import finite_number, plausible_seconds
from tuning.errors import ExampleError

Record = Mapping[str, Any]
Read = Callable[[Record], "ImportedConversation | Example | None"]

SPEAKERS = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant",
    "bot": "assistant", "bard": "assistant", "bing": "assistant", "ai": "assistant",
}  # fmt: skip
EXPORTED = "imprint-conversation"  # the "format" of a conversation that Imprint exported
INSTRUCTIONS = (("instruction", "output"), ("instruction", "response"))
PAIRS = (
    ("prompt", "response"), ("question", "answer"), ("prompt", "completion"), ("query", "response"),
    ("input", "output"), ("问题", "答案"), ("问题", "回答"),
)  # fmt: skip


@dataclass(frozen=True)
class RatedAnswer:
    """An answer that a person corrected or liked, as it is to be learned."""

    question: str
    answer: str
    reason: str  # "corrected by you", "liked"


@dataclass(frozen=True)
class ImportedConversation:
    """One conversation out of a file, as far as it is text."""

    title: str
    messages: tuple[Message, ...]
    created: float | None = None  # seconds since 1970
    source: str = ""  # "chats.json, line 12"
    rated: tuple[RatedAnswer, ...] = ()  # where a person rated or corrected answers: only these are learned
    key: str = ""  # what it is known by in the program that it comes from: "chatgpt:6f1e…"
    record: Record | None = None  # the whole record, where it is Imprint's own export


@dataclass(frozen=True)
class Importer:
    """One format: how a record of it is recognised, and what it says."""

    name: str
    title: str
    matches: Callable[[Record], bool]
    reader: Callable[
        [Sequence[Record]], Read
    ]  # sees all records first: labels are known only from all of them
    accepts: Callable[[Record], bool] | None = None  # beside records that match, for files that mix both


def _messages(record: Record) -> ImportedConversation | None:
    turns = next(
        record[key] for key in ("messages", "conversations", "conversation", "items") if key in record
    )
    messages: list[Message] = []
    if isinstance(system := record.get("system"), str) and system.strip():
        messages.append({"role": "system", "content": system})
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, Mapping):
            raise ExampleError(f"message {number} is {shortened(repr(turn))}, not an object.")
        role = turn.get("role", turn.get("from", turn.get("sender")))
        if role in ("tool", "function", "observation", "function_call") or turn.get("tool_calls"):
            return None  # what it answers rests on a tool's result, which a chat template would not show
        if not isinstance(role, str) or role not in SPEAKERS:
            raise ExampleError(f"message {number} has role {role!r}; known are {', '.join(SPEAKERS)}.")
        text = _text(turn.get("content", turn.get("value", turn.get("text"))))
        messages.append({"role": SPEAKERS[role], "content": text})
    return ImportedConversation(
        _string(record.get("title")), tuple(messages), plausible_seconds(record.get("created"))
    )


def _rated(record: Record) -> ImportedConversation | None:
    """Imprint's own export: a correction stands for the answer, and disliked answers are left out."""
    system, question = "", None
    kept: list[Message] = []
    rated: list[RatedAnswer] = []
    for turn in record["messages"]:
        role, text = turn.get("role"), _text(turn.get("content"))
        if role == "system":
            system = text
        elif role == "user":
            question = text
        elif role == "assistant" and question is not None:
            correction = _text(turn.get("correction"))
            answer = correction if correction.strip() else text
            is_good = bool(correction.strip()) or turn.get("rating") == 1
            if is_good and answer.strip() and question.strip():
                rated.append(
                    RatedAnswer(question, answer, "corrected by you" if correction.strip() else "liked")
                )
            if is_good or turn.get("rating") != -1:
                kept += _question_and_answer(question, answer)
            question = None
    messages = ([{"role": "system", "content": system}] if system.strip() else []) + kept
    return ImportedConversation(
        _string(record.get("title")),
        tuple(messages),
        plausible_seconds(record.get("created")),
        rated=tuple(rated),
        record=record,
    )


def _chatgpt(record: Record) -> ImportedConversation | None:
    mapping = record["mapping"]
    node_id = record.get("current_node")
    if node_id not in mapping:  # the latest leaf, which is what the page would open
        leaves = [key for key, node in mapping.items() if not node.get("children")]
        node_id = max(leaves, key=lambda key: _created(mapping[key]), default=None)
    messages: list[Message] = []
    seen: set[str] = set()
    while node_id in mapping and node_id not in seen:
        seen.add(str(node_id))
        node = mapping[str(node_id)]
        if message := _chatgpt_message(node.get("message") or {}):
            messages.append(message)
        node_id = node.get("parent")
    return ImportedConversation(
        _string(record.get("title")),
        tuple(messages[::-1]),
        plausible_seconds(record.get("create_time")),
        key=_key("chatgpt", record.get("conversation_id") or record.get("id")),
    )


def _chatgpt_message(message: Mapping[str, Any]) -> Message | None:
    role = (message.get("author") or {}).get("role")
    content = message.get("content") or {}
    hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
    if role not in ("system", "user", "assistant") or hidden or message.get("recipient", "all") != "all":
        return None
    if content.get("content_type", "text") not in ("text", "multimodal_text"):
        return None
    text = "\n".join(part for part in content.get("parts") or () if isinstance(part, str))
    return {"role": role, "content": text} if text.strip() else None


def _claude(record: Record) -> ImportedConversation | None:
    turns = [
        {"role": t.get("sender"), "content": t.get("text") or t.get("content")}
        for t in record["chat_messages"]
    ]
    conversation = _messages({"messages": turns})
    if conversation is None:
        return None
    return replace(
        conversation,
        title=_string(record.get("name")),
        created=plausible_seconds(record.get("created_at")),
        key=_key("claude", record.get("uuid")),
    )


def _instruction(record: Record) -> ImportedConversation | None:
    asked = [_text(record.get(key)) for key in ("instruction", "input", "context")]
    answered = next(record[key] for _, key in INSTRUCTIONS if key in record)
    return _turns(record, "\n".join(part for part in asked if part.strip()), _text(answered))


def _chatglm(record: Record) -> ImportedConversation | None:
    return _turns(record, _text(record["content"]), _text(record["summary"]))


def _pair(record: Record) -> ImportedConversation | None:
    asked, answered = next((a, b) for a, b in PAIRS if a in record and b in record)
    return _turns(record, _text(record[asked]), _text(record[answered]))


def _turns(record: Record, question: str, answer: str) -> ImportedConversation | None:
    if not question.strip() or not answer.strip():
        return None
    messages: list[Message] = []
    if isinstance(system := record.get("system"), str) and system.strip():
        messages.append({"role": "system", "content": system})
    for earlier in _history(record.get("history")):
        if not isinstance(earlier, Sequence) or isinstance(earlier, str) or len(earlier) != 2:
            raise ExampleError(
                f'"history" must be pairs of question and answer; found {shortened(repr(earlier))}.'
            )
        messages += _question_and_answer(_text(earlier[0]), _text(earlier[1]))
    return ImportedConversation("", (*messages, *_question_and_answer(question, answer)))


def _history(value: object) -> Sequence[Any]:
    if isinstance(value, str):  # a CSV cell
        try:
            value = json.loads(value) if value.strip() else []
        except ValueError as error:
            raise ExampleError(f'"history" must be a JSON list; found {shortened(str(value))!r}.') from error
    if value is None:
        return []
    if not isinstance(value, Sequence):
        raise ExampleError(f'"history" must be a list; found {value!r}.')
    return value


def _question_and_answer(question: str, answer: str) -> list[Message]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def _text(content: object) -> str:
    """Text out of a string, a number, nothing, or a list of parts of which the images are left out."""
    if isinstance(content, str):
        return content
    if isinstance(content, int | float):
        return str(content)
    if isinstance(content, Mapping):
        content = [content]
    if isinstance(content, Sequence):
        parts = [
            p if isinstance(p, str) else p.get("text", p.get("content"))
            for p in content
            if isinstance(p, str | Mapping)
        ]
        return "\n".join(p for p in parts if isinstance(p, str))
    return ""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _key(program: str, id: object) -> str:
    return f"{program}:{id}" if isinstance(id, str) and id.strip() else ""


def _created(node: Mapping[str, Any]) -> float:
    return finite_number((node.get("message") or {}).get("create_time")) or 0.0


def _imprint(record: Record) -> "ImportedConversation | Example | None":
    return Example.from_dict(record)


def _labelled(records: Sequence[Record]) -> Read:
    turns_of = labelled_reader(records)

    def read(record: Record) -> Example | None:
        turns = turns_of(record)
        reason = ENTITIES if has_entities(record) else LABELLED
        return Example(tuple(_question_and_answer(*turns)), reason=reason) if turns else None

    return read


def _alone(read: Read) -> Callable[[Sequence[Record]], Read]:
    return lambda records: read


def _holds_list(*keys: str) -> Callable[[Record], bool]:
    return lambda record: any(isinstance(record.get(key), list) for key in keys)


def _holds(*choices: tuple[str, str]) -> Callable[[Record], bool]:
    return lambda record: any({one, other} <= record.keys() for one, other in choices)


def _is_imprint(record: Record) -> bool:
    return isinstance(record.get("messages"), list) and any(key in record for key in ("reason", "probes"))


def _is_rated(record: Record) -> bool:
    """Whether it is Imprint's own export, or an assistant message carries a person's judgement."""
    turns = record.get("messages")
    return isinstance(turns, list) and (
        record.get("format") == EXPORTED
        or any(isinstance(t, Mapping) and (t.get("correction") or t.get("rating")) for t in turns)
    )


HOLDS_MESSAGES = _holds_list("messages")
IMPORTERS: tuple[Importer, ...] = (  # the first that matches a record reads the file
    Importer("imprint", "Imprint examples", _is_imprint, _alone(_imprint), accepts=HOLDS_MESSAGES),
    Importer("imprint-chat", "Imprint conversations", _is_rated, _alone(_rated), accepts=HOLDS_MESSAGES),
    Importer("openai", 'OpenAI chat {"messages"}', HOLDS_MESSAGES, _alone(_messages)),
    Importer("chatgpt", "ChatGPT's conversations.json", lambda r: "mapping" in r, _alone(_chatgpt)),
    Importer("claude", "Claude's conversations.json", _holds_list("chat_messages"), _alone(_claude)),
    Importer(
        "sharegpt",
        'ShareGPT {"conversations"}',
        _holds_list("conversations", "conversation", "items"),
        _alone(_messages),
    ),
    Importer("alpaca", "Alpaca {instruction, input, output}", _holds(*INSTRUCTIONS), _alone(_instruction)),
    Importer("chatglm", "ChatGLM {content, summary}", _holds(("content", "summary")), _alone(_chatglm)),
    Importer("pairs", "questions and answers", _holds(*PAIRS), _alone(_pair)),
    Importer("labelled", "labelled text {text, label}", is_labelled, _labelled),
)
