"""Chat files of other programs → conversations and examples; a format is recognised by its content, not its name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tuning.data.complaints import LeftOut
from tuning.data.examples import Example, Message, shortened
from tuning.data.file_chats import FileChats, read_chats
from tuning.data.file_texts import is_archive
from tuning.data.formats import ImportedConversation
from tuning.data.reading_process import read_chats_apart
from tuning.errors import ExampleError

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


def import_file(path: Path | str, *, goes_on: bool = False) -> ImportResult:
    """Read a chat file of any known format; raises `ExampleError` where none matches, or a record is broken.

    With `goes_on`, broken records are left out and listed instead. Large files and archives are read in a process
    of their own, whose time and memory are limited.
    """
    path = Path(path)
    if path.is_dir():
        raise ExampleError(f"{path} is a folder; give the files in it.")
    read = read_chats if _is_small(path) else read_chats_apart
    return _result(path, read(path, goes_on))


def _is_small(path: Path) -> bool:
    try:
        return path.stat().st_size <= SMALL_BYTES and path.is_file() and not is_archive(path)
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
        path, found.format, tuple(conversations), skipped, tuple(examples), tuple(found.left_out)
    )


def conversations_to_examples(conversations: Iterable[ImportedConversation]) -> list[Example]:
    """One example a conversation, up to its last answer; none for one without question and answer.

    Where a person rated answers, each corrected or liked one is an example of its own, and nothing else is.
    """
    examples: list[Example] = []
    for conversation in conversations:
        if conversation.rated:
            examples += _rated_examples(conversation)
            continue
        messages = _alternating(conversation.messages)
        while messages and messages[-1]["role"] != "assistant":
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
    roles: list[str] = []
    texts: list[list[str]] = []  # joined at the end: a file may hold a million messages of one role
    for message in messages:
        role, content = message["role"], message["content"]
        if (
            not content.strip()
            or (role == "system" and roles)
            or (role == "assistant" and "user" not in roles[:2])
        ):
            continue
        if roles and roles[-1] == role:
            texts[-1].append(content)
        else:
            roles.append(role)
            texts.append([content])
    return [{"role": r, "content": "\n\n".join(parts)} for r, parts in zip(roles, texts, strict=True)]


def _title(messages: Iterable[Message]) -> str:
    return shortened(next((m["content"] for m in messages if m["role"] == "user"), ""))
