"""The result of an evaluation, as it is kept on disk, printed by `imprint compare --json` and drawn.

It computes nothing but what follows from its own fields: `figures.py` makes it from the answers. In JSON the
variants are called arms.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from assistant.compare.costs import BreakEven, Cost
from assistant.compare.judge import JudgeSummary
from assistant.compare.questions import Question
from assistant.compare.stats import Interval, PairedTest, number, pairs_needed
from assistant.compare.variants import Variant

WORTHWHILE = 0.1  # the smallest difference of accuracy that matters, unless the user names another
_ROW_KEYS = ("question", "expected", "answers", "correct", "refused", "grounded", "sources")


@dataclass(frozen=True)
class VariantFigures:
    """The figures of one variant over some questions; None where no question has such a figure."""

    accuracy: float
    f1: float
    exact_match: float
    # Of the accuracy, at 95 %.
    confidence_interval: Interval
    tokens_per_prompt: float
    seconds: float
    correct: int
    n: int
    # Of answers that had passages and claimed something, the share that the passages support.
    grounded: float | None = None
    grounded_n: int = 0
    # The share of refusals among questions without an answer, where they are right, and among the others.
    refused_unknown: float | None = None
    unknown_n: int = 0
    refused_known: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        interval = [self.confidence_interval.low, self.confidence_interval.high]
        return {**asdict(self), "confidence_interval": interval}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "VariantFigures":
        """Read the JSON form."""
        return cls(**{**record, "confidence_interval": Interval.of(*record["confidence_interval"])})


@dataclass(frozen=True)
class PairComparison:
    """Two variants on the same questions: the tests, and their p-values adjusted for the number of pairs."""

    first: str
    second: str
    test: PairedTest
    p_value_holm: float
    p_value_clustered_holm: float

    def questions_needed(self, difference: float = WORTHWHILE) -> int | None:
        """How many independent questions would show `difference`, if the two disagree as often as here.

        None where they never disagree. They must disagree at least as often as they differ.
        """
        disagreement = self.test.disagreement
        return pairs_needed(difference, max(disagreement, difference)) if disagreement > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        return {
            "arms": [self.first, self.second],
            "difference": self.test.difference,
            "confidence_interval": [self.test.interval.low, self.test.interval.high],
            "only_first": self.test.only_first,
            "only_second": self.test.only_second,
            "p_value": self.test.p_value,
            "p_value_holm": self.p_value_holm,
            "p_value_clustered": self.test.p_value_clustered,
            "p_value_clustered_holm": self.p_value_clustered_holm,
            "clusters": self.test.clusters,
            "n": self.test.n,
            "needed": self.questions_needed(),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "PairComparison":
        """Read the JSON form."""
        test = PairedTest(
            only_first=record["only_first"],
            only_second=record["only_second"],
            difference=number(record["difference"]),
            interval=Interval.of(*record["confidence_interval"]),
            p_value=record["p_value"],
            p_value_clustered=number(record["p_value_clustered"]),
            clusters=record["clusters"],
            n=record["n"],
        )
        first, second = record["arms"]
        return cls(first, second, test, record["p_value_holm"], record["p_value_clustered_holm"])


@dataclass(frozen=True)
class AnswerResult:
    """What a variant answered to one question, without its costs."""

    text: str
    correct: bool
    refused: bool = False
    grounded: bool | None = None
    # Names of documents, with the page.
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class QuestionResult:
    """One question with every variant's answer."""

    question: Question
    # variant name -> its answer
    answers: Mapping[str, AnswerResult]

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        answers = self.answers.items()
        return {
            "question": self.question.text,
            "expected": list(self.question.answers),
            **{key: value for key, value in self.question.about.items() if key not in _ROW_KEYS},
            "answers": {name: one.text for name, one in answers},
            "correct": {name: one.correct for name, one in answers},
            "refused": {name: one.refused for name, one in answers},
            "grounded": {name: one.grounded for name, one in answers},
            "sources": {name: list(one.sources) for name, one in answers},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "QuestionResult":
        """Read the JSON form."""
        about = {key: value for key, value in record.items() if key not in _ROW_KEYS}
        refused, grounded, sources = (record.get(key, {}) for key in ("refused", "grounded", "sources"))
        return cls(
            Question(record["question"], tuple(record["expected"]), about),
            {
                name: AnswerResult(
                    text=text,
                    correct=record["correct"][name],
                    refused=refused.get(name, False),
                    grounded=grounded.get(name),
                    sources=tuple(sources.get(name, ())),
                )
                for name, text in record["answers"].items()
            },
        )


FiguresByVariant = Mapping[str, VariantFigures]


@dataclass(frozen=True)
class EvaluationResult:
    """Every variant's answer to every question, and the figures and tests over them."""

    name: str
    variants: FiguresByVariant
    pairs: tuple[PairComparison, ...]
    rows: tuple[QuestionResult, ...]
    # variant name -> how it answered
    definitions: Mapping[str, Variant]
    # What the confidence intervals and tests resample: "document", "fact" or "question".
    clustered_by: str
    seconds: float = 0.0
    # slice name -> the same over its questions alone
    slices: Mapping[str, FiguresByVariant] = field(default_factory=dict)
    slice_pairs: Mapping[str, tuple[PairComparison, ...]] = field(default_factory=dict)
    # Empty where costs were not measured.
    costs: tuple[Cost, ...] = ()
    break_even: tuple[BreakEven, ...] = ()
    judge: JudgeSummary | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        costs = {
            "costs": {one.variant: one.to_dict() for one in self.costs},
            "break_even": [one.to_dict() for one in self.break_even],
        }
        record = {
            "arms": _figures_to_dict(self.variants),
            "pairs": [pair.to_dict() for pair in self.pairs],
            "slices": {name: _figures_to_dict(figures) for name, figures in self.slices.items()},
            "slice_pairs": {
                name: [one.to_dict() for one in pairs] for name, pairs in self.slice_pairs.items()
            },
            "rows": [row.to_dict() for row in self.rows],
            "seconds": self.seconds,
            "clustered_by": self.clustered_by,
            "definitions": {
                name: {**variant.to_dict(), "kind": variant.kind}
                for name, variant in self.definitions.items()
            },
            "name": self.name,
            **(costs if self.costs else {}),
            **({"judge": self.judge.to_dict()} if self.judge is not None else {}),
        }
        safe: dict[str, Any] = _without_nan(record)
        return safe

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "EvaluationResult":
        """Read the JSON form. Raises KeyError, TypeError or ValueError where it is none."""
        judge = record.get("judge")
        return cls(
            name=str(record.get("name", "")),
            variants=_figures_from_dict(record["arms"]),
            pairs=_pairs_from_list(record["pairs"]),
            rows=tuple(QuestionResult.from_dict(row) for row in record["rows"]),
            definitions={
                name: Variant.from_dict({key: value for key, value in one.items() if key != "kind"})
                for name, one in record["definitions"].items()
            },
            clustered_by=record["clustered_by"],
            seconds=number(record.get("seconds")),
            slices={name: _figures_from_dict(figures) for name, figures in record["slices"].items()},
            slice_pairs={name: _pairs_from_list(pairs) for name, pairs in record["slice_pairs"].items()},
            costs=tuple(Cost.from_dict(one) for one in record.get("costs", {}).values()),
            break_even=tuple(BreakEven.from_dict(one) for one in record.get("break_even", ())),
            judge=None if judge is None else JudgeSummary.from_dict(judge),
        )

    def renamed(self, names: Mapping[str, str]) -> "EvaluationResult":
        """The same result with variants called by other names; a name that is not in `names` stays."""

        def called(name: str) -> str:
            return names.get(name, name)

        def pairs(of: Sequence[PairComparison]) -> tuple[PairComparison, ...]:
            return tuple(replace(one, first=called(one.first), second=called(one.second)) for one in of)

        return replace(
            self,
            variants={called(name): one for name, one in self.variants.items()},
            pairs=pairs(self.pairs),
            rows=tuple(
                replace(row, answers={called(name): one for name, one in row.answers.items()})
                for row in self.rows
            ),
            definitions={
                called(name): replace(one, name=called(name)) for name, one in self.definitions.items()
            },
            slices={
                name: {called(variant): one for variant, one in figures.items()}
                for name, figures in self.slices.items()
            },
            slice_pairs={name: pairs(of) for name, of in self.slice_pairs.items()},
            costs=tuple(replace(one, variant=called(one.variant)) for one in self.costs),
            break_even=tuple(
                replace(one, with_documents=called(one.with_documents), without=called(one.without))
                for one in self.break_even
            ),
            judge=None if self.judge is None else self.judge.renamed(names),
        )


def _figures_to_dict(figures: FiguresByVariant) -> dict[str, Any]:
    return {name: one.to_dict() for name, one in figures.items()}


def _figures_from_dict(record: Mapping[str, Any]) -> FiguresByVariant:
    return {name: VariantFigures.from_dict(one) for name, one in record.items()}


def _pairs_from_list(records: Sequence[Mapping[str, Any]]) -> tuple[PairComparison, ...]:
    return tuple(PairComparison.from_dict(one) for one in records)


def _without_nan(value: Any) -> Any:
    """JSON has no NaN and no infinity: they become null, wherever they stand."""
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
