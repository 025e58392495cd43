"""Evaluations in the background: one at a time in a process, watched from any page."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from assistant.background import BackgroundTask, TaskRegistry
from assistant.chat.chat import Chat
from assistant.compare.costs import Stored
from assistant.compare.evaluate import Phase, evaluate
from assistant.compare.evaluations import EvaluationPlan, Evaluations
from assistant.compare.judge import Judge, JudgeChoice, open_judge
from assistant.engines.base import Engine

_KNOWN_SECONDS = 1.5  # answers that come within it were known from before


@dataclass
class EvaluationTask(BackgroundTask):
    """An evaluation that is going on, as far as it is."""

    plan: EvaluationPlan
    total: int
    done: int = 0
    arm: str = ""
    phase: Phase = "answering"
    began: float = field(default_factory=time.monotonic)
    # What was known from before when the first answers came: it says nothing about the speed.
    known: int | None = None
    is_complete: bool = False

    @property
    def seconds_left(self) -> float | None:
        """How long the answers will still take at the speed so far; None while that is unknown."""
        fresh = self.done - (self.known or 0)
        if self.phase != "answering" or fresh < 1:
            return None
        return (time.monotonic() - self.began) / fresh * (self.total - self.done)

    def run_plan(
        self,
        evaluations: Evaluations,
        chat: Chat,
        engine: Engine,
        checkpoints: Sequence[Stored],
        key: str,
        *,
        costs: bool = True,
    ) -> None:
        """Answer, measure, judge, and keep the result. Raises AssistantError, KnowledgeError."""
        judge = None
        if self.plan.judge is not None:
            choice = JudgeChoice(**self.plan.judge)
            judge = Judge(open_judge(choice, key), choice.model, evaluations.folder / "verdicts.jsonl")
        result = evaluate(
            chat,
            engine,
            self.plan,
            cache=evaluations.cache(),
            checkpoints=checkpoints,
            judge=judge,
            costs=costs,
            on_progress=partial(self._on_progress, evaluations),
            stop=self.stop_event,
        )
        evaluations.finish(self.plan.id, result)
        self.is_complete = True

    def _on_progress(
        self, evaluations: Evaluations, phase: Phase, done: int, total: int, arm: str = ""
    ) -> None:
        if phase == "answering" and time.monotonic() - self.began < _KNOWN_SECONDS:
            self.known = done
        self.phase, self.done, self.total, self.arm = phase, done, total, arm
        if phase == "answering":
            evaluations.note(self.plan.id, done)


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
        checkpoints: Sequence[Stored] = (),
        key: str = "",
        *,
        costs: bool = True,
    ) -> EvaluationTask:
        """Begin an evaluation, or go on with one. Raises AssistantError while another one is running."""
        work = EvaluationTask(plan, plan.total)
        return self._newest.start(
            "evaluation",
            work,
            lambda: work.run_plan(evaluations, chat, engine, checkpoints, key, costs=costs),
        )

    @property
    def newest(self) -> EvaluationTask | None:
        """The newest evaluation of this process."""
        return self._newest.get("evaluation")
