"""Chat files of other programs → conversations and examples; a format is recognised by its content, not its name."""

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuning.data.examples import Example, Message, quoted_keys, shortened
from tuning.data.file_records import (
    DELIMITERS,
    Record,
    json_records,
    looks_like_json,
    named_rows,
    table_rows,
    texts,
)
from tuning.data.formats import IMPORTERS, ImportedConversation, Importer
from tuning.data.text_labels import unnamed_labels
from tuning.errors import ExampleError

WRAPPERS = ("data", "examples", "conversations", "items", "rows", "train")


@dataclass(frozen=True)
class ImportResult:
    """What a file held: conversations to read, and the examples that can be learned from them."""

    path: Path
    format: str
    conversations: tuple[ImportedConversation, ...]
    skipped: int  # records with nothing to read, or no answer to learn
    examples: tuple[Example, ...] = ()


def import_file(path: Path | str) -> ImportResult:
    """Read a chat file of any known format; raises `ExampleError` where none matches, or a line is broken."""
    path = Path(path)
    if path.is_dir():
        raise ExampleError(f"{path} is a folder; give the files in it.")
    parts = [_imported(text, source) for source, text in texts(path)]
    return replace(
        parts[0],
        path=path,
        conversations=tuple(c for part in parts for c in part.conversations),
        examples=tuple(e for part in parts for e in part.examples),
        skipped=sum(part.skipped for part in parts),
    )


def _imported(text: str, path: Path) -> ImportResult:
    importer, records = recognised(text, path)
    conversations: list[ImportedConversation] = []
    examples: list[Example] = []
    skipped = 0
    for line, found in _read(importer, records, path):
        source = f"{path.name}, line {line}"
        if isinstance(found, Example):
            found = found if found.source else replace(found, source=source)
            examples.append(found)
            conversations.append(
                ImportedConversation(shortened(found.question), found.messages, source=found.source)
            )
            continue
        if found is None or not found.messages:
            skipped += 1
            continue
        conversation = replace(found, source=source, title=found.title or _title(found.messages))
        learned = conversations_to_examples([conversation])
        conversations.append(conversation)
        examples += learned
        skipped += not learned
    if not conversations:
        raise ExampleError(
            f"{path} is {importer.title}, but none of its {len(records)} records has an answer to learn."
        )
    return ImportResult(path, importer.name, tuple(conversations), skipped, tuple(examples))


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


def recognised(text: str, path: Path) -> tuple[Importer, list[tuple[int, Mapping[str, Any]]]]:
    """The format of a text and its records; raises `ExampleError` naming what was found instead."""
    if looks_like_json(text):
        records = _unwrapped(list(json_records(text, path)))
        found = f"its first record holds {quoted_keys(records[0][1])}" if records else "it holds no records"
    else:
        records, found = _table(text, path)
    importer = next((i for i in IMPORTERS if any(i.matches(r) for _, r in records)), None)
    if importer is None:
        known = ", ".join(i.title for i in IMPORTERS)
        raise ExampleError(f"{path} is in no known format: {found}. Known are {known}.")
    for line, record in records:
        if not (importer.matches(record) or (importer.accepts and importer.accepts(record))):
            like = next(n for n, r in records if importer.matches(r))
            raise ExampleError(
                f"{path}, line {line}: expected {importer.title} as in line {like}; "
                f"found a record with {quoted_keys(record)}."
            )
    return importer, records


def _read(
    importer: Importer, records: Sequence[tuple[int, Mapping[str, Any]]], path: Path
) -> Iterator[tuple[int, "ImportedConversation | Example | None"]]:
    """What the importer makes of each record; its complaints get the file and the line in front."""
    read = importer.reader([record for _, record in records])
    for line, record in records:
        try:
            yield line, read(record)
        except ExampleError as error:
            raise ExampleError(f"{path}, line {line}: {error}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # nested values of any other shape
            raise ExampleError(f"{path}, line {line}: not shaped as {importer.title} ({error!r}).") from error


def _importer_of(record: Mapping[str, Any]) -> Importer | None:
    return next((i for i in IMPORTERS if i.matches(record)), None)


def _unwrapped(values: list[Record]) -> list[tuple[int, Mapping[str, Any]]]:
    """Records of JSON values: a list of messages is a conversation; an object around a list is unwrapped."""
    values = [(line, {"messages": v} if isinstance(v, list) else v) for line, v in values]
    if values and all(_is_message(v) for _, v in values):
        values = [(values[0][0], {"messages": [v for _, v in values]})]
    if len(values) == 1 and isinstance(values[0][1], dict) and _importer_of(values[0][1]) is None:
        line, whole = values[0]
        inner = next((whole[k] for k in WRAPPERS if isinstance(whole.get(k), list)), None)
        values = [(line, v) for v in inner] if inner is not None else values
    return [(line, v if isinstance(v, dict) else {"": v}) for line, v in values]


def _table(text: str, path: Path) -> tuple[list[tuple[int, Mapping[str, Any]]], str]:
    first = io.StringIO(text, newline=None).readline().rstrip("\n")  # where csv, too, ends a line
    for delimiter in DELIMITERS:
        if delimiter not in first:
            continue
        rows = table_rows(text, delimiter, path)
        records = named_rows(rows)
        if records and _importer_of(records[0][1]):
            return [(line, {k: v for k, v in row.items() if k}) for line, row in records], ""
        if unnamed := unnamed_labels(rows):
            return list(unnamed), ""
    return [], f"it begins with {shortened(first)!r}"


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and any(
        {r, c} <= value.keys() for r, c in (("role", "content"), ("from", "value"))
    )


def _rated_examples(conversation: ImportedConversation) -> Iterator[Example]:
    system = tuple(m for m in conversation.messages[:1] if m["role"] == "system")
    for turn in conversation.rated:
        asked = {"role": "user", "content": turn.question}
        answer = {"role": "assistant", "content": turn.answer}
        yield Example((*system, asked, answer), source=conversation.source, reason=turn.reason)


def _alternating(messages: Iterable[Message]) -> list[Message]:
    """Turns as a chat template takes them: system first, then user and assistant in turn; none is empty."""
    kept: list[Message] = []
    for message in messages:
        role, content = message["role"], message["content"]
        if (
            not content.strip()
            or (role == "system" and kept)
            or (role == "assistant" and not _has_user(kept))
        ):
            continue
        if kept and kept[-1]["role"] == role:
            kept[-1] = {"role": role, "content": kept[-1]["content"] + "\n\n" + content}
        else:
            kept.append({"role": role, "content": content})
    return kept


def _has_user(messages: Iterable[Message]) -> bool:
    return any(m["role"] == "user" for m in messages)


def _title(messages: Iterable[Message]) -> str:
    return shortened(next((m["content"] for m in messages if m["role"] == "user"), ""))
