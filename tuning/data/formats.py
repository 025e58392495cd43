"""What each foreign chat format looks like, one entry a format, and the plain ones' readers. Opens no files."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuning.data.chat_exports import (
    is_open_webui,
    read_chatgpt,
    read_claude,
    read_open_webui,
    read_rated,
)
from tuning.data.chatml import is_chatml, read_chatml
from tuning.data.examples import Example, Message, shortened
from tuning.data.gemini import is_gemini, read_gemini
from tuning.data.imported import (
    ImportedConversation,
    Record,
    question_and_answer,
    read_messages,
)
from tuning.data.librechat import is_librechat, read_librechat
from tuning.data.marks import judgement, marked
from tuning.data.message_parts import text_of
from tuning.data.preference_records import is_preference, read_preference
from tuning.data.text_labels import ENTITIES, LABELLED, has_entities, is_labelled, labelled_reader
from tuning.data.transcripts import is_transcript, read_transcript
from tuning.errors import ExampleError

Read = Callable[[Record], "ImportedConversation | Example | None"]

EXPORTED = "imprint-conversation"  # the "format" of a conversation that Imprint exported
INSTRUCTIONS = (("instruction", "output"), ("instruction", "response"))
PAIRS = (
    ("prompt", "response"), ("question", "answer"), ("prompt", "completion"), ("query", "response"),
    ("query", "answer"), ("input", "output"), ("问题", "答案"), ("问题", "回答"),
)  # fmt: skip


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


def _instruction(record: Record) -> ImportedConversation | None:
    asked = [text_of(record.get(key)) for key in ("instruction", "input", "context")]
    answered = next(record[key] for _, key in INSTRUCTIONS if key in record)
    if isinstance(answered, list):  # answers to one question, the best one first
        answered = answered[0] if answered else None
    return _turns(record, "\n".join(part for part in asked if part.strip()), text_of(answered))


def _chatglm(record: Record) -> ImportedConversation | None:
    return _turns(record, text_of(record["content"]), text_of(record["summary"]))


def _pair(record: Record) -> ImportedConversation | None:
    asked, answered = next((a, b) for a, b in PAIRS if a in record and b in record)
    return _turns(record, text_of(record[asked]), text_of(record[answered]))


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
        messages += question_and_answer(text_of(earlier[0]), text_of(earlier[1]))
    messages += question_and_answer(question, answer)
    return ImportedConversation("", tuple(marked(messages, record)))


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


def _imprint(record: Record) -> "ImportedConversation | Example | None":
    return Example.from_dict(record)


def _labelled(records: Sequence[Record]) -> Read:
    turns_of = labelled_reader(records)

    def read(record: Record) -> Example | None:
        turns = turns_of(record)
        reason = ENTITIES if has_entities(record) else LABELLED
        return Example(tuple(question_and_answer(*turns)), reason=reason) if turns else None

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
        or any(isinstance(t, Mapping) and (t.get("correction") or judgement(t)) for t in turns)
    )


HOLDS_MESSAGES = _holds_list("messages")
IMPORTERS: tuple[Importer, ...] = (  # the first that matches a record reads the file
    Importer("librechat", "LibreChat's conversations", is_librechat, _alone(read_librechat)),
    Importer("imprint", "Imprint examples", _is_imprint, _alone(_imprint), accepts=HOLDS_MESSAGES),
    Importer("imprint-chat", "Imprint conversations", _is_rated, _alone(read_rated), accepts=HOLDS_MESSAGES),
    Importer("open-webui", "Open WebUI's chats", is_open_webui, _alone(read_open_webui)),
    Importer("preferences", "preferences {chosen, rejected}", is_preference, _alone(read_preference)),
    Importer("openai", 'OpenAI chat {"messages"}', HOLDS_MESSAGES, _alone(read_messages)),
    Importer("chatgpt", "ChatGPT's conversations.json", lambda r: "mapping" in r, _alone(read_chatgpt)),
    Importer("claude", "Claude's conversations.json", _holds_list("chat_messages"), _alone(read_claude)),
    Importer(
        "sharegpt",
        'ShareGPT {"conversations"}',
        _holds_list("conversations", "conversation", "items"),
        _alone(read_messages),
    ),
    Importer("alpaca", "Alpaca {instruction, input, output}", _holds(*INSTRUCTIONS), _alone(_instruction)),
    Importer("chatglm", "ChatGLM {content, summary}", _holds(("content", "summary")), _alone(_chatglm)),
    Importer("pairs", "questions and answers", _holds(*PAIRS), _alone(_pair)),
    Importer("gemini", 'Gemini {"contents"}', is_gemini, _alone(read_gemini)),
    Importer("chatml", "ChatML <|im_start|>…", is_chatml, _alone(read_chatml)),
    Importer("transcript", "transcripts (User: … Assistant: …)", is_transcript, _alone(read_transcript)),
    Importer("labelled", "labelled text {text, label}", is_labelled, _labelled),
)
