"""What a foreign record becomes: a conversation of plain text, with what may not be learned of it marked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tuning.data.examples import Message, shortened
from tuning.data.langchain_messages import plain_turn
from tuning.data.marks import disliked, is_context_only, judgement, marked
from tuning.data.message_parts import content_of, ends_with_a_call, text_of, uses_tools
from tuning.data.reasoning import without_reasoning
from tuning.data.times import plausible_seconds
from tuning.errors import ExampleError

Record = Mapping[str, Any]

SPEAKERS = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user", "customer": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant",
    "bot": "assistant", "chatbot": "assistant", "bard": "assistant", "bing": "assistant", "ai": "assistant",
    "usermessage": "user", "apimessage": "assistant",
    "系统": "system", "用户": "user", "使用者": "user", "助手": "assistant", "助理": "assistant", "机器人": "assistant",
}  # fmt: skip
_TOOLS = ("tool", "function", "observation", "function_call", "tool_call", "tool_response", "ipython")
_LISTS = ("messages", "conversations", "conversation", "items")


@dataclass(frozen=True)
class Turn:
    """One message of a file: as it stands there, and as a message of plain text."""

    record: Record
    message: Message


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
    # Of weight "0": answers that are not to be learned; with a "rating" of "-1" since somebody disliked them.
    messages: tuple[Message, ...]
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
    messages += [turn.message for turn in turns_of(turns)]
    return ImportedConversation(
        string_of(record.get("title")),
        tuple(marked(messages, record)),
        plausible_seconds(record.get("created")),
    )


def turns_of(turns: Iterable[object]) -> Iterator[Turn]:
    """What people and models said in a list of messages. Raises `ExampleError` for what is no message."""
    rests_on_tools = False
    for number, turn in enumerate(turns, start=1):
        record, role, content = _turn(number, turn)
        text = text_of(content)
        is_tools = role == "tool" or (uses_tools(content) and (not text.strip() or ends_with_a_call(content)))
        rests_on_tools = uses_tools(content) or is_tools or (rests_on_tools and role != "user")
        if is_tools:
            continue
        is_masked = is_context_only(record) or rests_on_tools
        message = message_of(role, text, is_masked=is_masked)
        yield Turn(record, disliked(message) if judgement(record) < 0 else message)


def _turn(number: int, turn: object) -> tuple[Record, str, object]:
    """The turn with its role, "tool" for a tool's or a call of one, and its content."""
    if not isinstance(turn, Mapping):
        raise ExampleError(f"message {number} is {shortened(repr(turn))}, not an object.")
    turn = plain_turn(turn)
    role = turn.get("role", turn.get("from", turn.get("sender")))
    name = role.strip().casefold() if isinstance(role, str) else ""
    if name in _TOOLS or turn.get("tool_calls") or turn.get("function_call"):
        return turn, "tool", None
    if name not in SPEAKERS:
        raise ExampleError(f"message {number} has role {role!r}; known are {', '.join(SPEAKERS)}.")
    return turn, SPEAKERS[name], content_of(turn)


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


def string_of(value: object) -> str:
    """The text, or nothing for a value of another kind."""
    return value if isinstance(value, str) else ""


def key_of(program: str, id: object) -> str:
    """What a conversation is known by in its program."""
    return f"{program}:{id}" if isinstance(id, str) and id.strip() else ""
