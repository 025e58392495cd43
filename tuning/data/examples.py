"""`Example`: what crosses into tuning to be learned, and its JSONL. Knows no foreign formats."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.errors import ExampleError
from tuning.storage import dumps, write_text

# {"role": "system" | "user" | "assistant", "content": text}; an answer with "weight": "0" is context and not learned.
Message = dict[str, str]

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class Example:
    """A conversation whose assistant turns are learned, save those of weight 0, and where it came from."""

    messages: tuple[
        Message, ...
    ]  # an optional system turn, then user and assistant turns; the last is assistant
    source: str = ""  # "conversation 12, turn 4", "file.md p.2"
    reason: str = ""  # why it is learned: "corrected by you", "liked", "plain turn", "imported"
    probes: tuple[str, ...] = ()  # other wordings of the last question: for evaluation, never trained on

    def __post_init__(self) -> None:
        object.__setattr__(self, "messages", tuple(checked(self.messages, "an example's messages")))
        object.__setattr__(self, "probes", tuple(self.probes))
        if self.messages[-1]["role"] != "assistant":
            found = self.messages[-1]["role"]
            raise ExampleError(
                f"An example must end with an assistant message to learn; this one ends with {found!r}."
            )
        if not is_learned(self.messages[-1]):
            raise ExampleError(
                f"The answer to {shortened(self.question)!r} is marked as not to be learned, and no other follows."
            )
        if not self.answer.strip():
            raise ExampleError(
                f"The answer to {shortened(self.question)!r} is empty: nothing can be learned from it."
            )
        if not any(m["role"] == "user" and m["content"].strip() for m in self.messages):
            raise ExampleError(
                f"The answer {shortened(self.answer)!r} has no question before it. Add a user message."
            )

    @property
    def question(self) -> str:
        """The last user message."""
        return next((m["content"] for m in reversed(self.messages) if m["role"] == "user"), "")

    @property
    def answer(self) -> str:
        """The last assistant message."""
        return self.messages[-1]["content"]

    @property
    def key(self) -> str:
        """A hash of what is learned: the same messages have the same key, whatever their source or reason."""
        text = json.dumps([list(m.values()) for m in self.messages], ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def to_dict(self) -> dict[str, Any]:
        """One JSON object: `messages`, and the other fields where they say something."""
        record: dict[str, Any] = {"messages": [_written(m) for m in self.messages]}
        if self.source:
            record["source"] = self.source
        if self.reason:
            record["reason"] = self.reason
        if self.probes:
            record["probes"] = list(self.probes)
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Example":
        """The example of `to_dict`'s object; raises `ExampleError`."""
        if "messages" not in record:
            raise ExampleError(f'An example needs "messages"; found {quoted_keys(record)}.')
        probes = record.get("probes") or ()
        if (
            not isinstance(probes, Sequence)
            or isinstance(probes, str)
            or not all(isinstance(p, str) for p in probes)
        ):
            raise ExampleError(f'"probes" must be a list of questions; found {probes!r}.')
        return cls(
            messages=record["messages"],
            source=str(record.get("source") or ""),
            reason=str(record.get("reason") or ""),
            probes=tuple(probes),
        )


def checked(messages: object, what: str) -> list[Message]:
    """`messages` as plain role and content dicts; raises `ExampleError` naming `what` and the number."""
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes) or not messages:
        raise ExampleError(
            f"{what} must be a list with at least one message; found {shortened(repr(messages))}."
        )
    plain: list[Message] = []
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, Mapping):
            found = shortened(repr(message))
            raise ExampleError(f'Message {number} of {what} must be {{"role", "content"}}; found {found}.')
        role, content = message.get("role"), message.get("content")
        if role not in ROLES:
            raise ExampleError(f"Message {number} of {what} has role {role!r}; known are {', '.join(ROLES)}.")
        if not isinstance(content, str):
            found = shortened(repr(content))
            raise ExampleError(f"Message {number} of {what} needs text as content; found {found}.")
        if role == "system" and number > 1:
            raise ExampleError(f"Message {number} of {what} is a system message; it may only come first.")
        plain.append({"role": role, "content": content})
        if role == "assistant" and _is_zero(message.get("weight")):
            plain[-1]["weight"] = "0"
    return plain


def is_learned(message: Mapping[str, str]) -> bool:
    """Whether it is an answer that is trained on, and not context alone."""
    return message["role"] == "assistant" and message.get("weight") != "0"


def _written(message: Message) -> dict[str, Any]:
    """The message as OpenAI's chat format has it."""
    return {**message, "weight": 0} if "weight" in message else dict(message)


def _is_zero(weight: object) -> bool:
    return weight == "0" or (isinstance(weight, int | float) and weight == 0)


def read_examples(path: Path | str) -> list[Example]:
    """The examples of a file that `write_examples` wrote; raises `ExampleError` with the line's number."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ExampleError(f"Cannot read the examples in {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ExampleError(
            f"{path} is not UTF-8 text; import it first, so that its format is recognised."
        ) from error
    examples = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ExampleError(f"expected a JSON object; found {shortened(line)}")
            examples.append(Example.from_dict(record))
        except json.JSONDecodeError as error:
            raise ExampleError(
                f"{path}, line {number}: not JSON ({error.msg}, column {error.colno})."
            ) from error
        except ExampleError as error:
            raise ExampleError(f"{path}, line {number}: {error}") from error
    return examples


def write_examples(path: Path | str, examples: Iterable[Example]) -> None:
    """Write one JSON object a line; the file appears whole, by rename."""
    write_text(Path(path), "".join(dumps(example.to_dict()) + "\n" for example in examples))


def shortened(text: str, limit: int = 60) -> str:
    """The text's beginning on one line, for messages."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def quoted_keys(record: Mapping[str, Any]) -> str:
    """The names that a record holds, for messages."""
    return ", ".join(f'"{key}"' for key in list(record)[:8]) or "nothing"
