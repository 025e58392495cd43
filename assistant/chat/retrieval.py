"""The passages for a question: what is searched for, where, and what a follow-up refers to.

A capable model puts a follow-up into words that stand alone; for a small one the rules of `knowledge.search.followup`
add the terms of the questions before it.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from assistant.chat.attachments import attached_sources
from assistant.chat.lessons import Lessons
from assistant.chat.passage_judge import SURELY_BESIDE, PassageJudge
from assistant.chat.rewriting import rewritten
from assistant.chat.turn import AnswerOptions
from assistant.engines.base import Engine
from assistant.errors import AssistantError
from assistant.history.sources import NOTE, Source
from assistant.i18n.texts import t
from assistant.notes.lookup import Match
from knowledge.errors import KnowledgeError
from tuning.data.examples import Example, Message
from tuning.models.capability import Capability
from tuning.scoring import contains

if TYPE_CHECKING:
    from knowledge.base.knowledge_base import KnowledgeBase

_CHECKED_CHARACTERS = 160  # of a lesson: a longer one is said in other words, and waited for too long
GIVEN = "given by hand"  # the title of a passage that was not retrieved


@dataclass(frozen=True)
class Found:
    """Passages, best first, and what was searched for where that is not the question itself."""

    passages: tuple[Source, ...] = ()
    searched: str = ""
    # Nothing was found, and no document is in the language of the question: the language that most of them are in.
    foreign: str = ""
    # What was found, where none of it answers the question: it is not read.
    rejected: tuple[Source, ...] = ()
    # The answer of the note that was found.
    noted: str = ""
    # What the checkpoint was taught and holds, where the question asks for it and the answer can be held against it.
    held: Example | None = None
    # Whether a lesson of the checkpoint was found that the question asks for, whatever its length.
    is_taught: bool = False


class Retrieval:
    """Looks questions up in the knowledge bases of a home."""

    def __init__(
        self,
        knowledge: "Callable[[str], KnowledgeBase] | None",
        engine: Callable[[], Engine],
        capability: Callable[[], Capability],
        lessons: Callable[[], Lessons] | None = None,
        judge: Callable[[], PassageJudge] | None = None,
    ) -> None:
        self._knowledge = knowledge
        self._engine = engine
        self._capability = capability
        self._lessons = lessons
        self._judge = judge

    def find(self, question: str, options: AnswerOptions, history: Sequence[Message] = ()) -> Found:
        """The passages for a question, as a turn reads them. Raises AssistantError, KnowledgeError."""
        if options.given:
            return Found(tuple(Source(n, text, title=GIVEN) for n, text in enumerate(options.given, 1)))
        if options.attached:
            return Found(attached_sources(options.attached))
        match = self._match(question, options, history)
        if match is not None and match.is_far and options.uses_documents:
            with contextlib.suppress(AssistantError, KnowledgeError):  # a lesson needs no documents
                found = self._searched(question, options, history)
                if self._answer_otherwise(question, found.passages, match.fact.answer, history):
                    return found
        if match is not None and not match.held:
            return Found((_note_source(match.fact),), noted=match.fact.answer)
        if match is not None:  # passages mislead the weights that know it
            is_short = len(match.fact.answer) <= _CHECKED_CHARACTERS
            return Found(held=match.fact if is_short else None, is_taught=True)
        return self._searched(question, options, history) if options.uses_documents else Found()

    def _answer_otherwise(
        self, question: str, sources: Sequence[Source], answer: str, history: Sequence[Message]
    ) -> bool:
        """Whether the passages speak against a lesson in far words: that may be another fact's."""
        judge = self._judge_of(question, history)
        return judge is not None and judge.answer_otherwise(question, sources, answer)

    def _searched(self, question: str, options: AnswerOptions, history: Sequence[Message]) -> Found:
        """What the documents hold on a question. Raises AssistantError, KnowledgeError."""
        base = self._opened_knowledge(options.knowledge_base)
        retriever = _retriever(base, options)
        alone = self._alone(question, options, history)
        documents = retriever.invoke(alone or question, history=() if alone else history)
        foreign = _main_language(base) if not documents and base.is_foreign(alone or question) else ""
        sources = tuple(_source(number, one) for number, one in enumerate(documents, 1))
        if self._hold_no_answer(question, sources, options, history):
            return Found(searched=alone, rejected=sources)
        return Found(sources, alone, foreign)

    def _hold_no_answer(
        self, question: str, sources: Sequence[Source], options: AnswerOptions, history: Sequence[Message]
    ) -> bool:
        """Whether a small model would invent an answer from them; a follow-up does not say what it asks for.

        A question about the rest of the world names nothing that the passages do. Where a checkpoint answers besides,
        they have to answer it surely; else it is left to the model.
        """
        judge = None if options.anyway else self._judge_of(question, history)
        if judge is None:
            return False
        if judge.is_about(question, sources):
            return judge.holds_no_answer(question, sources)
        return options.uses_checkpoint and judge.holds_no_answer(question, sources, SURELY_BESIDE)

    def may_hold_an_answer(
        self, question: str, sources: Sequence[Source], history: Sequence[Message]
    ) -> bool:
        """Whether the passages may hold the fact that a small model is asked for."""
        judge = self._judge_of(question, history)
        return judge is not None and judge.may_hold_an_answer(question, sources)

    def in_their_words(self, question: str, sources: Sequence[Source], answer: str) -> str:
        """The sentences that answer, of passages that `may_hold_an_answer`; "" where `answer` refuses rightly."""
        return self._judge().in_their_words(question, sources, answer) if self._judge else ""

    def _judge_of(self, question: str, history: Sequence[Message]) -> PassageJudge | None:
        """What judges the passages of a small model; None for another, and for what does not stand alone."""
        from knowledge.search.followup import is_follow_up  # heavy: numpy

        if self._judge is None or self._capability() != "small":
            return None
        return None if history and is_follow_up(question) else self._judge()

    def _match(self, question: str, options: AnswerOptions, history: Sequence[Message]) -> Match | None:
        """The note or learned fact that the question asks for; what a follow-up refers to may be another subject."""
        if not options.notes or self._lessons is None:
            return None
        from knowledge.search.followup import is_follow_up  # heavy: numpy

        if history and is_follow_up(question):
            return None
        checkpoint = options.checkpoint if options.uses_checkpoint else None
        return self._lessons().find(question, checkpoint, options.uses_documents)

    def _alone(self, question: str, options: AnswerOptions, history: Sequence[Message]) -> str:
        """A follow-up in words that stand alone; "" where it is none, or nobody can tell them."""
        if not history or self._capability() == "small":
            return ""
        from knowledge.search.followup import is_follow_up  # heavy: numpy

        return rewritten(question, history, self._engine()) if is_follow_up(question) else ""

    def _opened_knowledge(self, name: str) -> "KnowledgeBase":
        if self._knowledge is None:
            raise AssistantError("This chat has no documents; open it over knowledge bases.")
        knowledge = self._knowledge(name)
        if not knowledge.count:
            raise AssistantError(
                f"The knowledge base {name!r} holds no documents. Add some with `imprint index PATH` or on "
                "the Knowledge page, or answer without documents."
            )
        return knowledge


def _main_language(base: "KnowledgeBase") -> str:
    """An ISO 639 code; "und" where nothing tells."""
    return next(iter(base.languages()), "und")


def as_taught(answer: str, found: Found) -> Found:
    """The lesson in place of what the weights said, where they hold it and said something else in these words."""
    if found.held is None or contains(answer, found.held.answer):
        return found
    return Found((_note_source(found.held),), noted=found.held.answer)


def _note_source(note: Example) -> Source:
    return Source(
        number=1,
        text=f"{note.question}\n{note.answer}",
        title=t("note.source"),
        passage_id=note.key,
        document_id=NOTE,
    )


def _retriever(base: "KnowledgeBase", options: AnswerOptions) -> BaseRetriever:
    from knowledge.base.langchain_retriever import KnowledgeRetriever  # heavy: chromadb

    documents = None if options.documents is None else list(options.documents)
    retriever = KnowledgeRetriever(base=base, k=options.passages, documents=documents)
    return retriever.model_copy(update={"min_relevance": 0.0}) if options.anyway else retriever


def _source(number: int, document: Document) -> Source:
    """A retrieved document as a source with its place among those found."""
    return Source.from_dict({**document.metadata, "number": number, "text": document.page_content})
