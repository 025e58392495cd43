"""The loop of a run over preferences: steps, events, state that a resumed run goes on from, the adapter at the end.

What a step does is its work's; see `pairwise` and `policy`. The loop over examples is in `tuning.training.trainer`.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from tuning.errors import MethodError
from tuning.models.base_model import BaseModel
from tuning.training.learner import Learner
from tuning.training.measures import memory_bytes
from tuning.training.recipe import schedule
from tuning.training.run_state import RunState, load_state, save_state
from tuning.training.trainer import SAVE_EVERY_SECONDS

Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Advance:
    """What one step did."""

    loss: float
    tokens: int
    measures: dict[str, float] = field(default_factory=dict)  # for the events: margin, accuracy, kl, reward…
    stop: str = ""  # why the run should end now, in a sentence


@dataclass(frozen=True)
class Weights:
    """What a step may do with what is learned."""

    update: Callable[[], None]  # apply the gradients that are at the parameters
    keep: Callable[[], None]  # these are to be returned to, should the run end early by itself


class Work(Protocol):
    """What a run's steps do."""

    def advance(self, step: int, weights: Weights) -> Advance:
        """Do a step, a function of seed, number and weights alone."""


@dataclass(frozen=True)
class LoopHooks:
    """How the loop talks to the program that runs it."""

    emit: Emit
    should_stop: Callable[[], bool]
    save_every_seconds: float = SAVE_EVERY_SECONDS


@dataclass(frozen=True)
class LoopEnd:
    """How a loop ended."""

    run: RunState
    stopped: bool  # asked to stop before its end
    reason: str = ""  # why it ended early by itself


class Loop:
    """Fits one learner. The optimiser is AdamW, whose rate rises shortly and falls to a tenth."""

    def __init__(
        self,
        base: BaseModel,
        learner: Learner,
        folder: Path,
        hooks: LoopHooks,
        *,
        steps: int,
        learning_rate: float,
        warmup: float,
        seed: int,
    ) -> None:
        self._base, self._learner, self._folder, self._hooks = base, learner, folder, hooks
        self._steps, self._rate, self._warmup, self._seed = steps, learning_rate, warmup, seed
        self._optimiser = torch.optim.AdamW(
            learner.parameters(), lr=learning_rate, weight_decay=0.0, betas=(0.9, 0.99), fused=True
        )
        self.run = RunState()

    def restore(self) -> None:
        """Go on from what an earlier attempt kept in the folder. Raises JobError where that is damaged."""
        self.run = load_state(self._folder, self._learner, self._optimiser, self._base.device)

    def fit(self, work: Work) -> LoopEnd:
        """Do the steps that are left. Raises MethodError where the loss is no number."""
        run, saved = self.run, time.monotonic()
        self._hooks.emit(run.training_begins(self._steps))
        while run.step < self._steps:
            if self._hooks.should_stop():
                self._save()
                return LoopEnd(run, stopped=True)
            started = time.monotonic()
            torch.manual_seed(self._seed * 1_000_003 + run.step)
            done = work.advance(run.step, Weights(self._update, self._keep))
            self._note(done, time.monotonic() - started)
            if done.stop:
                if run.best:
                    self._learner.restore(run.best)
                return LoopEnd(run, stopped=False, reason=done.stop)
            if time.monotonic() - saved > self._hooks.save_every_seconds:
                self._save()
                saved = time.monotonic()
        return LoopEnd(run, stopped=False)

    def _update(self) -> None:
        torch.nn.utils.clip_grad_norm_(self._learner.parameters(), 1.0)
        for group in self._optimiser.param_groups:
            group["lr"] = self._learning_rate()
        self._optimiser.step()
        self._learner.after_step(self.run.step)
        self._optimiser.zero_grad(set_to_none=True)

    def _keep(self) -> None:
        self.run.keep_best(self._learner)
        self.run.best_step = self.run.step

    def _learning_rate(self) -> float:
        return self._rate * schedule(self.run.step, self._steps, self._warmup)

    def _note(self, done: Advance, seconds: float) -> None:
        run = self.run
        if not math.isfinite(done.loss):
            raise MethodError(
                f"The loss of step {run.step + 1} is no number ({done.loss}): training cannot go on. "
                f"Choose a learning rate below {self._rate:g}."
            )
        run.step, run.loss = run.step + 1, done.loss
        run.tokens, run.seconds = run.tokens + done.tokens, run.seconds + seconds
        run.memory_bytes = max(run.memory_bytes, memory_bytes(self._base))
        self._hooks.emit(run.step_event(self._steps, self._learning_rate()) | done.measures)

    def _save(self) -> None:
        save_state(self._folder, self.run, self._learner, self._optimiser, writes=True)
