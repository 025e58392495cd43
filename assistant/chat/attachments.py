"""Files that go with one message: their text is read into that prompt alone, whole, and is not searched.

Nothing else is retrieved then. A file that does not fit is refused; the text stays with the answer, as its source.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.chat.context_window import Budget
from assistant.errors import PromptTooLongError
from assistant.history.sources import ATTACHED, Source

if TYPE_CHECKING:
    from assistant.history.conversations import ConversationStore
    from assistant.history.records import StoredMessage


@dataclass(frozen=True)
class Attachment:
    """A file's name and the text that was read out of it."""

    name: str
    text: str


def read_attachment(name: str, data: bytes) -> Attachment:
    """Read a file in the confined process. Raises DocumentError, also where it holds no text."""
    from knowledge.ingest.document import read_bytes  # heavy: psutil, the readers' tables

    return Attachment(name, read_bytes(name, data).text)


def attached_sources(attachments: Sequence[Attachment]) -> tuple[Source, ...]:
    """What an answer keeps of them."""
    return tuple(
        Source(number, one.text, title=one.name, document_id=ATTACHED)
        for number, one in enumerate(attachments, 1)
    )


def attachments_of(sources: Iterable[Source]) -> tuple[Attachment, ...]:
    """The attachments that an answer was given."""
    return tuple(Attachment(source.title, source.text) for source in sources if source.is_attached)


def attached_before(store: "ConversationStore", question: "StoredMessage") -> tuple[Attachment, ...]:
    """What was attached to a stored question when it was last answered with anything attached."""
    answers = [one for one in store.all_messages(question.conversation_id) if one.parent_id == question.id]
    earlier = (attachments_of(answer.sources) for answer in reversed(answers))
    return next((found for found in earlier if found), ())


def check_whole(budget: Budget, attachments: Sequence[Attachment], tokens: int) -> None:
    """Raise PromptTooLongError where a budget holds less than the whole text of the attachments, of so many tokens."""
    if not attachments or not (budget.passages_left_out or budget.passages_shortened or not budget.passages):
        return
    room = budget.window - budget.reserve - budget.used["system"] - budget.used["examples"]
    names = ", ".join(repr(one.name) for one in attachments)
    raise PromptTooLongError(
        f"Attached is {names} with {tokens:,} tokens, and the model's window of {budget.window:,} leaves "
        f"{room - budget.used['question']:,} for it when {budget.reserve:,} are kept for the answer. Attach a shorter "
        "one, or add it as a document: then the passages that matter are read.",
        tokens=tokens,
        window=budget.window,
    )
