"""A turn in the store of conversations: its question, and its answer while it streams and when it has ended."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage

from assistant.chat.turn import AnswerOptions, TurnStarted
from assistant.history.records import StoredMessage
from assistant.history.sources import Source
from tuning.data.examples import Message

if TYPE_CHECKING:
    from assistant.history.conversations import ConversationStore

_SAVE_EVERY_SECONDS = 0.25  # how much of a streaming answer a killed process may lose


@dataclass
class PartialAnswer:
    """An answer as far as it has been streamed, and its figures."""

    sources: tuple[Source, ...] = ()
    # On the clock of `time.monotonic`.
    began: float = field(default_factory=time.monotonic)
    text: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token: float | None = None

    def read(self, chunk: AIMessage) -> str:
        """Add a chunk of the stream; returns its text."""
        if chunk.usage_metadata is not None:
            self.prompt_tokens = chunk.usage_metadata["input_tokens"]
            self.completion_tokens = chunk.usage_metadata["output_tokens"]
        if chunk.text and self.first_token is None:
            self.first_token = time.monotonic() - self.began
        self.text += chunk.text
        return chunk.text

    def figures(self) -> dict[str, Any]:
        """Tokens and seconds, as the store and `Done` name them."""
        seconds = time.monotonic() - self.began
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "seconds": seconds,
            "seconds_to_first_token": seconds if self.first_token is None else self.first_token,
        }


class StoredTurn:
    """The answer to a stored question: added empty, saved while it streams, finished with its status."""

    def __init__(
        self,
        store: "ConversationStore",
        question: StoredMessage,
        options: AnswerOptions,
        passages: Sequence[Source],
    ) -> None:
        self._store = store
        self._saved = time.monotonic()
        answer = store.add_message(
            question.conversation_id,
            "assistant",
            "",
            parent_id=question.id,
            status="streaming",
            memory=options.memory,
            checkpoint=options.checkpoint if options.uses_checkpoint else None,
            sources=passages,
        )
        self.started = TurnStarted(question.conversation_id, question.id, answer.id)

    def save(self, answer: PartialAnswer) -> None:
        """Save the text so far, unless that was done a moment ago."""
        if time.monotonic() - self._saved > _SAVE_EVERY_SECONDS:
            self._store.update_message(self.started.answer_id, content=answer.text)
            self._saved = time.monotonic()

    def finish(self, answer: PartialAnswer, status: str) -> None:
        """Save the whole answer: "complete", "stopped" or "failed"."""
        self._store.update_message(
            self.started.answer_id,
            content=answer.text,
            status=status,
            sources=answer.sources,
            **answer.figures(),
        )


def messages_before(store: "ConversationStore", message: StoredMessage) -> list[StoredMessage]:
    """The messages above one, oldest first, on whichever branch it is."""
    above: list[StoredMessage] = []
    while message.parent_id is not None:
        message = store.message(message.parent_id)
        above.insert(0, message)
    return above


def history_of(messages: Sequence[StoredMessage]) -> tuple[Message, ...]:
    """The earlier turns for a prompt; corrections replace what the model said.

    A question whose answer failed, is empty or is missing is left out with it: the chat templates of many
    models refuse two user messages in a row.
    """
    history: list[Message] = []
    for question, answer in pairwise(messages):
        is_turn = (question.role, answer.role) == ("user", "assistant")
        if is_turn and answer.status != "failed" and answer.to_message()["content"].strip():
            history += [question.to_message(), answer.to_message()]
    return tuple(history)
