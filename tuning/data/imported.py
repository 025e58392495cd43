"""What a foreign record becomes: a conversation of plain text, with what may not be learned of it marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuning.data.examples import Message, shortened
from tuning.data.langchain_messages import plain_turn
from tuning.data.marks import is_context_only, marked
from tuning.data.reasoning import without_reasoning
from tuning.data.times import plausible_seconds
from tuning.errors import ExampleError

Record = Mapping[str, Any]

SPEAKERS = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user", "customer": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant",
    "bot": "assistant", "chatbot": "assistant", "bard": "assistant", "bing": "assistant", "ai": "assistant",
    "系统": "system", "用户": "user", "使用者": "user", "助手": "assistant", "助理": "assistant", "机器人": "assistant",
}  # fmt: skip
_TOOLS = ("tool", "function", "observation", "function_call", "tool_call", "tool_response", "ipython")
_LISTS = ("messages", "conversations", "conversation", "items")


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
    messages: tuple[Message, ...]  # of weight "0": answers that are not to be learned
    created: float | None = None  # seconds since 1970
    source: str = ""  # "chats.json, line 12"
    rated: tuple[RatedAnswer, ...] = ()  # where a person rated or corrected answers: only these are learned
    key: str = ""  # what it is known by in the program that it comes from: "chatgpt:6f1e…"
    record: Record | None = None  # the whole record, where branches and ratings are in Imprint's own form


def read_messages(record: Record) -> ImportedConversation | None:
    """A list of messages, by whatever names. What tools were asked and answered is left out.

    An answer that rests on a tool's result is context and not learned: the chat template would not show the result, and
    the model would learn to make it up.
    """
    turns = next(record[key] for key in _LISTS if key in record)
    messages: list[Message] = []
    if isinstance(system := record.get("system"), str) and system.strip():
        messages.append({"role": "system", "content": system})
    rests_on_tools = False
    for number, turn in enumerate(turns, start=1):
        message = _message(number, turn)
        if message is None:
            rests_on_tools = True
        elif message["role"] == "assistant":
            messages.append({**message, "weight": "0"} if rests_on_tools else message)
        else:
            rests_on_tools = rests_on_tools and message["role"] != "user"
            messages.append(message)
    return ImportedConversation(
        string_of(record.get("title")),
        tuple(marked(messages, record)),
        plausible_seconds(record.get("created")),
    )


def _message(number: int, turn: object) -> Message | None:
    """Raises `ExampleError` for what is no message; None for a tool's."""
    if not isinstance(turn, Mapping):
        raise ExampleError(f"message {number} is {shortened(repr(turn))}, not an object.")
    turn = plain_turn(turn)
    role = turn.get("role", turn.get("from", turn.get("sender")))
    name = role.strip().casefold() if isinstance(role, str) else ""
    if name in _TOOLS or turn.get("tool_calls") or turn.get("function_call"):
        return None
    if name not in SPEAKERS:
        raise ExampleError(f"message {number} has role {role!r}; known are {', '.join(SPEAKERS)}.")
    text = text_of(turn.get("content", turn.get("value", turn.get("text"))))
    return message_of(SPEAKERS[name], text, is_masked=is_context_only(turn))


def message_of(role: str, text: str, *, is_masked: bool = False) -> Message:
    """One message; an answer loses its reasoning, and its weight where it is not to be learned."""
    if role != "assistant":
        return {"role": role, "content": text}
    answer = without_reasoning(text) if "<" in text else text
    weight = {"weight": "0"} if is_masked else {}
    return {"role": role, "content": answer, **weight}


def question_and_answer(question: str, answer: str) -> list[Message]:
    """Two messages."""
    return [message_of("user", question), message_of("assistant", answer)]


def text_of(content: object) -> str:
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


def string_of(value: object) -> str:
    """The text, or nothing for a value of another kind."""
    return value if isinstance(value, str) else ""


def key_of(program: str, id: object) -> str:
    """What a conversation is known by in its program."""
    return f"{program}:{id}" if isinstance(id, str) and id.strip() else ""
