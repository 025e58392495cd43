"""Chat files of other programs → conversations and examples; a format is recognised by its content, not its name."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tuning.data.columnar import is_columnar
from tuning.data.complaints import LeftOut
from tuning.data.examples import Example, Message, is_learned, shortened
from tuning.data.file_chats import FileChats, read_chats
from tuning.data.file_texts import is_archive
from tuning.data.imported import ImportedConversation
from tuning.data.reading_process import read_chats_apart
from tuning.errors import ExampleError

PLACEHOLDER = re.compile(r"\{\{\s*[\w.\- ]{1,60}\}\}")
SMALL_BYTES = 256 << 10  # what is no larger cannot cost much, and needs no process of its own


@dataclass(frozen=True)
class ImportResult:
    """What a file held: conversations to read, and the examples that can be learned from them."""

    path: Path
    format: str
    conversations: tuple[ImportedConversation, ...]
    skipped: int  # records with nothing to read, or no answer to learn
    examples: tuple[Example, ...] = ()
    left_out: tuple[LeftOut, ...] = ()  # what cannot be read, where the reading was to go on
    notes: tuple[str, ...] = ()  # what a person should know of what was read, in sentences


def import_file(path: Path | str, *, goes_on: bool = False) -> ImportResult:
    """Read a chat file of any known format; raises `ExampleError` where none matches, or a record is broken.

    With `goes_on`, broken records are left out and listed instead. Large files, archives, tables and the folders of
    data sets are read in a process of their own, whose time and memory are limited.
    """
    path = Path(path)
    read = read_chats if _is_small(path) else read_chats_apart
    return _result(path, read(path, goes_on))


def _is_small(path: Path) -> bool:
    try:
        return (
            path.stat().st_size <= SMALL_BYTES
            and path.is_file()
            and not (is_archive(path) or is_columnar(path))
        )
    except OSError as error:
        raise ExampleError(f"Cannot read {path}: {error.strerror or error}.") from error


def _result(path: Path, found: FileChats) -> ImportResult:
    conversations: list[ImportedConversation] = []
    examples: list[Example] = []
    skipped = found.empty
    for chat in found.chats:
        if isinstance(chat, Example):
            examples.append(chat)
            title = shortened(chat.question)
            conversations.append(ImportedConversation(title, chat.messages, source=chat.source))
            continue
        conversation = replace(chat, title=chat.title or _title(chat.messages))
        learned = conversations_to_examples([conversation])
        conversations.append(conversation)
        examples += learned
        skipped += not learned
    if not conversations and found.left_out:
        first = found.left_out[0]
        raise ExampleError(f"None of the chats in {path} can be read. {first.place}: {first.reason}")
    if not conversations:
        raise ExampleError(
            f"{path} is {found.title}, but none of its {found.records} records has an answer to learn."
        )
    return ImportResult(
        path,
        found.format,
        tuple(conversations),
        skipped,
        tuple(examples),
        tuple(found.left_out),
        tuple(_notes(conversations)),
    )


def _notes(conversations: Sequence[ImportedConversation]) -> Iterator[str]:
    masked = sum("weight" in message for one in conversations for message in one.messages)
    if masked:
        yield (
            f"{masked:,} answers are marked as not to be learned: they are read as context alone."
            if masked > 1
            else "1 answer is marked as not to be learned: it is read as context alone."
        )
    unfilled = [found for one in conversations if (found := _placeholder(one.messages))]
    if unfilled:
        yield (
            f"{len(unfilled):,} of {len(conversations):,} chats hold placeholders that nobody filled in, such as "
            f"{unfilled[0]}: they would be learned as they stand."
        )


def _placeholder(messages: Iterable[Message]) -> str:
    """The first placeholder of a template in the messages; empty where there is none."""
    return next((found[0] for m in messages if (found := PLACEHOLDER.search(m["content"]))), "")


def conversations_to_examples(conversations: Iterable[ImportedConversation]) -> list[Example]:
    """One example a conversation, up to its last answer to learn; none for one without question and answer.

    Where a person rated answers, each corrected or liked one is an example of its own, and nothing else is.
    """
    examples: list[Example] = []
    for conversation in conversations:
        if conversation.rated:
            examples += _rated_examples(conversation)
            continue
        messages = _alternating(conversation.messages)
        while messages and not is_learned(messages[-1]):
            messages.pop()
        if any(m["role"] == "user" for m in messages):
            examples.append(Example(tuple(messages), source=conversation.source, reason="imported"))
    return examples


def _rated_examples(conversation: ImportedConversation) -> Iterator[Example]:
    system = tuple(m for m in conversation.messages[:1] if m["role"] == "system")
    for turn in conversation.rated:
        asked = {"role": "user", "content": turn.question}
        answer = {"role": "assistant", "content": turn.answer}
        yield Example((*system, asked, answer), source=conversation.source, reason=turn.reason)


def _alternating(messages: Iterable[Message]) -> list[Message]:
    """Turns as a chat template takes them: system first, then user and assistant in turn; none is empty."""
    runs: list[list[Message]] = []  # joined at the end: a file may hold a million messages of one role
    for rated in messages:
        message = {
            key: value for key, value in rated.items() if key != "rating"
        }  # of no use where it is context
        role = message["role"]
        if (
            not message["content"].strip()
            or (role == "system" and runs)
            or (role == "assistant" and "user" not in [run[0]["role"] for run in runs[:2]])
        ):
            continue
        if runs and runs[-1][0]["role"] == role:
            runs[-1].append(message)
        else:
            runs.append([message])
    return [_joined(run) for run in runs]


def _joined(run: Sequence[Message]) -> Message:
    """One message of several by one speaker; beside an answer to learn, one that is not to be learned is left out."""
    kept = [message for message in run if is_learned(message)] or run
    return {**kept[0], "content": "\n\n".join(message["content"] for message in kept)}


def _title(messages: Iterable[Message]) -> str:
    return shortened(next((m["content"] for m in messages if m["role"] == "user"), ""))
