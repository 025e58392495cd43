"""What an answer of each variant costs in tokens and seconds, and when training has paid for itself.

Answers of a batch share their time; here each question is asked alone, as in a chat.
"""

import math
import statistics
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done
from assistant.compare.questions import Question, spread
from assistant.compare.variants import StoredCheckpoint, Variant
from assistant.errors import CompareError

QUESTIONS_TIMED = 6


@dataclass(frozen=True)
class Cost:
    """One answer of a variant: medians over the questions that were asked alone."""

    variant: str
    prompt_tokens: float
    completion_tokens: float
    seconds: float
    seconds_to_first_token: float
    n: int

    def to_dict(self) -> dict[str, Any]:
        """JSON form, where the variant is called "arm"; `from_dict` reads it."""
        values = asdict(self)
        return {"arm": values.pop("variant"), **values}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Cost":
        """Read the JSON form."""
        return cls(variant=record["arm"], **{key: value for key, value in record.items() if key != "arm"})


@dataclass(frozen=True)
class BreakEven:
    """A checkpoint against documents: what training took, and what each answer saves."""

    checkpoint: str
    # The variants that were measured: the base model with documents, and the checkpoint alone.
    with_documents: str
    without: str
    training_seconds: float
    # Tokens of the prompt and of the answer.
    tokens_saved: float
    written_saved: float
    seconds_saved: float

    @property
    def questions(self) -> int | None:
        """After how many questions the training has paid for itself in seconds; None: never."""
        return math.ceil(self.training_seconds / self.seconds_saved) if self.seconds_saved > 0 else None

    def to_dict(self) -> dict[str, Any]:
        """JSON form; `from_dict` reads it."""
        return {**asdict(self), "questions": self.questions}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "BreakEven":
        """Read the JSON form."""
        return cls(**{key: value for key, value in record.items() if key != "questions"})


def measure(
    chat: Chat,
    questions: Sequence[Question],
    variants: Sequence[Variant],
    defaults: AnswerOptions,
    *,
    count: int = QUESTIONS_TIMED,
    stop: threading.Event | None = None,
) -> list[Cost]:
    """Ask `count` of the questions one by one, variant by variant; a first one warms up and is not counted.

    Raises AssistantError, and CompareError where it was stopped.
    """
    chosen = spread(questions, count)
    costs = []
    for variant in variants:
        timed = []
        for question in (chosen[0], *chosen):
            if stop is not None and stop.is_set():
                raise CompareError("The timing of single answers was stopped; it begins anew.")
            timed.append(_ask(chat, question, variant, defaults))
        costs.append(_median(variant.name, timed[1:]))
    return costs


def break_even(
    costs: Sequence[Cost], variants: Sequence[Variant], checkpoints: Sequence[StoredCheckpoint]
) -> list[BreakEven]:
    """Each checkpoint that answers alone against the base with documents, where both were measured."""
    cost = {one.variant: one for one in costs}
    training = {one.name: float(one.metrics.get("seconds") or math.nan) for one in checkpoints}
    documents = next((one.name for one in variants if one.kind == "documents" and one.name in cost), None)
    if documents is None:
        return []
    return [
        BreakEven(
            checkpoint=variant.checkpoint,
            with_documents=documents,
            without=variant.name,
            training_seconds=training[variant.checkpoint],
            tokens_saved=cost[documents].prompt_tokens - cost[variant.name].prompt_tokens,
            written_saved=cost[documents].completion_tokens - cost[variant.name].completion_tokens,
            seconds_saved=cost[documents].seconds - cost[variant.name].seconds,
        )
        for variant in variants
        if variant.kind == "checkpoint"
        and variant.checkpoint is not None
        and variant.name in cost
        and training.get(variant.checkpoint, math.nan) > 0
    ]


def _ask(chat: Chat, question: Question, variant: Variant, defaults: AnswerOptions) -> Done:
    events = chat.ask(question.text, variant.answer_options(defaults, question.passage))
    return next(event for event in events if isinstance(event, Done))


def _median(variant: str, timed: Sequence[Done]) -> Cost:
    return Cost(
        variant=variant,
        prompt_tokens=statistics.median(one.prompt_tokens for one in timed),
        completion_tokens=statistics.median(one.completion_tokens for one in timed),
        seconds=statistics.median(one.seconds for one in timed),
        seconds_to_first_token=statistics.median(one.seconds_to_first_token for one in timed),
        n=len(timed),
    )
