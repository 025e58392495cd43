"""Evaluations in the background: one at a time in a process, watched from any page."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from assistant.background import BackgroundTask, TaskRegistry
from assistant.chat.chat import Chat
from assistant.compare.evaluations import EvaluationPlan, Evaluations
from assistant.compare.judge import Judge, JudgeChoice, Judging
from assistant.compare.runner import Phase, evaluate
from assistant.compare.variants import StoredCheckpoint
from assistant.engines.base import Engine

OpenJudge = Callable[[JudgeChoice, Path, str], Judging]
_CACHED_SECONDS = 1.5  # answers that come within it were in the cache


@dataclass
class EvaluationTask(BackgroundTask):
    """A running evaluation and its progress."""

    plan: EvaluationPlan
    total: int
    done: int = 0
    variant: str = ""
    phase: Phase = "answering"
    began: float = field(default_factory=time.monotonic)
    # How many answers came from the cache: they say nothing about the speed.
    cached: int = 0
    is_complete: bool = False

    @property
    def seconds_left(self) -> float | None:
        """How long the remaining answers will take at the speed so far; None while that is unknown."""
        fresh = self.done - self.cached
        if self.phase != "answering" or fresh < 1:
            return None
        return (time.monotonic() - self.began) / fresh * (self.total - self.done)

    def report(
        self, evaluations: Evaluations, phase: Phase, done: int, total: int, variant: str = ""
    ) -> None:
        """Take note of a step, and write down how many answers there are."""
        if phase == "answering" and time.monotonic() - self.began < _CACHED_SECONDS:
            self.cached = done
        self.phase, self.done, self.total, self.variant = phase, done, total, variant
        if phase == "answering":
            evaluations.record_progress(self.plan.id, done)


class EvaluationRuns:
    """The evaluations of this process, one at a time."""

    def __init__(self) -> None:
        self._newest: TaskRegistry[EvaluationTask] = TaskRegistry(
            "An evaluation is still running. Stop it, or wait until it ends."
        )

    def start(
        self,
        plan: EvaluationPlan,
        evaluations: Evaluations,
        chat: Chat,
        engine: Engine,
        checkpoints: Sequence[StoredCheckpoint] = (),
        key: str = "",
        *,
        costs: bool = True,
        open_judge: OpenJudge = Judge.open,
    ) -> EvaluationTask:
        """Start an evaluation, or resume one; `key` is the API key of its judge, which `open_judge` opens.

        Raises AssistantError while another one is running.
        """
        task = EvaluationTask(plan, plan.total)

        def work() -> None:
            judge = None
            if plan.judge is not None:
                judge = open_judge(plan.judge, evaluations.verdicts_path, key)
            result = evaluate(
                plan,
                chat,
                engine,
                cache=evaluations.answer_cache(),
                checkpoints=checkpoints,
                judge=judge,
                costs=costs,
                on_progress=partial(task.report, evaluations),
                stop=task.stop_event,
            )
            evaluations.finish(plan.id, result)
            task.is_complete = True

        return self._newest.start("evaluation", task, work)

    @property
    def newest(self) -> EvaluationTask | None:
        """The newest evaluation of this process."""
        return self._newest.get("evaluation")
