"""One file of a known format → the chats in it, each with its place. Counts and learns nothing."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tuning.data.chatml import chatml_records, looks_like_chatml
from tuning.data.complaints import Complaints, LeftOut
from tuning.data.examples import Example, Message, quoted_keys, shortened
from tuning.data.feedback_files import feedback_of, is_feedback, with_feedback
from tuning.data.file_contents import Content, contents, set_aside
from tuning.data.file_records import (
    DELIMITERS,
    Record,
    json_records,
    looks_like_json,
    named_rows,
    table_rows,
)
from tuning.data.formats import IMPORTERS, Importer, Read
from tuning.data.imported import ImportedConversation, RatedAnswer
from tuning.data.scales import without_scales
from tuning.data.storable import storable
from tuning.data.text_labels import unnamed_labels
from tuning.data.transcripts import looks_like_transcript, transcript_records
from tuning.errors import ExampleError

WRAPPERS = ("data", "examples", "conversations", "items", "rows", "train")
# Of a message: OpenAI's, ShareGPT's, and LangChain's three.
MESSAGE_KEYS = (
    {"role", "content"},
    {"from", "value"},
    {"type", "data"},
    {"lc", "kwargs"},
    {"type", "content"},
)
RECOGNISED_WITHIN = 1000  # records: where none of them is of a known format, the others are not read
MAX_CHARACTERS = 16 << 20  # of one chat
MAX_MESSAGES = 20_000  # of one chat
MAX_FILE_MESSAGES = 500_000  # each of them becomes a row
FIRST_LINE = re.compile(r"[^\r\n]*")  # where csv, too, ends a line

# What a format's reader raises over nested values of any other shape.
MISSHAPEN = (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError)
FileChat = ImportedConversation | Example
Records = list[tuple[int, Mapping[str, Any]]]


class UnknownFormatError(ExampleError):
    """A file is of no known format; among several files it is left out."""


@dataclass(frozen=True)
class FileChats:
    """What a file held, and what was left out of it."""

    format: str
    title: str  # the format, in words
    records: int
    chats: tuple[FileChat, ...]
    empty: int = 0  # records with nothing to read
    left_out: tuple[LeftOut, ...] = ()


def read_chats(path: Path, goes_on: bool = False) -> FileChats:
    """The chats of a file of any known format; raises `ExampleError` where none matches, or a record is broken.

    With `goes_on`, broken records are left out and listed instead.
    """
    complaints = Complaints(goes_on)
    parts: list[FileChats] = []
    named = contents(path)
    found = [(source, content) for source, content in named if not is_feedback(source)] or named
    feedback = feedback_of(content for source, content in named if is_feedback(source))
    for source, content in found:
        try:
            parts.append(_chats(content, source, complaints, feedback))
        except ExampleError as error:
            may_be_left_out = goes_on or isinstance(error, UnknownFormatError)
            if len(found) == 1 or not may_be_left_out:
                raise
            complaints.left_out.append(LeftOut(source.name, str(error)))
    if not parts:
        raise ExampleError(f"{path}: {complaints.left_out[0].reason}")
    for file in set_aside(path):
        complaints.left_out.append(
            LeftOut(file.name, "the folder says by its names that it is not to train on.")
        )
    return FileChats(
        parts[0].format,
        parts[0].title,
        sum(part.records for part in parts),
        tuple(chain.from_iterable(part.chats for part in parts)),
        sum(part.empty for part in parts),
        tuple(complaints.left_out),
    )


def _chats(content: Content, path: Path, complaints: Complaints, feedback: Mapping[str, int]) -> FileChats:
    importer, records = recognised(content, path, complaints)
    if importer.name == "chatgpt" and feedback:
        records = [(line, with_feedback(record, feedback)) for line, record in records]
    chats: list[FileChat] = []
    empty = messages = 0
    for line, found in _read(importer, records, path, complaints):
        if found is None or not (found.messages or _is_export(found)):
            empty += 1
            complaints.note(path, line, "it holds nothing to read, or rests on what a tool answered.")
            continue
        messages += len(found.messages)
        if messages > MAX_FILE_MESSAGES:
            raise ExampleError(f"{path} has more than {MAX_FILE_MESSAGES:,} messages. Split it.")
        source = f"{path.name}, line {line}"
        chats.append(_storable(found if found.source else replace(found, source=source)))
    return FileChats(importer.name, importer.title, len(records), tuple(chats), empty)


def recognised(content: Content, path: Path, complaints: Complaints) -> tuple[Importer, Records]:
    """The format of a text or table and its records; raises `ExampleError` naming what was found instead."""
    records, found = _records(content, path, complaints)
    records = without_scales(records)
    importer = _importer_of_most(records)
    if importer is None:
        if complaints.left_out:
            found = f"line {complaints.left_out[0].place.rpartition(' ')[2]}: {complaints.left_out[0].reason}"
        raise _unknown(path, found)
    like = next(line for line, record in records if importer.matches(record))
    return importer, list(_of_one_format(importer, records, path, like, complaints))


def _importer_of_most(records: Records) -> Importer | None:
    """The first format that reads the most records, so that some damaged ones do not speak for the file."""

    def count(importer: Importer) -> int:
        read = [bool(importer.accepts and importer.accepts(record)) for _, record in records]
        own = [importer.matches(record) for _, record in records]
        return sum(map(max, own, read)) if any(own) else 0

    counts = [count(importer) for importer in IMPORTERS]
    return IMPORTERS[counts.index(max(counts))] if max(counts) else None


def _records(content: Content, path: Path, complaints: Complaints) -> tuple[Records, str]:
    """The records, and what is said of them where they are of no known format."""
    if isinstance(content, str) and looks_like_chatml(content):
        return list(chatml_records(content)), "it begins as ChatML and has no turn"
    if isinstance(content, str) and not looks_like_json(content):
        if looks_like_transcript(content):
            return list(transcript_records(content)), "it begins as a transcript and has no answer"
        return _table(content, path)
    values = _json_values(content, path, complaints) if isinstance(content, str) else content
    records = _unwrapped(values)
    found = f"its first record holds {quoted_keys(records[0][1])}" if records else "it holds no records"
    return records, found


def _of_one_format(
    importer: Importer, records: Records, path: Path, like: int, complaints: Complaints
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, (line, record) in enumerate(records, start=1):
        if importer.matches(record) or (importer.accepts and importer.accepts(record)):
            yield line, record
        else:
            reason = (
                f"expected {importer.title} as in line {like}; found a record with {quoted_keys(record)}"
                f" (record {number}{_named(record)})."
            )
            complaints.add(path, line, reason)


def _named(record: Mapping[str, Any]) -> str:
    name = record.get("title", record.get("name"))
    return f", {shortened(name)!r}" if isinstance(name, str) and name.strip() else ""


def _json_values(text: str, path: Path, complaints: Complaints) -> list[Record]:
    """All values, unless the first ones are of no known format."""
    values = json_records(text, path, complaints)
    first = list(islice(values, RECOGNISED_WITHIN))
    if len(first) == RECOGNISED_WITHIN and not any(
        isinstance(value, list) or _is_message(value) or _importer_of(value) for _, value in first
    ):
        raise _unknown(path, f"its first {RECOGNISED_WITHIN:,} records are of none")
    return [*first, *values]


def _unknown(path: Path, found: str) -> ExampleError:
    known = ", ".join(importer.title for importer in IMPORTERS)
    return UnknownFormatError(f"{path} is in no known format: {found}. Known are {known}.")


def _read(
    importer: Importer, records: Records, path: Path, complaints: Complaints
) -> Iterator[tuple[int, FileChat | None]]:
    """What the importer makes of each record; its complaints get the file and the line in front."""
    read = _reader(importer, records, path, complaints)
    for line, record in records:
        try:
            found = read(record)
            if found is not None:
                _check_size(found)
        except ExampleError as error:
            complaints.add(path, line, str(error))
        except MISSHAPEN:
            complaints.add(path, line, _misshapen(importer))
        else:
            yield line, found


def _reader(importer: Importer, records: Records, path: Path, complaints: Complaints) -> Read:
    """The importer's function for one record; records that confuse it are complained of and taken out first."""
    try:
        return importer.reader([record for _, record in records])
    except MISSHAPEN:
        kept: Records = []
        for line, record in records:
            try:
                importer.reader([record])
                kept.append((line, record))
            except MISSHAPEN:
                complaints.add(path, line, _misshapen(importer))
        records[:] = kept
        return importer.reader([record for _, record in records])


def _misshapen(importer: Importer) -> str:
    return f"not shaped as {importer.title}: a value in it is of another kind."


def _importer_of(record: object) -> Importer | None:
    return next((i for i in IMPORTERS if isinstance(record, dict) and i.matches(record)), None)


def _unwrapped(values: list[Record]) -> Records:
    """Records of JSON values: a list of messages is a conversation; an object around a list is unwrapped."""
    values = [(line, {"messages": v} if isinstance(v, list) else v) for line, v in values]
    if values and all(_is_message(v) for _, v in values):
        values = [(values[0][0], {"messages": [v for _, v in values]})]
    if len(values) == 1 and isinstance(values[0][1], dict) and _importer_of(values[0][1]) is None:
        line, whole = values[0]
        inner = next((whole[k] for k in WRAPPERS if isinstance(whole.get(k), list)), None)
        values = [(line, v) for v in inner] if inner is not None else values
    return [(line, v if isinstance(v, dict) else {"": v}) for line, v in values]


def _table(text: str, path: Path) -> tuple[Records, str]:
    first = FIRST_LINE.match(text)[0]  # type: ignore[index]
    for delimiter in DELIMITERS:
        if delimiter not in first:
            continue
        rows = table_rows(text, delimiter, path)
        records = named_rows(rows, path)
        if records and _importer_of(records[0][1]):
            return [(line, {k: v for k, v in row.items() if k}) for line, row in records], ""
        if unnamed := unnamed_labels(rows):
            return list(unnamed), ""
    return [], f"it begins with {shortened(first)!r}"


def _is_message(value: object) -> bool:
    return isinstance(value, dict) and any(keys <= value.keys() for keys in MESSAGE_KEYS)


def _check_size(chat: FileChat) -> None:
    """Raises `ExampleError` for a chat that no program could show."""
    if len(chat.messages) > MAX_MESSAGES:
        raise ExampleError(f"the chat has more than {MAX_MESSAGES:,} messages.")
    if sum(len(message["content"]) for message in chat.messages) > MAX_CHARACTERS:
        raise ExampleError(f"the chat has more than {MAX_CHARACTERS >> 20} million characters.")


def _is_export(chat: FileChat) -> bool:
    return isinstance(chat, ImportedConversation) and chat.record is not None


def _storable(chat: FileChat) -> FileChat:
    source = storable(chat.source)
    if isinstance(chat, Example):
        probes = tuple(storable(probe) for probe in chat.probes)
        return replace(chat, messages=_storable_messages(chat.messages), source=source, probes=probes)
    rated = tuple(RatedAnswer(storable(one.question), storable(one.answer), one.reason) for one in chat.rated)
    title, key = storable(chat.title), storable(chat.key)
    messages = _storable_messages(chat.messages)
    return replace(chat, title=title, messages=messages, source=source, key=key, rated=rated)


def _storable_messages(messages: Iterable[Message]) -> tuple[Message, ...]:
    return tuple({**m, "content": storable(m["content"])} for m in messages)
