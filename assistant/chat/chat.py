"""One turn of a conversation: retrieve, fit the context window, answer, and store it while it streams.

The turn is a LangChain chain of two steps, `preparation | generation`. `Chat.ask` runs the first, which may
refuse the question, then stores the question, and streams the second. `Chat.chain` is both, for use without a
store. The retriever and the model are LangChain's interfaces; fitting the window and storing are not.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langchain_core.runnables import Runnable, RunnableLambda

from assistant.chat.attachments import attached_before, attached_sources, check_whole
from assistant.chat.context_window import Budget, TokenCounter, fit
from assistant.chat.nothing_found import nothing_found
from assistant.chat.presets import DEFAULT_SYSTEM, ORDERS, Order
from assistant.chat.prompt import render_question
from assistant.chat.quoting import quote
from assistant.chat.retrieval import FindNote, Found, Retrieval
from assistant.chat.stored_turn import PartialAnswer, StoredTurn, history_of, messages_before
from assistant.chat.turn import AnswerOptions, Budgeted, ChatEvent, Done, Retrieved, TurnState
from assistant.chat.verbatim import best_sentence, hardly_speaks
from assistant.engines.base import Engine
from assistant.engines.langchain_model import ImprintChatModel
from assistant.errors import AssistantError, ConversationError
from assistant.history.records import VERBATIM
from assistant.history.sources import Source
from assistant.language.repetition import wants_repetition
from tuning.data.examples import Message
from tuning.models.capability import Capability

if TYPE_CHECKING:
    from assistant.history.conversations import ConversationStore
    from knowledge.base.knowledge_base import KnowledgeBase


class Chat:
    """Turns over one engine, one store and the knowledge bases of a home.

    `engine` and `knowledge` are functions, so that neither is opened before a question needs it; `capability` is
    what a person said of the model, None where the engine knows; `note` finds the note that a question asks for.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        store: "ConversationStore | None" = None,
        knowledge: "Callable[[str], KnowledgeBase] | None" = None,
        capability: Callable[[], Capability | None] = lambda: None,
        note: FindNote | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._said_capability = capability
        self._retrieval = Retrieval(knowledge, engine, self.capability, note)
        self._counter: tuple[Engine, TokenCounter] | None = None

    # ---- turns

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
            yield from self._generate(self._prepare(question, (), options), options, None, stop)
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
            turn = self._prepare(question, history, options)
        except GeneratorExit:
            stored.finish(PartialAnswer(), "stopped")
            raise
        except Exception:
            stored.withdraw()
            raise
        stored.found(turn["passages"])
        yield from self._generate(turn, options, stored, stop)

    def _prepare(self, question: str, history: Sequence[Message], options: AnswerOptions) -> TurnState:
        return self._preparation(options).invoke(TurnState(question=question, history=history))

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
            began=time.monotonic() - turn["retrieval_seconds"],
            told=self._told(turn, options),
            prompt_tokens=0 if turn["noted"] or turn["verbatim"] else turn["budget"].total,
            engine="" if turn["nothing_found"] or turn["noted"] or turn["verbatim"] else self._label(options),
            ending=VERBATIM if turn["verbatim"] else "",
        )
        status = "failed"
        try:
            if options.reads_passages or turn["noted"]:
                yield Retrieved(
                    turn["passages"], turn["retrieval_seconds"], turn["nothing_found"], turn["searched"]
                )
            yield Budgeted(turn["budget"])
            stream = self._generation(options, stop).stream(turn)
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

    def _label(self, options: AnswerOptions) -> str:
        return self._engine().label(options.checkpoint if options.uses_checkpoint else None)

    def _told(self, turn: TurnState, options: AnswerOptions) -> Sequence[str] | None:
        """What an answer may not repeat; None where repeating is what was asked for."""
        if wants_repetition(turn["question"]):
            return None
        order = self._order(options)
        return [order.english, order.chinese, self._system_prompt(options)]

    # ---- the chain

    def chain(
        self, options: AnswerOptions | None = None, *, stop: threading.Event | None = None
    ) -> Runnable[TurnState, BaseMessage]:
        """The whole turn without a store: `{"question", "history"}` in, an AI message out.

        It invokes, streams and batches, also asynchronously, and composes with other runnables.
        """
        options = options or AnswerOptions()
        return self._preparation(options) | self._generation(options, stop)

    def _preparation(self, options: AnswerOptions) -> Runnable[TurnState, TurnState]:
        """Adds the passages, and the budget with the messages to send; everything that refuses a question."""

        from knowledge.search.followup import is_about_earlier  # heavy: numpy

        def retrieve(turn: TurnState) -> TurnState:
            if not turn["question"].strip():
                raise AssistantError("The question is empty. Write what you would like to know.")
            history, began = turn.get("history", ()), time.monotonic()
            found = self._retrieval.find(turn["question"], options, history)
            # A question may be about the conversation before it; one in a foreign language is told so all the same.
            alone = bool(found.foreign) or not is_about_earlier(turn["question"], history)
            is_empty = options.memory == "documents" and not found.passages and alone
            return {
                **turn,
                "passages": found.passages,
                "searched": found.searched,
                "nothing_found": is_empty,
                "noted": found.noted,
                "verbatim": self._verbatim(turn["question"], found, options),
                "foreign": found.foreign,
                "retrieval_seconds": time.monotonic() - began,
            }

        def fit_window(turn: TurnState) -> TurnState:
            if turn["noted"]:  # no model reads it: the window holds what it would without
                bare: TurnState = {**turn, "passages": ()}
                return {**turn, "budget": self.budget(bare, options), "sent": turn["passages"]}
            budget, sent = self.fitted(turn, options)
            return {**turn, "budget": budget, "sent": sent}

        return RunnableLambda(retrieve) | RunnableLambda(fit_window)

    def _generation(
        self, options: AnswerOptions, stop: threading.Event | None
    ) -> Runnable[TurnState, BaseMessage]:
        """The model's answer; a note as it stands; a sentence where documents alone were to answer and hold nothing."""

        def prompt(turn: TurnState) -> list[BaseMessage]:
            return convert_to_messages(turn["budget"].messages)

        def respond(turn: TurnState) -> Runnable[TurnState, AIMessage] | AIMessage:
            if turn["nothing_found"]:
                return AIMessage(nothing_found(turn["foreign"]))
            if turn["noted"] or turn["verbatim"]:
                return AIMessage(turn["noted"] or turn["verbatim"])
            return RunnableLambda(prompt) | self.model(options).bind(cancel=stop)

        # A function that returns a runnable continues with it, and streams what it streams.
        return cast("Runnable[TurnState, BaseMessage]", RunnableLambda(respond))

    def _verbatim(self, question: str, found: Found, options: AnswerOptions) -> str:
        """The sentence that is quoted where the model hardly knows the question's language; else an empty text."""
        if not options.quotes or options.uses_checkpoint or found.noted or not found.passages:
            return ""
        speaks = not hardly_speaks(self._engine().name, question)
        return "" if speaks else best_sentence(question, found.passages)

    def model(self, options: AnswerOptions) -> ImprintChatModel:
        """The chat model for these options."""
        return ImprintChatModel(
            engine=self._engine(),
            checkpoint=options.checkpoint if options.uses_checkpoint else None,
            temperature=options.temperature,
            top_p=options.top_p,
            max_tokens=options.max_new_tokens,
            seed=options.seed,
            splits_reasoning=False,  # it is told apart where it is shown
        )

    def find(self, question: str, options: AnswerOptions) -> Found:
        """The passages for a question, or the note that answers it. Raises AssistantError, KnowledgeError."""
        return self._retrieval.find(question, options)

    def budget(self, turn: TurnState, options: AnswerOptions) -> Budget:
        """What is sent for a turn. Raises PromptTooLongError."""
        return self.fitted(turn, options)[0]

    def fitted(self, turn: TurnState, options: AnswerOptions) -> tuple[Budget, tuple[Source, ...]]:
        """What is sent for a turn, and its passages with the text that is quoted of each. PromptTooLongError."""
        engine = self._engine()
        window = engine.prompt_capacity(options.checkpoint if options.uses_checkpoint else None)
        order, counter = self._order(options), self._token_counter(engine)
        passages = turn.get("passages", ())
        quoted = quote(turn["question"], passages, self.capability(), options.passages, counter.text)
        budget = fit(
            turn["question"],
            counter=counter,
            window=window,
            reserve=min(options.max_new_tokens, window // 4),
            system=self._system_prompt(options),
            few_shot=options.few_shot,
            passages=quoted.texts,
            history=turn.get("history", ()),
            render=lambda texts, question: render_question(texts, question, order),
        )
        if options.attached:
            check_whole(budget, options.attached, sum(counter.text(one.text) for one in options.attached))
        return budget, quoted.as_sent(budget.passages)

    def check_attached(self, options: AnswerOptions) -> int:
        """How many tokens the attachments have. Raises PromptTooLongError where no question would fit beside them."""
        turn = TurnState(question="?", history=(), passages=attached_sources(options.attached))
        self.budget(turn, options)
        counter = self._token_counter(self._engine())
        return sum(counter.text(one.text) for one in options.attached)

    def capability(self) -> Capability:
        """What the model can be asked for. Raises EngineError."""
        return self._said_capability() or self._engine().capability

    # ---- what it is built over

    def _system_prompt(self, options: AnswerOptions) -> str:
        if options.system_prompt:
            return options.system_prompt
        own = self._engine().system_prompt(options.checkpoint) if options.uses_checkpoint else ""
        return own or DEFAULT_SYSTEM

    def _order(self, options: AnswerOptions) -> Order:
        return options.order or ORDERS[self.capability()]

    def _opened_store(self) -> "ConversationStore":
        if self._store is None:
            raise ConversationError("This chat keeps no conversations; open it over a store.")
        return self._store

    def _token_counter(self, engine: Engine) -> TokenCounter:
        if self._counter is None or self._counter[0] is not engine:
            self._counter = (engine, TokenCounter(engine.count_tokens, engine.count_text))
        return self._counter[1]
