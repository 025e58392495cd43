"""One turn of a conversation: retrieve, fit the context window, answer, and store it while it streams.

`Chat.ask` runs the first step of the chain of `turn_chain`, which may refuse the question, then stores the
question, and streams the second. `Chat.chain` is both, for use without a store.
"""

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from langchain_core.messages import AIMessage

from assistant.chat.attachments import attached_before
from assistant.chat.lessons import Lessons
from assistant.chat.passage_judge import PassageJudge
from assistant.chat.stored_turn import PartialAnswer, StoredTurn, history_of, messages_before
from assistant.chat.turn import AnswerOptions, Budgeted, ChatEvent, Done, Retrieved, TurnState
from assistant.chat.turn_chain import TurnChain
from assistant.engines.base import Engine
from assistant.errors import ConversationError
from assistant.history.records import QUOTED, VERBATIM
from assistant.language.repetition import wants_repetition
from tuning.data.examples import Message
from tuning.models.capability import Capability

if TYPE_CHECKING:
    from assistant.history.conversations import ConversationStore
    from knowledge.base.knowledge_base import KnowledgeBase


class Chat(TurnChain):
    """Turns over one engine, one store and the knowledge bases of a home; see `TurnChain` for the others."""

    def __init__(
        self,
        engine: Callable[[], Engine],
        store: "ConversationStore | None" = None,
        knowledge: "Callable[[str], KnowledgeBase] | None" = None,
        capability: Callable[[], Capability | None] = lambda: None,
        lessons: Callable[[], Lessons] | None = None,
        judge: Callable[[], PassageJudge] | None = None,
    ) -> None:
        super().__init__(engine, knowledge, capability, lessons, judge)
        self._store = store

    def ask(
        self,
        question: str,
        options: AnswerOptions | None = None,
        *,
        conversation_id: int | None = None,
        stop: threading.Event | None = None,
    ) -> Iterator[ChatEvent]:
        """Answer a question; with a conversation, after its turns and stored in it.

        The question is stored before anything is opened or searched, and the answer while it streams. Leaving the
        iterator early stores what there is as "stopped". Raises AssistantError, KnowledgeError; a question that
        cannot be answered at all is taken out of the store again.
        """
        options = options or AnswerOptions()
        if conversation_id is None:
            yield from self._generate(self._prepare(question, (), options, stop), options, None, stop)
            return
        store = self._opened_store()
        before = history_of(store.get(conversation_id).messages)
        stored = StoredTurn.of_question(store, conversation_id, question, options)
        yield from self._answer(stored, question, before, options, stop)

    def regenerate(
        self, message_id: int, options: AnswerOptions | None = None, *, stop: threading.Event | None = None
    ) -> Iterator[ChatEvent]:
        """Answer again. `message_id` is an answer, which stays as an alternative, or a bare question."""
        options, store = options or AnswerOptions(), self._opened_store()
        question = store.message(message_id)
        if question.role == "assistant" and question.parent_id is not None:
            question = store.message(question.parent_id)
        if question.role != "user":
            raise ConversationError(f"Message {message_id} answers no question; choose an answer.")
        options = replace(options, attached=options.attached or attached_before(store, question))
        before = history_of(messages_before(store, question))
        stored = StoredTurn(store, question, options)
        yield from self._answer(stored, question.content, before, options, stop)

    def edit(
        self,
        question_id: int,
        text: str,
        options: AnswerOptions | None = None,
        *,
        stop: threading.Event | None = None,
    ) -> Iterator[ChatEvent]:
        """Ask an earlier question in other words; what followed the old one stays on its own branch."""
        options, store = options or AnswerOptions(), self._opened_store()
        old = store.message(question_id)
        if old.role != "user":
            raise ConversationError(f"Message {question_id} is not a question; choose a question to edit.")
        options = replace(options, attached=options.attached or attached_before(store, old))
        before = history_of(messages_before(store, old))
        stored = StoredTurn.of_question(store, old.conversation_id, text, options, instead_of=old.id)
        yield from self._answer(stored, text, before, options, stop)

    def _answer(
        self,
        stored: StoredTurn,
        question: str,
        history: Sequence[Message],
        options: AnswerOptions,
        stop: threading.Event | None,
    ) -> Iterator[ChatEvent]:
        """The events of a stored question; one that is refused leaves nothing behind."""
        try:
            yield stored.started
            turn = self._prepare(question, history, options, stop)
        except GeneratorExit:
            stored.finish(PartialAnswer(), "stopped")
            raise
        except Exception:
            stored.withdraw()
            raise
        stored.found(turn["passages"])
        yield from self._generate(turn, options, stored, stop)

    def _prepare(
        self, question: str, history: Sequence[Message], options: AnswerOptions, stop: threading.Event | None
    ) -> TurnState:
        return self.preparation(options, stop).invoke(TurnState(question=question, history=history))

    def _generate(
        self,
        turn: TurnState,
        options: AnswerOptions,
        stored: StoredTurn | None,
        stop: threading.Event | None,
    ) -> Iterator[ChatEvent]:
        """The events of a prepared turn, stored as they come."""
        stop = stop or threading.Event()
        answer = PartialAnswer(
            turn["sent"],
            began=turn["began"],
            told=self._told(turn, options),
            prompt_tokens=0
            if turn["noted"] or (turn["verbatim"] and not turn["is_read"])
            else turn["budget"].total,
            engine=""
            if turn["nothing_found"] or turn["noted"] or turn["verbatim"] or turn["unknown"]
            else self._label(options, turn),
            ending=QUOTED if turn["is_read"] else VERBATIM if turn["verbatim"] else "",
        )
        status = "failed"
        try:
            if options.reads_passages or turn["noted"]:
                yield Retrieved(
                    turn["passages"], turn["retrieval_seconds"], turn["nothing_found"], turn["searched"]
                )
            yield Budgeted(turn["budget"])
            stream = self.generation(options, stop).stream(turn)
            with closing(cast("Generator[AIMessage, None, None]", stream)) as chunks:
                for event in answer.events(chunks):
                    if stored is not None:
                        stored.save(answer)
                    yield event
            status = "stopped" if stop.is_set() else "complete"
        except GeneratorExit:
            stop.set()
            status = "stopped"
            raise
        finally:
            if stored is not None:
                stored.finish(answer, status)
        yield Done(
            answer=answer.text,
            sources=turn["sent"],
            stopped=stop.is_set(),
            answer_id=stored.started.answer_id if stored is not None else None,
            ending=answer.ending,
            thoughts=answer.thoughts,
            **answer.figures(),
        )

    def _label(self, options: AnswerOptions, turn: TurnState) -> str:
        engine = self._engine()
        if turn["read_by_base"]:
            return f"{engine.label(None)} · {engine.name}"
        return engine.label(options.checkpoint if options.uses_checkpoint else None)

    def _told(self, turn: TurnState, options: AnswerOptions) -> Sequence[str] | None:
        """What an answer may not repeat; None where repeating is what was asked for."""
        if wants_repetition(turn["question"]):
            return None
        order = self._order(options)
        return [order.english, order.chinese, self._system_prompt(options)]

    def _opened_store(self) -> "ConversationStore":
        if self._store is None:
            raise ConversationError("This chat keeps no conversations; open it over a store.")
        return self._store
