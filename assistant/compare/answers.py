"""Answers, scored: what a variant said to one question, whether it is right, and what it cost."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.chat.citations import cite_sources
from assistant.chat.turn import Source
from assistant.compare.questions import Question
from assistant.language.refusals import is_refusal
from tuning.scoring import exact_match, f1, is_correct


@dataclass(frozen=True)
class ScoredAnswer:
    """One variant's answer to one question."""

    text: str
    correct: bool
    f1: float
    exact_match: float
    prompt_tokens: int
    seconds: float
    sources: tuple[Source, ...] = ()
    refused: bool = False
    # Whether every sentence is supported by a passage; None where there was none, or nothing was claimed.
    grounded: bool | None = None


def score(
    question: Question,
    text: str,
    *,
    prompt_tokens: int = 0,
    seconds: float = 0.0,
    sources: Sequence[Source] = (),
) -> ScoredAnswer:
    """Score an answer. For a question without an answer, only a refusal is right."""
    refused = is_refusal(text)
    unknown = question.is_unknown
    return ScoredAnswer(
        text=text,
        correct=refused if unknown else is_correct(text, question.answers),
        f1=float(refused) if unknown else f1(text, question.answers),
        exact_match=float(refused) if unknown else exact_match(text, question.answers),
        prompt_tokens=prompt_tokens,
        seconds=seconds,
        sources=tuple(sources),
        refused=refused,
        grounded=None if refused or not sources else _is_supported(text, sources, question.text),
    )


def _is_supported(text: str, sources: Sequence[Source], question: str) -> bool:
    citations = cite_sources(text, sources, question=question).citations
    return bool(citations) and all(citation.supported for citation in citations)
