"""How long a token, an answer and the beginning take in jobs of a kind, and their memory: measured, or from sizes."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tuning.models.shape import ModelShape

REPLAY_OF_ANSWER = 0.7  # the time of a general prompt's answer, which is shorter than an evaluation's
STARTED_SECONDS = 4.0  # a worker's imports


@dataclass(frozen=True)
class Measured:
    """What one job of a kind took, as it is kept in the home."""

    tokens: float  # as estimated before the job, so that a later estimate is corrected in the same units
    steps: float  # at most, as estimated
    train_seconds: float
    prepare_seconds: float
    evaluate_seconds: float
    answers: float  # that were computed to evaluate
    memory_bytes: float
    done: float = 1.0  # the share of the steps that were taken

    @property
    def rates(self) -> "Rates":
        """The same for one of each."""
        return Rates(
            token_seconds=self.train_seconds / max(1.0, self.tokens * self.done),
            prepare_seconds=self.prepare_seconds,
            answer_seconds=self.evaluate_seconds / max(1.0, self.answers),
            memory_bytes=self.memory_bytes,
        )


@dataclass(frozen=True)
class Rates:
    """How long a token, an answer and the beginning take in jobs of a kind, and their peak memory."""

    token_seconds: float
    prepare_seconds: float
    answer_seconds: float
    memory_bytes: float
    replay_seconds: float = 0.0  # to answer one general prompt, where no job has done so before

    @classmethod
    def typical(
        cls, shape: "ModelShape", device: str, *, full: bool = False, convert: bool = False
    ) -> "Rates":
        """What follows from the sizes of the base and the kind of device; `convert` where it is a GGUF file still."""
        # Torch takes seconds to import; listing and cancelling jobs must not wait for it.
        from tuning.models.memory import tune_bytes
        from tuning.models.speed import answer_seconds, opening_seconds, training_token_seconds

        answer = answer_seconds(shape, device)
        return cls(
            token_seconds=training_token_seconds(shape, device),
            prepare_seconds=STARTED_SECONDS + opening_seconds(shape, convert=convert),
            answer_seconds=answer,
            memory_bytes=tune_bytes(shape, full=full),
            replay_seconds=REPLAY_OF_ANSWER * answer,
        )

    @classmethod
    def middle(cls, several: Sequence["Rates"]) -> "Rates":
        """The median of each, and the most memory."""
        token, prepare, answer = (
            statistics.median(getattr(one, name) for one in several)
            for name in ("token_seconds", "prepare_seconds", "answer_seconds")
        )
        return cls(token, prepare, answer, max(one.memory_bytes for one in several))
