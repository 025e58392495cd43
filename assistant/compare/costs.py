"""What an answer costs with each memory, in tokens and seconds, and when training has paid for itself.

Answers of a batch share their time; here each is asked alone, as in a chat.
"""

import math
import statistics
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done
from assistant.compare.questions import Question, spread
from assistant.compare.variants import Variant
from assistant.errors import CompareError

ASKED = 6


class Stored(Protocol):
    """What is read of a checkpoint."""

    @property
    def name(self) -> str: ...
    @property
    def metrics(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Cost:
    """One answer of an arm: medians over the questions that were asked alone."""

    arm: str
    prompt_tokens: float
    completion_tokens: float
    seconds: float
    seconds_to_first_token: float
    n: int


@dataclass(frozen=True)
class BreakEven:
    """A checkpoint against documents: what training took, and what each answer saves."""

    checkpoint: str
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


def measure(
    chat: Chat,
    questions: Sequence[Question],
    arms: Sequence[Variant],
    common: AnswerOptions,
    *,
    asked: int = ASKED,
    stop: threading.Event | None = None,
) -> list[Cost]:
    """Ask a few questions alone, every arm in turn; its first one only warms up.

    Raises AssistantError, CompareError where it was stopped.
    """
    chosen = spread(questions, asked)
    costs = []
    for arm in arms:
        found = []
        for question in (chosen[0], *chosen):
            if stop is not None and stop.is_set():
                raise CompareError("The timing of single answers was stopped; it begins anew.")
            found.append(_one(chat, question, arm, common))
        del found[0]
        costs.append(
            Cost(
                arm=arm.name,
                prompt_tokens=statistics.median(one.prompt_tokens for one in found),
                completion_tokens=statistics.median(one.completion_tokens for one in found),
                seconds=statistics.median(one.seconds for one in found),
                seconds_to_first_token=statistics.median(one.seconds_to_first_token for one in found),
                n=len(found),
            )
        )
    return costs


def break_even(
    costs: Sequence[Cost], arms: Sequence[Variant], checkpoints: Sequence[Stored]
) -> list[BreakEven]:
    """Each checkpoint that answers alone against the base with documents, where both were measured."""
    cost = {one.arm: one for one in costs}
    training = {one.name: float(one.metrics.get("seconds") or math.nan) for one in checkpoints}
    documents = next((arm.name for arm in arms if arm.kind == "documents" and arm.name in cost), None)
    if documents is None:
        return []
    return [
        BreakEven(
            checkpoint=arm.checkpoint,
            with_documents=documents,
            without=arm.name,
            training_seconds=training[arm.checkpoint],
            tokens_saved=cost[documents].prompt_tokens - cost[arm.name].prompt_tokens,
            written_saved=cost[documents].completion_tokens - cost[arm.name].completion_tokens,
            seconds_saved=cost[documents].seconds - cost[arm.name].seconds,
        )
        for arm in arms
        if arm.kind == "checkpoint"
        and arm.checkpoint is not None
        and arm.name in cost
        and training.get(arm.checkpoint, math.nan) > 0
    ]


def to_dict(costs: Sequence[Cost], evens: Sequence[BreakEven]) -> dict[str, Any]:
    """Both as JSON."""
    return {
        "costs": {one.arm: asdict(one) for one in costs},
        "break_even": [{**asdict(one), "questions": one.questions} for one in evens],
    }


def _one(chat: Chat, question: Question, arm: Variant, common: AnswerOptions) -> Done:
    events = chat.ask(question.text, arm.how(common, question.passage))
    return next(event for event in events if isinstance(event, Done))
