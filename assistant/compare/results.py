"""What a comparison found: every answer to every question, and the figures and tests that follow from them.

It asks no model: `compare.py` does.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from assistant.chat.citations import cite_sources
from assistant.compare.questions import Question, clusters_of
from assistant.compare.stats import bootstrap_mean, holm, paired, pairs_needed
from assistant.compare.variants import Variant
from assistant.history.sources import Source
from assistant.language.refusals import is_refusal
from tuning.scoring import exact_match, f1, is_correct

WORTHWHILE = 0.1  # a difference of accuracy that a person would care about, unless they say another


@dataclass(frozen=True)
class Answered:
    """One arm's answer to one question."""

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


def mark(
    question: Question,
    text: str,
    *,
    prompt_tokens: int = 0,
    seconds: float = 0.0,
    sources: Sequence[Source] = (),
) -> Answered:
    """Judge an answer. Where nobody can know the answer, only a refusal is right."""
    refused = is_refusal(text)
    unknown = question.is_unknown
    return Answered(
        text=text,
        correct=refused if unknown else is_correct(text, question.answers),
        f1=float(refused) if unknown else f1(text, question.answers),
        exact_match=float(refused) if unknown else exact_match(text, question.answers),
        prompt_tokens=prompt_tokens,
        seconds=seconds,
        sources=tuple(sources),
        refused=refused,
        grounded=None if refused or not sources else _is_supported(text, sources),
    )


def _is_supported(text: str, sources: Sequence[Source]) -> bool:
    citations = cite_sources(text, sources)
    return bool(citations) and all(citation.supported for citation in citations)


@dataclass(frozen=True)
class Comparison:
    """Every arm's answer to every question; the figures are computed from them."""

    questions: tuple[Question, ...]
    arms: tuple[Variant, ...]
    # arm name -> answers in the order of the questions
    answers: dict[str, tuple[Answered, ...]]
    seconds: float = 0.0
    about: dict[str, Any] = field(default_factory=dict)

    def figures(self, arm: str, chosen: Sequence[int] | None = None) -> dict[str, Any]:
        """An arm's figures over all or the chosen questions."""
        places = range(len(self.questions)) if chosen is None else chosen
        questions = [self.questions[place] for place in places]
        answers = [self.answers[arm][place] for place in places]
        interval = bootstrap_mean([float(answer.correct) for answer in answers], clusters_of(questions)[0])
        unknown = [a for q, a in zip(questions, answers, strict=True) if q.is_unknown]
        known = [a for q, a in zip(questions, answers, strict=True) if not q.is_unknown]
        judged = [answer.grounded for answer in answers if answer.grounded is not None]
        return {
            "accuracy": _mean([answer.correct for answer in answers]),
            "f1": _mean([answer.f1 for answer in answers]),
            "exact_match": _mean([answer.exact_match for answer in answers]),
            "confidence_interval": [interval.low, interval.high],
            "tokens_per_prompt": _mean([answer.prompt_tokens for answer in answers]),
            "seconds": sum(answer.seconds for answer in answers),
            "correct": sum(answer.correct for answer in answers),
            "n": len(answers),
            # Of answers that had passages and claimed something, the share that the passages support.
            "grounded": _mean(judged),
            "grounded_n": len(judged),
            # Where nobody can know: the share that says so; where somebody can: that says so all the same.
            "refused_unknown": _mean([answer.refused for answer in unknown]),
            "unknown_n": len(unknown),
            "refused_known": _mean([answer.refused for answer in known]),
        }

    def slices(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Slice name -> arm -> figures, where the questions have a "slice"."""
        return {
            name: {arm.name: self.figures(arm.name, places) for arm in self.arms}
            for name, places in self._slices().items()
        }

    def pairs(self, chosen: Sequence[int] | None = None) -> list[dict[str, Any]]:
        """Every two arms: exact tests by question and by cluster, adjusted by Holm, and the difference."""
        places = range(len(self.questions)) if chosen is None else chosen
        clusters, _ = clusters_of([self.questions[place] for place in places])
        tested = [
            (
                first.name,
                second.name,
                paired(self._correct(first.name, places), self._correct(second.name, places), clusters),
            )
            for first, second in combinations(self.arms, 2)
        ]
        adjusted = holm([test.p_value for _, _, test in tested])
        adjusted_clustered = holm([test.p_value_clustered for _, _, test in tested])
        return [
            {
                "arms": [first, second],
                "difference": test.difference,
                "confidence_interval": [test.interval.low, test.interval.high],
                "only_first": test.only_first,
                "only_second": test.only_second,
                "p_value": test.p_value,
                "p_value_holm": p_holm,
                "p_value_clustered": test.p_value_clustered,
                "p_value_clustered_holm": p_clustered,
                "clusters": test.clusters,
                "n": test.n,
                "needed": questions_needed(test.disagreement, WORTHWHILE),
            }
            for (first, second, test), p_holm, p_clustered in zip(
                tested, adjusted, adjusted_clustered, strict=True
            )
        ]

    def slice_pairs(self) -> dict[str, list[dict[str, Any]]]:
        """Slice name -> the tests of every two arms within it."""
        return {name: self.pairs(places) for name, places in self._slices().items()}

    def rows(self) -> list[dict[str, Any]]:
        """One line a question with every arm's answer."""
        return [
            {
                "question": question.text,
                "expected": list(question.answers),
                **question.about,
                "answers": self._of_each(place, lambda answer: answer.text),
                "correct": self._of_each(place, lambda answer: answer.correct),
                "refused": self._of_each(place, lambda answer: answer.refused),
                "grounded": self._of_each(place, lambda answer: answer.grounded),
                "sources": self._of_each(place, lambda answer: [_place(one) for one in answer.sources]),
            }
            for place, question in enumerate(self.questions)
        ]

    def to_dict(self) -> dict[str, Any]:
        """The comparison as the command line's JSON."""
        return {
            "arms": {arm.name: self.figures(arm.name) for arm in self.arms},
            "pairs": self.pairs(),
            "slices": self.slices(),
            "slice_pairs": self.slice_pairs(),
            "rows": self.rows(),
            "seconds": self.seconds,
            "clustered_by": clusters_of(self.questions)[1],
            "definitions": {arm.name: {**arm.to_dict(), "kind": arm.kind} for arm in self.arms},
            **self.about,
        }

    def _slices(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, question in enumerate(self.questions):
            if question.slice is not None:
                found.setdefault(question.slice, []).append(place)
        return found

    def _of_each(self, place: int, what: Callable[[Answered], Any]) -> dict[str, Any]:
        return {arm.name: what(self.answers[arm.name][place]) for arm in self.arms}

    def _correct(self, arm: str, places: Sequence[int]) -> list[bool]:
        return [self.answers[arm][place].correct for place in places]


def questions_needed(disagreement: float, difference: float) -> int | None:
    """How many independent questions show `difference` when two arms disagree this often; None where unknown.

    The arms must disagree at least as often as they differ.
    """
    if not disagreement > 0:
        return None
    return pairs_needed(difference, max(disagreement, difference))


def _place(source: Source) -> str:
    return f"{source.name}, p. {source.page}" if source.page is not None else source.name


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
