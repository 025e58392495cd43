"""A turn as a LangChain chain of two steps, `preparation | generation`: retrieve, fit the window, answer.

It stores nothing. The retriever and the model are LangChain's interfaces; fitting the window is not.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from langchain_core.messages import AIMessage, BaseMessage, convert_to_messages
from langchain_core.runnables import Runnable, RunnableLambda

from assistant.chat.attachments import attached_sources, check_whole
from assistant.chat.context_window import Budget, TokenCounter, fit
from assistant.chat.lessons import Lessons
from assistant.chat.nothing_found import nothing_found, nothing_known
from assistant.chat.passage_judge import PassageJudge
from assistant.chat.presets import DEFAULT_SYSTEM, ORDERS, Order
from assistant.chat.prompt import render_question
from assistant.chat.quoting import quote
from assistant.chat.retrieval import Found, Retrieval, as_taught
from assistant.chat.turn import AnswerOptions, TurnState
from assistant.chat.verbatim import best_sentence, hardly_speaks
from assistant.engines.base import Engine
from assistant.engines.langchain_model import ImprintChatModel
from assistant.errors import AssistantError, EngineError
from assistant.history.sources import Source
from assistant.language.refusals import is_refusal
from assistant.language.thinking import answer_of
from tuning.data.examples import Example, Message
from tuning.models.capability import Capability

if TYPE_CHECKING:
    from knowledge.base.knowledge_base import KnowledgeBase


class TurnChain:
    """The steps of a turn over one engine and the knowledge bases of a home.

    `engine`, `knowledge`, `lessons` and `judge` are functions, so that none is opened before a question needs it;
    `capability` is what a person said of the model, None where the engine knows.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        knowledge: "Callable[[str], KnowledgeBase] | None" = None,
        capability: Callable[[], Capability | None] = lambda: None,
        lessons: Callable[[], Lessons] | None = None,
        judge: Callable[[], PassageJudge] | None = None,
    ) -> None:
        self._engine = engine
        self._lessons = lessons
        self._said_capability = capability
        self._retrieval = Retrieval(knowledge, engine, self.capability, lessons, judge)
        self._counter: tuple[Engine, TokenCounter] | None = None

    def chain(
        self, options: AnswerOptions | None = None, *, stop: threading.Event | None = None
    ) -> Runnable[TurnState, BaseMessage]:
        """The whole turn without a store: `{"question", "history"}` in, an AI message out.

        It invokes, streams and batches, also asynchronously, and composes with other runnables.
        """
        options = options or AnswerOptions()
        return self.preparation(options, stop) | self.generation(options, stop)

    def preparation(
        self, options: AnswerOptions, stop: threading.Event | None = None
    ) -> Runnable[TurnState, TurnState]:
        """Adds the passages, and the budget with the messages to send; everything that refuses a question.

        Where a fact is asked for that the checkpoint was taught, the model answers here, and the lesson is quoted
        where it says something else. Where none is, the base may read the passages here: see `base_reads`. What it
        finds no answer in, the checkpoint does not read; and its own answer may be one that it was never taught.
        """
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
                "began": began,
                "passages": found.passages,
                "rejected": found.rejected,
                "searched": found.searched,
                "nothing_found": is_empty,
                "noted": found.noted,
                "held": found.held,
                "is_taught": found.is_taught,
                "read_by_base": self.base_reads(options, found),
                "verbatim": self._verbatim(turn["question"], found, options),
                "is_read": False,
                "unknown": False,
                "foreign": found.foreign,
                "retrieval_seconds": time.monotonic() - began,
            }

        def fit_window(turn: TurnState) -> TurnState:
            if turn["noted"]:  # no model reads it: the window holds what it would without
                bare: TurnState = {**turn, "passages": ()}
                return {**turn, "budget": self.budget(bare, options), "sent": turn["passages"]}
            budget, sent = self.fitted(turn, options)
            return {**turn, "budget": budget, "sent": sent}

        def check(turn: TurnState) -> TurnState:
            if turn["noted"] or turn["verbatim"] or turn["nothing_found"]:
                return turn
            if turn["is_taught"] and turn["held"] is None:
                return turn
            try:
                if turn["held"] is not None:
                    return against_the_lesson(turn, turn["held"])
                if turn["read_by_base"]:
                    read = self.model(replace(options, memory="documents")).bind(cancel=stop)
                    answered = read.invoke(_messages(turn))
                    if quoted := in_their_words(turn, answered):
                        return quoted
                    if not is_refusal(answer_of(answered.text)):
                        return {**turn, "answered": answered}
                    bare = TurnState(question=turn["question"], history=turn.get("history", ()), passages=())
                    turn = {**turn, "read_by_base": False, "budget": self.budget(bare, options), "sent": ()}
                history = turn.get("history", ())
                if options.memory == "documents" and self.can_be_quoted(
                    turn["question"], options, turn["passages"], history
                ):
                    answered = self.model(options).bind(cancel=stop).invoke(_messages(turn))
                    return in_their_words(turn, answered) or {**turn, "answered": answered}
                if not self.can_be_made_up(turn["question"], options, history):
                    return turn
                answered = self.model(options).bind(cancel=stop).invoke(_messages(turn))
            except EngineError:  # it fails again where an answer that fails is kept
                return {**turn, "read_by_base": False}
            said, is_stopped = answer_of(answered.text), stop is not None and stop.is_set()
            if not is_stopped and self.is_made_up(
                turn["question"], options, said, turn["passages"] or turn["rejected"]
            ):
                return {**turn, "unknown": True, "sent": ()}
            return {**turn, "answered": answered}

        def in_their_words(turn: TurnState, answered: AIMessage) -> TurnState | None:
            if stop is not None and stop.is_set():
                return None
            question, passages, history = turn["question"], turn["passages"], turn.get("history", ())
            said = answer_of(answered.text)
            words = self.in_their_words(question, options, passages, said, history)
            return {**turn, "verbatim": words, "is_read": True, "sent": passages} if words else None

        def against_the_lesson(turn: TurnState, lesson: Example) -> TurnState:
            answered = self.model(options).bind(cancel=stop).invoke(_messages(turn))
            found = as_taught(answer_of(answered.text), Found(held=lesson))
            if found.noted and not (stop and stop.is_set()):
                return {**turn, "noted": found.noted, "passages": found.passages, "sent": found.passages}
            return {**turn, "answered": answered}

        return RunnableLambda(retrieve) | RunnableLambda(fit_window) | RunnableLambda(check)

    def generation(
        self, options: AnswerOptions, stop: threading.Event | None
    ) -> Runnable[TurnState, BaseMessage]:
        """The model's answer; a note as it stands; a sentence where documents alone were to answer and hold nothing."""

        def respond(turn: TurnState) -> Runnable[TurnState, AIMessage] | AIMessage:
            if turn["nothing_found"]:
                return AIMessage(nothing_found(turn["foreign"]))
            if turn["unknown"]:
                return AIMessage(nothing_known(options.uses_documents))
            if turn["noted"] or turn["verbatim"]:
                return AIMessage(turn["noted"] or turn["verbatim"])
            if "answered" in turn:
                return turn["answered"]
            return RunnableLambda(_messages) | self.model(options).bind(cancel=stop)

        # A function that returns a runnable continues with it, and streams what it streams.
        return cast("Runnable[TurnState, BaseMessage]", RunnableLambda(respond))

    def base_reads(self, options: AnswerOptions, found: Found) -> bool:
        """Whether the base reads what was found, and the checkpoint only where the base finds no answer in it.

        A small checkpoint of facts mixes what it was taught into what it reads (docs/memory-log.md). One that was
        taught a manner, under a system prompt or by preferences, reads for itself.
        """
        if options.memory != "both" or not options.notes or options.given or options.attached:
            return False
        if not found.passages or found.noted or self.capability() != "small":
            return False
        return self._was_taught_facts(options.checkpoint or "")

    def can_be_made_up(self, question: str, options: AnswerOptions, history: Sequence[Message] = ()) -> bool:
        """Whether a checkpoint's answer to the question is held against what it was taught.

        That of a small one that was taught facts, to a question for something short that stands alone.
        """
        from assistant.notes.matching import asks_for_something_short  # heavy: the stemmer
        from knowledge.search.followup import is_follow_up  # heavy: numpy

        if not options.notes or not options.uses_checkpoint or options.anyway:
            return False
        if options.given or options.attached:
            return False
        if not asks_for_something_short(question) or (history and is_follow_up(question)):
            return False
        return self.capability() == "small" and self._was_taught_facts(options.checkpoint or "")

    def is_made_up(
        self, question: str, options: AnswerOptions, answer: str, passages: Sequence[Source] = ()
    ) -> bool:
        """Whether the checkpoint's answer, which `can_be_made_up`, is none that it was taught.

        `passages` were found, and do not hold an answer.
        """
        texts = [source.text for source in passages]
        lessons = self._lessons and self._lessons()
        return bool(lessons and lessons.is_made_up(question, options.checkpoint or "", answer, texts))

    def can_be_quoted(
        self,
        question: str,
        options: AnswerOptions,
        passages: Sequence[Source],
        history: Sequence[Message] = (),
    ) -> bool:
        """Whether documents answer in their own words: a small model finds less, and reads the wrong line.

        It says whether they answer at all. Where a person chose how it answers, or had the passages read all the
        same, it answers as it does.
        """
        if not options.uses_documents or options.given or options.attached or options.anyway:
            return False
        if options.system_prompt or options.order or options.few_shot:
            return False
        return self._retrieval.may_hold_an_answer(question, passages, history)

    def in_their_words(
        self,
        question: str,
        options: AnswerOptions,
        passages: Sequence[Source],
        answer: str,
        history: Sequence[Message] = (),
    ) -> str:
        """The sentence or two of the passages in place of a small model's answer; "" where that one stays."""
        if not self.can_be_quoted(question, options, passages, history):
            return ""
        return self._retrieval.in_their_words(question, passages, answer)

    def _was_taught_facts(self, checkpoint: str) -> bool:
        """Whether it was taught facts and no manner, under a system prompt or by preferences."""
        if self._lessons is None or not self._lessons().was_taught(checkpoint):
            return False
        return not self._engine().system_prompt(checkpoint)

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

    def _system_prompt(self, options: AnswerOptions) -> str:
        if options.system_prompt:
            return options.system_prompt
        own = self._engine().system_prompt(options.checkpoint) if options.uses_checkpoint else ""
        return own or DEFAULT_SYSTEM

    def _order(self, options: AnswerOptions) -> Order:
        return options.order or ORDERS[self.capability()]

    def _token_counter(self, engine: Engine) -> TokenCounter:
        if self._counter is None or self._counter[0] is not engine:
            self._counter = (engine, TokenCounter(engine.count_tokens, engine.count_text))
        return self._counter[1]


def _messages(turn: TurnState) -> list[BaseMessage]:
    return convert_to_messages(turn["budget"].messages)
