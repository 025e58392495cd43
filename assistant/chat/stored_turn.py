"""A turn in the store of conversations: its question, and its answer while it streams and when it has ended."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage

from assistant.chat.turn import AnswerOptions, Thought, Token, TurnStarted
from assistant.history.records import StoredMessage
from assistant.history.sources import Source
from assistant.language.repetition import repetition_at
from assistant.language.thinking import split_thoughts
from knowledge.grounding.own_numbers import without_numbers
from tuning.data.examples import Message

if TYPE_CHECKING:
    from assistant.history.conversations import ConversationStore

_SAVE_EVERY_SECONDS = 0.25  # how much of a streaming answer a killed process may lose


@dataclass
class PartialAnswer:
    """An answer as far as it has been streamed, the reasoning before it, and its figures."""

    sources: tuple[Source, ...] = ()
    # On the clock of `time.monotonic`.
    began: float = field(default_factory=time.monotonic)
    # What it may not repeat; None where repeating is what was asked for.
    told: Sequence[str] | None = ()
    written: str = ""
    text: str = ""
    thoughts: str = ""
    # As `StoredMessage.ending`.
    ending: str = ""
    engine: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token: float | None = None

    def events(self, chunks: Iterable[AIMessage]) -> Iterator[Token | Thought]:
        """Read a stream to its end, or to where the answer begins to repeat itself; what comes is yielded."""
        for chunk in chunks:
            text, thoughts = self.text, self.thoughts
            self.read(chunk)
            if self.thoughts != thoughts:
                yield Thought(self.thoughts)
                text = ""
            if self.text != text and self.text.startswith(text):
                yield Token(self.text[len(text) :])
            if self.ending == "repeated":
                break

    def read(self, chunk: AIMessage) -> None:
        """Add a chunk of the stream."""
        if chunk.usage_metadata is not None:
            self.prompt_tokens = chunk.usage_metadata["input_tokens"]
            self.completion_tokens = chunk.usage_metadata["output_tokens"]
        if chunk.response_metadata.get("finish_reason") == "length":
            self.ending = "length"
        if chunk.text:
            self._add(chunk.text)

    def _add(self, piece: str) -> None:
        if self.first_token is None:
            self.first_token = time.monotonic() - self.began
        self.written += piece
        self.completion_tokens += 1  # until the engine says how many there were
        reply = split_thoughts(self.written)
        self.text, self.thoughts = reply.answer, reply.thoughts
        if self.told is None:
            return
        if self.text:
            kept = repetition_at(self.text, self.told)
            self.text = self.text if kept is None else self.text[:kept].rstrip()
        else:
            kept = repetition_at(self.thoughts)
        self.ending = self.ending if kept is None else "repeated"

    def figures(self) -> dict[str, Any]:
        """Tokens and seconds, as the store and `Done` name them."""
        seconds = time.monotonic() - self.began
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "seconds": seconds,
            "seconds_to_first_token": seconds if self.first_token is None else self.first_token,
            "engine": self.engine,
        }


class StoredTurn:
    """A question and its answer, which is added empty with it, saved while it streams, finished with its status.

    A process that is killed at any moment after that has lost no question.
    """

    def __init__(self, store: "ConversationStore", question: StoredMessage, options: AnswerOptions) -> None:
        """Add an empty answer to a question that is stored."""
        self._store = store
        self._saved = time.monotonic()
        self._shown = _end(store, question.conversation_id)
        answer = store.add_message(
            question.conversation_id,
            "assistant",
            "",
            parent_id=question.id,
            status="streaming",
            memory=options.memory,
            checkpoint=options.checkpoint if options.uses_checkpoint else None,
        )
        self._first_id = answer.id
        self.started = TurnStarted(question.conversation_id, question.id, answer.id)

    @classmethod
    def of_question(
        cls,
        store: "ConversationStore",
        conversation_id: int,
        text: str,
        options: AnswerOptions,
        *,
        instead_of: int | None = None,
    ) -> "StoredTurn":
        """Store a question at the end of what is shown, or beside the question that it replaces."""
        shown = _end(store, conversation_id)
        with store.transaction():
            if instead_of is not None:
                store.truncate_from(instead_of)
            question = store.add_message(conversation_id, "user", text)
            turn = cls(store, question, options)
        turn._shown, turn._first_id = shown, question.id
        return turn

    def withdraw(self) -> None:
        """Take back what was added: the question was refused, and is for the person to change."""
        self._store.withdraw(self._first_id, self._shown)

    def found(self, passages: Sequence[Source]) -> None:
        """Keep what is being read for the answer."""
        self._store.update_message(self.started.answer_id, sources=passages)

    def save(self, answer: PartialAnswer) -> None:
        """Save the text so far, unless that was done a moment ago."""
        if time.monotonic() - self._saved > _SAVE_EVERY_SECONDS:
            self._store.update_message(self.started.answer_id, content=answer.text, thoughts=answer.thoughts)
            self._saved = time.monotonic()

    def finish(self, answer: PartialAnswer, status: str) -> None:
        """Save the whole answer: "complete", "stopped" or "failed"."""
        self._store.update_message(
            self.started.answer_id,
            content=answer.text,
            status=status,
            sources=answer.sources,
            ending=answer.ending,
            thoughts=answer.thoughts,
            **answer.figures(),
        )


def _end(store: "ConversationStore", conversation_id: int) -> int | None:
    """The last message that is shown of a conversation."""
    messages = store.get(conversation_id).messages
    return messages[-1].id if messages else None


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
            history += [question.to_message(), _as_said(answer)]
    return tuple(history)


def _as_said(answer: StoredMessage) -> Message:
    """An answer without the numbers of passages, which stood for others then."""
    message = answer.to_message()
    return {**message, "content": without_numbers(message["content"], len(answer.sources)).text}
