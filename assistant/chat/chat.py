"""One turn of a conversation: retrieve, fit the window, answer, and keep all of it as it happens.

Retrieval and prompt are LangChain runnables and the model is a LangChain chat model; `Chat.runnable` is their
composition, and `Chat.ask` runs the same parts one by one, so that each can be shown when it is done.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from langchain_core.documents import Document
from langchain_core.messages import AIMessageChunk, BaseMessage, convert_to_messages
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableLambda

from assistant.chat.context_window import Budget, TokenCounter, fit
from assistant.chat.presets import DEFAULT_SYSTEM
from assistant.chat.prompt import render_question
from assistant.chat.turn import (
    AnswerOptions,
    Budgeted,
    ChatEvent,
    Done,
    Retrieved,
    Token,
    TurnStarted,
    TurnState,
)
from assistant.engines.base import Engine
from assistant.engines.langchain_model import ImprintChatModel
from assistant.errors import AssistantError, ConversationError
from assistant.history.records import StoredMessage
from assistant.history.sources import Source
from assistant.i18n.texts import t
from tuning.data.examples import Message

if TYPE_CHECKING:
    from assistant.history.conversations import ConversationStore
    from knowledge.base.knowledge_base import KnowledgeBase


log = logging.getLogger(__name__)

GIVEN = "given by hand"  # the title of a passage that nobody looked up
_KEEP_EVERY_SECONDS = 0.25  # how much of a streaming answer a killed process may lose


@dataclass
class _Answer:
    """The answer so far and what its clock says."""

    sources: tuple[Source, ...] = ()
    text: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    began: float = field(default_factory=time.monotonic)
    first_token: float | None = None

    def read(self, chunk: AIMessageChunk) -> str:
        """Take in a chunk and give back its text."""
        if chunk.usage_metadata is not None:
            self.prompt_tokens = chunk.usage_metadata["input_tokens"]
            self.completion_tokens = chunk.usage_metadata["output_tokens"]
        if chunk.text and self.first_token is None:
            self.first_token = time.monotonic() - self.began
        self.text += chunk.text
        return chunk.text

    def figures(self) -> dict[str, Any]:
        """What the store and the last event keep of it."""
        seconds = time.monotonic() - self.began
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "seconds": seconds,
            "seconds_to_first_token": seconds if self.first_token is None else self.first_token,
        }


class Chat:
    """Turns over one engine, one store and the knowledge bases of a home.

    `engine` and `knowledge` are functions, so that neither is opened before a question needs it.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        store: "ConversationStore | None" = None,
        knowledge: "Callable[[str], KnowledgeBase] | None" = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._knowledge = knowledge
        self._counter: tuple[Engine, TokenCounter] | None = None

    def ask(
        self,
        question: str,
        how: AnswerOptions | None = None,
        *,
        conversation_id: int | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[ChatEvent]:
        """Answer a question; with a conversation, after its turns and kept in it.

        The question is kept before the model starts and the answer as it streams. Leaving the iterator early
        keeps what there is as "stopped". Raises AssistantError, KnowledgeError: before anything is kept when
        the question cannot be answered at all.
        """
        how = how or AnswerOptions()
        history: tuple[Message, ...] = ()
        if conversation_id is not None:
            history = history_of(self._kept().get(conversation_id).messages)
        turn, budget, seconds = self._prepare(question, history, how)
        place = None if conversation_id is None else self._begin(conversation_id, question, how, turn)
        yield from self._answer(turn, budget, seconds, how, place, stop)

    def regenerate(
        self, message_id: int, how: AnswerOptions | None = None, *, stop: threading.Event | None = None
    ) -> Iterator[ChatEvent]:
        """Answer again. `message_id` is an answer, which stays as an alternative, or a bare question."""
        how = how or AnswerOptions()
        question = self._kept().message(message_id)
        if question.role == "assistant" and question.parent_id is not None:
            question = self._kept().message(question.parent_id)
        if question.role != "user":
            raise ConversationError(f"Message {message_id} answers no question; choose an answer.")
        turn, budget, seconds = self._prepare(question.content, history_of(self._before(question)), how)
        place = self._open_answer(question, how, turn)
        yield from self._answer(turn, budget, seconds, how, place, stop)

    def edit(
        self,
        question_id: int,
        text: str,
        how: AnswerOptions | None = None,
        *,
        stop: threading.Event | None = None,
    ) -> Iterator[ChatEvent]:
        """Ask an earlier question in other words; what followed the old one stays on its own branch."""
        how = how or AnswerOptions()
        old = self._kept().message(question_id)
        if old.role != "user":
            raise ConversationError(f"Message {question_id} is not a question; choose a question to edit.")
        turn, budget, seconds = self._prepare(text, history_of(self._before(old)), how)
        self._kept().truncate_from(question_id)
        place = self._begin(old.conversation_id, text, how, turn)
        yield from self._answer(turn, budget, seconds, how, place, stop)

    def runnable(self, how: AnswerOptions | None = None) -> Runnable[TurnState, BaseMessage]:
        """The composed turn: `{"question", "history"}` in, an AI message out; streams, batches, awaits."""
        how = how or AnswerOptions()
        return self._retrieval(how) | self._prompting(how) | self.model(how)

    def model(self, how: AnswerOptions) -> ImprintChatModel:
        """The chat model that answers in this way."""
        return ImprintChatModel(
            engine=self._engine(),
            checkpoint=how.checkpoint if how.uses_checkpoint else None,
            temperature=how.temperature,
            top_p=how.top_p,
            max_tokens=how.max_new_tokens,
            seed=how.seed,
        )

    def retrieve(
        self, question: str, how: AnswerOptions, history: Sequence[Message] = ()
    ) -> tuple[Source, ...]:
        """The passages that would be sent with a question. Raises AssistantError, KnowledgeError."""
        if how.given:
            return tuple(Source(n, text, title=GIVEN) for n, text in enumerate(how.given, 1))
        if not how.uses_documents:
            return ()
        found = self._retriever(how).invoke(question, history=history)
        return tuple(_source(number, document) for number, document in enumerate(found, 1))

    def budget(self, turn: TurnState, how: AnswerOptions) -> Budget:
        """What is sent for a turn. Raises PromptTooLongError."""
        engine = self._engine()
        passages = turn.get("passages", ())
        window = engine.prompt_capacity(how.checkpoint if how.uses_checkpoint else None)
        return fit(
            turn["question"],
            counter=self._count_with(engine),
            window=window,
            reserve=min(how.max_new_tokens, window // 4),
            system=self._system_prompt(how),
            few_shot=how.few_shot,
            passages=[passage.text for passage in passages],
            history=turn.get("history", ()),
            render=render_question,
        )

    def _system_prompt(self, how: AnswerOptions) -> str:
        if how.system_prompt:
            return how.system_prompt
        own = self._engine().system_prompt(how.checkpoint) if how.uses_checkpoint else ""
        return own or DEFAULT_SYSTEM

    def _retriever(self, how: AnswerOptions) -> BaseRetriever:
        from knowledge.base.langchain_retriever import (
            KnowledgeRetriever,  # heavy: chromadb, and only with documents
        )

        knowledge = self._open_knowledge(how.knowledge_base)
        documents = None if how.documents is None else list(how.documents)
        return KnowledgeRetriever(base=knowledge, k=how.passages, documents=documents)

    def _retrieval(self, how: AnswerOptions) -> Runnable[TurnState, TurnState]:
        def with_passages(turn: TurnState) -> TurnState:
            return {**turn, "passages": self.retrieve(turn["question"], how, turn.get("history", ()))}

        return RunnableLambda(with_passages)

    def _prompting(self, how: AnswerOptions) -> Runnable[TurnState, list[BaseMessage]]:
        def messages(turn: TurnState) -> list[BaseMessage]:
            return convert_to_messages(self.budget(turn, how).messages)

        return RunnableLambda(messages)

    def _prepare(
        self, question: str, history: Sequence[Message], how: AnswerOptions
    ) -> tuple[TurnState, Budget, float]:
        """Everything that can refuse a question, before anything is kept."""
        if not question.strip():
            raise AssistantError("The question is empty. Write what you would like to know.")
        began = time.monotonic()
        turn = self._retrieval(how).invoke(TurnState(question=question, history=history))
        seconds = time.monotonic() - began
        return turn, self.budget(turn, how), seconds

    def _answer(
        self,
        turn: TurnState,
        budget: Budget,
        seconds: float,
        how: AnswerOptions,
        place: TurnStarted | None,
        stop: threading.Event | None,
    ) -> Iterator[ChatEvent]:
        stop = stop or threading.Event()
        sent = turn["passages"][: len(budget.passages)]
        answer = _Answer(sources=sent, began=time.monotonic() - seconds)
        try:
            if place is not None:
                yield place
            if how.reads_passages:
                yield Retrieved(turn["passages"], seconds)
            yield Budgeted(budget)
            if _finds_nothing(turn, how):
                answer.text = t("chat.nothing_found")
                yield Token(answer.text)
            else:
                yield from self._stream(answer, convert_to_messages(budget.messages), how, place, stop)
        except GeneratorExit:
            stop.set()
            self._keep(place, answer, "stopped")
            raise
        except BaseException:
            self._keep(place, answer, "failed")
            raise
        self._keep(place, answer, "stopped" if stop.is_set() else "complete")
        yield Done(
            answer=answer.text,
            sources=sent,
            stopped=stop.is_set(),
            answer_id=place.answer_id if place else None,
            **answer.figures(),
        )

    def _stream(
        self,
        answer: _Answer,
        messages: list[BaseMessage],
        how: AnswerOptions,
        place: TurnStarted | None,
        stop: threading.Event,
    ) -> Iterator[ChatEvent]:
        kept_at = time.monotonic()
        for chunk in self.model(how).stream(messages, cancel=stop):
            text = answer.read(chunk)
            if not text:
                continue
            if place is not None and time.monotonic() - kept_at > _KEEP_EVERY_SECONDS:
                self._kept().update_message(place.answer_id, content=answer.text)
                kept_at = time.monotonic()
            yield Token(text)

    def _begin(self, conversation_id: int, question: str, how: AnswerOptions, turn: TurnState) -> TurnStarted:
        kept = self._kept().add_message(conversation_id, "user", question)
        return self._open_answer(kept, how, turn)

    def _open_answer(self, question: StoredMessage, how: AnswerOptions, turn: TurnState) -> TurnStarted:
        answer = self._kept().add_message(
            question.conversation_id,
            "assistant",
            "",
            parent_id=question.id,
            status="streaming",
            memory=how.memory,
            checkpoint=how.checkpoint if how.uses_checkpoint else None,
            sources=turn["passages"],
        )
        return TurnStarted(question.conversation_id, question.id, answer.id)

    def _keep(self, place: TurnStarted | None, answer: _Answer, status: str) -> None:
        if place is None:
            return
        self._kept().update_message(
            place.answer_id,
            content=answer.text,
            status=status,
            sources=answer.sources,
            **answer.figures(),
        )

    def _before(self, message: StoredMessage) -> list[StoredMessage]:
        """The messages above one, oldest first, whichever branch is shown."""
        above: list[StoredMessage] = []
        while message.parent_id is not None:
            message = self._kept().message(message.parent_id)
            above.insert(0, message)
        return above

    def _kept(self) -> "ConversationStore":
        if self._store is None:
            raise ConversationError("This chat keeps no conversations; open it over a store.")
        return self._store

    def _open_knowledge(self, name: str) -> "KnowledgeBase":
        if self._knowledge is None:
            raise AssistantError("This chat has no documents; open it over knowledge bases.")
        knowledge = self._knowledge(name)
        if not knowledge.count:
            raise AssistantError(
                f"The knowledge base {name!r} holds no documents. Add some with `imprint index PATH` or on "
                "the Knowledge page, or answer without documents."
            )
        return knowledge

    def _count_with(self, engine: Engine) -> TokenCounter:
        if self._counter is None or self._counter[0] is not engine:
            self._counter = (engine, TokenCounter(engine.count_tokens))
        return self._counter[1]


def _source(number: int, document: Document) -> Source:
    """A passage as the knowledge base's retriever gives it, with its place among those found."""
    return Source.from_dict({**document.metadata, "number": number, "text": document.page_content})


def _finds_nothing(turn: TurnState, how: AnswerOptions) -> bool:
    """Whether documents alone are to answer, and neither they nor the conversation can."""
    return how.memory == "documents" and not turn["passages"] and not turn.get("history")


def history_of(messages: Sequence[StoredMessage]) -> tuple[Message, ...]:
    """The earlier turns as the model is told them: corrections count.

    A question whose answer failed, is empty or is missing is left out with it: the templates of many models
    refuse two questions in a row.
    """
    history: list[Message] = []
    for question, answer in pairwise(messages):
        is_turn = (question.role, answer.role) == ("user", "assistant")
        if is_turn and answer.status != "failed" and answer.to_message()["content"].strip():
            history += [question.to_message(), answer.to_message()]
    return tuple(history)
