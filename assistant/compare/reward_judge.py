"""A reward model as judge: it scores both answers, and the higher score wins.

Its verdicts are not kept: they cost little, and nothing may be learned from them again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.compare.judge import Judge, JudgeChoice, JudgeVerdict, Judging
from assistant.compare.questions import Question
from assistant.compare.votes import Outcome
from assistant.errors import CompareError
from tuning.errors import TuningError

if TYPE_CHECKING:
    from assistant.engines.local import LocalEngine
    from tuning.checkpoints.manifest import Checkpoint
    from tuning.checkpoints.registry import Registry

TIE_LOG_ODDS = 0.1  # below it neither answer is better: 52.5 % against 47.5 %
PREFIX = "reward:"  # of a judge's name on the command line


class RewardJudge:
    """Judges by the scores of one reward model, which stays loaded beside the chat."""

    def __init__(self, engine: "LocalEngine", checkpoint: "Checkpoint") -> None:
        self.choice = JudgeChoice(checkpoint.name, "reward")
        self._engine, self._checkpoint = engine, checkpoint

    def __call__(self, question: Question, first: str, second: str) -> JudgeVerdict:
        """The verdict on two answers. Raises CompareError where one cannot be scored."""
        if not first.strip() or not second.strip() or first.strip() == second.strip():
            return JudgeVerdict(_by_silence(first, second))
        better, worse = self.scores(question.text, (first, second))
        if abs(better - worse) < TIE_LOG_ODDS:
            return JudgeVerdict("tie")
        return JudgeVerdict("first" if better > worse else "second")

    def scores(self, question: str, answers: tuple[str, ...]) -> list[float]:
        """The scores of answers to one question: differences are log-odds. Raises CompareError."""
        from tuning.alignment.reward_model import RewardModel  # heavy: torch

        prompt = [{"role": "user", "content": question}]
        try:
            with self._engine.with_checkpoint() as base:
                model = RewardModel.open(base, self._checkpoint)
                return model.scores([(prompt, answer) for answer in answers])
        except TuningError as error:
            raise CompareError(f"The reward model {self._checkpoint.name!r} cannot judge: {error}") from error


def open_judge(
    local: "Callable[[], LocalEngine]",
    registry: "Registry",
    choice: JudgeChoice,
    verdicts: Path,
    key: str = "",
) -> Judging:
    """The judge of a choice. Raises CompareError, CheckpointError, EngineError."""
    if choice.kind != "reward":
        return Judge.open(choice, verdicts, key)
    checkpoint = registry.get(choice.model)
    if not checkpoint.is_reward_model:
        raise CompareError(
            f"{choice.model!r} was made by {checkpoint.method!r} and cannot judge. Give the name of a reward model."
        )
    return RewardJudge(local(), checkpoint)


def _by_silence(first: str, second: str) -> Outcome:
    """An answer is better than none."""
    if bool(first.strip()) == bool(second.strip()):
        return "tie"
    return "first" if first.strip() else "second"
