"""Files of other programs, or of Imprint, read into the store of conversations; no page and no command."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import AssistantError, ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.importing import Imported, import_conversations
from assistant.history.transfer import new_conversation
from tuning.data.complaints import LeftOut
from tuning.data.importers import ImportResult, import_file


@dataclass(frozen=True)
class ImportedFile:
    """What was read of a file, what became of its conversations, and what could not be kept."""

    result: ImportResult
    kept: Sequence[Imported]
    left_out: Sequence[LeftOut]


def import_chat_file(store: ConversationStore, path: Path, source: str = "") -> ImportedFile:
    """Store the conversations of a file, all or none. Raises TuningError, AssistantError where there are none.

    `source` is what they say that they come from: the path, unless the file is a copy.
    """
    result = import_file(path, goes_on=True)
    read, left_out = [], list(result.left_out)
    for conversation in result.conversations:
        try:
            read.append(new_conversation(conversation, source=source or str(path)))
        except ConversationError as error:
            left_out.append(LeftOut(conversation.source, str(error)))
    if not read:
        raise AssistantError(
            f"{source or path}: nothing in it can be read. {left_out[0].place}: {left_out[0].reason}"
        )
    return ImportedFile(result, import_conversations(store, read), left_out)
