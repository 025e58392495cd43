"""Stored conversations → files that other programs train from: the answers as they were corrected, rated and chosen.

`transfer` writes what Imprint itself reads back, with every branch; here is only what is to be learned.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.records import CONTEXT, QUOTED, VERBATIM, StoredConversation, StoredMessage
from assistant.storage import write_json, write_whole
from tuning.data.examples import Message
from tuning.data.exporters import (
    CHAT_EXPORTERS,
    MESSAGE_FEATURES,
    ExportedChat,
    JudgedAnswer,
    RejectedAnswer,
    to_jsonl,
)

# What to say where no conversation holds anything for a format.
_WANTED = {
    "dpo": "no corrected answer, and no question with a liked and a disliked one",
    "kto": "no rated or corrected answer",
}


def training_file(store: ConversationStore, ids: Sequence[int], form: str) -> str:
    """The conversations in a format of `CHAT_EXPORTERS`, one JSON object a line.

    Raises ConversationError where one is not there, or none holds what the format is for.
    """
    chats = [exported_chat(store.get(id), store.all_messages(id)) for id in ids]
    text = to_jsonl(chats, CHAT_EXPORTERS[form])
    if not text:
        found = _WANTED.get(form, "no question with an answer that may be learned")
        raise ConversationError(
            f"Nothing to export as {form!r}: the {len(chats)} conversations hold {found}."
        )
    return text


def write_dataset(store: ConversationStore, ids: Sequence[int], folder: Path) -> list[Path]:
    """Write a folder that `datasets.load_dataset(FOLDER)` opens. Raises ConversationError, also where it exists."""
    if folder.exists():
        raise ConversationError(f"{folder} exists already. Choose another name, or remove it first.")
    text = training_file(store, ids, "openai")
    folder.mkdir(parents=True)
    rows, about = folder / "train.jsonl", folder / "dataset_info.json"
    write_whole(rows, text, private=True)
    splits = {"train": {"name": "train", "num_examples": text.count("\n"), "num_bytes": len(text.encode())}}
    write_json(about, {"features": MESSAGE_FEATURES, "splits": splits}, ConversationError)
    return [about, rows]


def exported_chat(conversation: StoredConversation, all_messages: Sequence[StoredMessage]) -> ExportedChat:
    """The active branch, corrections in place; disliked answers as context, and what was thought of each answer."""
    turns = _alternating(conversation.messages)
    messages = tuple(_learned(message) for message in turns)
    judged: list[JudgedAnswer] = []
    rejected: list[RejectedAnswer] = []
    for place, message in enumerate(turns):
        if message.role == "assistant":
            prompt = tuple(_plain(one) for one in messages[:place])
            judged += _judged(prompt, message)
            rejected += _rejected(prompt, message, all_messages)
    return ExportedChat(messages, tuple(rejected), tuple(judged))


def _alternating(messages: Sequence[StoredMessage]) -> list[StoredMessage]:
    """A system turn, then questions with their answers; what stands alone or is empty is left out."""
    kept: list[StoredMessage] = []
    for message in messages:
        is_empty = not (message.correction or message.content).strip()
        if message.role == "system":
            kept += [message] if not kept and not is_empty else []
        elif message.role == "user":
            kept = kept[:-1] if kept and kept[-1].role == "user" else kept
            kept += [] if is_empty else [message]
        elif kept and kept[-1].role == "user" and not is_empty:
            kept.append(message)
    return kept[:-1] if kept and kept[-1].role != "assistant" else kept


def _learned(message: StoredMessage) -> Message:
    text = message.correction or message.content
    is_masked = (
        message.role == "assistant"
        and not message.correction
        and (message.rating < 0 or not _is_whole(message))
    )
    return {"role": message.role, "content": text} | ({"weight": "0"} if is_masked else {})


def _is_whole(message: StoredMessage) -> bool:
    is_freed = message.ending == CONTEXT and message.rating > 0
    return message.status == "complete" and (is_freed or message.ending in ("", VERBATIM, QUOTED))


def _plain(message: Message) -> Message:
    return {"role": message["role"], "content": message["content"]}


def _judged(prompt: tuple[Message, ...], message: StoredMessage) -> Iterator[JudgedAnswer]:
    if message.correction:
        yield JudgedAnswer(prompt, message.correction, True)
        if message.content.strip():
            yield JudgedAnswer(prompt, message.content, False)
    elif message.rating:
        yield JudgedAnswer(prompt, message.content, message.rating > 0)


def _rejected(
    prompt: tuple[Message, ...], message: StoredMessage, all_messages: Sequence[StoredMessage]
) -> Iterator[RejectedAnswer]:
    """A correction over its answer; a liked answer over a disliked one to the same question."""
    if message.correction and message.content.strip() not in ("", message.correction.strip()):
        yield RejectedAnswer(prompt, message.correction, message.content)
    siblings = [one for one in all_messages if one.parent_id == message.parent_id and one.role == "assistant"]
    liked = [one.content for one in siblings if one.rating > 0 and one.content.strip()]
    disliked = [
        one.content for one in siblings if one.rating < 0 and not one.correction and one.content.strip()
    ]
    for chosen, other in zip(liked, disliked, strict=False):
        if chosen.strip() != other.strip():
            yield RejectedAnswer(prompt, chosen, other)
