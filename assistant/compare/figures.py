"""From scored answers to an EvaluationResult: figures of each variant, tests of each pair. It asks no model."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from assistant.chat.turn import Source
from assistant.compare.answers import ScoredAnswer
from assistant.compare.questions import Question, clusters_of
from assistant.compare.results import (
    AnswerResult,
    EvaluationResult,
    PairComparison,
    QuestionResult,
    VariantFigures,
)
from assistant.compare.stats import bootstrap_mean, holm, paired
from assistant.compare.variants import Variant

# variant name -> its answers, in the order of the questions
AnswersByVariant = Mapping[str, Sequence[ScoredAnswer]]


def summarize(
    name: str,
    questions: Sequence[Question],
    variants: Sequence[Variant],
    answers: AnswersByVariant,
    *,
    seconds: float = 0.0,
) -> EvaluationResult:
    """The result of an evaluation, without costs and judge."""
    slices = _slices(questions, answers)
    return EvaluationResult(
        name=name,
        variants=_all_figures(questions, answers),
        pairs=compare_pairs(questions, answers),
        rows=tuple(_row(question, answers, place) for place, question in enumerate(questions)),
        definitions={variant.name: variant for variant in variants},
        clustered_by=clusters_of(questions)[1],
        seconds=seconds,
        slices={label: _all_figures(*part) for label, part in slices.items()},
        slice_pairs={label: compare_pairs(*part) for label, part in slices.items()},
    )


def figures_of(questions: Sequence[Question], answers: Sequence[ScoredAnswer]) -> VariantFigures:
    """The figures of one variant's answers to these questions."""
    unknown = [a for q, a in zip(questions, answers, strict=True) if q.is_unknown]
    known = [a for q, a in zip(questions, answers, strict=True) if not q.is_unknown]
    judged = [answer.grounded for answer in answers if answer.grounded is not None]
    correct = [float(answer.correct) for answer in answers]
    return VariantFigures(
        accuracy=float(np.mean(correct)),
        f1=float(np.mean([answer.f1 for answer in answers])),
        exact_match=float(np.mean([answer.exact_match for answer in answers])),
        confidence_interval=bootstrap_mean(correct, clusters_of(questions)[0]),
        tokens_per_prompt=float(np.mean([answer.prompt_tokens for answer in answers])),
        seconds=sum(answer.seconds for answer in answers),
        correct=sum(answer.correct for answer in answers),
        n=len(answers),
        grounded=_share(judged),
        grounded_n=len(judged),
        refused_unknown=_share([answer.refused for answer in unknown]),
        unknown_n=len(unknown),
        refused_known=_share([answer.refused for answer in known]),
    )


def compare_pairs(questions: Sequence[Question], answers: AnswersByVariant) -> tuple[PairComparison, ...]:
    """Every two variants: exact tests by question and by cluster, adjusted by Holm, and the difference."""
    clusters, _ = clusters_of(questions)
    correct = {name: [answer.correct for answer in given] for name, given in answers.items()}
    pairs = list(combinations(answers, 2))
    tests = [paired(correct[first], correct[second], clusters) for first, second in pairs]
    adjusted = holm([test.p_value for test in tests])
    adjusted_clustered = holm([test.p_value_clustered for test in tests])
    return tuple(
        PairComparison(first, second, test, p_holm, p_clustered)
        for (first, second), test, p_holm, p_clustered in zip(
            pairs, tests, adjusted, adjusted_clustered, strict=True
        )
    )


def _all_figures(questions: Sequence[Question], answers: AnswersByVariant) -> dict[str, VariantFigures]:
    return {name: figures_of(questions, given) for name, given in answers.items()}


def _slices(
    questions: Sequence[Question], answers: AnswersByVariant
) -> dict[str, tuple[list[Question], AnswersByVariant]]:
    """Slice name -> its questions and their answers."""
    places: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        if question.slice is not None:
            places.setdefault(question.slice, []).append(place)
    return {
        label: (
            [questions[place] for place in chosen],
            {name: [given[place] for place in chosen] for name, given in answers.items()},
        )
        for label, chosen in places.items()
    }


def _row(question: Question, answers: AnswersByVariant, place: int) -> QuestionResult:
    return QuestionResult(question, {name: _answer(given[place]) for name, given in answers.items()})


def _answer(scored: ScoredAnswer) -> AnswerResult:
    sources = tuple(_place(source) for source in scored.sources)
    return AnswerResult(scored.text, scored.correct, scored.refused, scored.grounded, sources)


def _place(source: Source) -> str:
    return f"{source.name}, p. {source.page}" if source.page is not None else source.name


def _share(values: Sequence[bool]) -> float | None:
    return float(np.mean(values)) if values else None
