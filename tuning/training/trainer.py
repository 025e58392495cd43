"""The training loop: set up, fit, leave an adapter in the folder. Same seed, same result, also after a kill.

Rows are packed with block masks, logits exist only where there is a target, the base is bf16 and what learns
is float32. `batches` decides what is learned in which words, `methods` what is trainable, `run_state` what is kept.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tuning.augment.question_noise import held_out
from tuning.config import TuneConfig
from tuning.distributed.ranks import Ranks
from tuning.errors import ExampleError
from tuning.models.base_model import BaseModel
from tuning.models.packing import encode, prepare
from tuning.models.prefix import text_kv
from tuning.training import builders, methods
from tuning.training.batches import Batches, StepBatch
from tuning.training.conversations import (
    Parent,
    TrainingConversation,
    conversations_of,
    kept_aside,
    split,
)
from tuning.training.early_stopping import EarlyStopping
from tuning.training.learner import Learner, LearnerPlan
from tuning.training.measures import answer_surprise, memory_bytes
from tuning.training.recipe import schedule
from tuning.training.replay import REPLAYED, Replay, replay_set
from tuning.training.run_state import ADAPTER_FOLDER, RunState, load_state, save_state, write_adapter
from tuning.training.step import Step
from tuning.training.train_result import TrainResult

SAVE_EVERY_SECONDS = 20.0
Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class _Hooks:
    """How the loop talks to the program that runs it."""

    emit: Emit
    should_stop: Callable[[], bool]
    save_every_seconds: float


def train(
    base: BaseModel,
    config: TuneConfig,
    examples: Sequence[TrainingConversation],
    folder: Path,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
    validation: Sequence[TrainingConversation] = (),
    resume: bool = False,
    parent: Parent | None = None,
    save_every_seconds: float = SAVE_EVERY_SECONDS,
    replayed: int = REPLAYED,
) -> TrainResult:
    """Train one adapter from examples; `folder` takes the resumable state and, at the end, the adapter.

    `should_stop` is asked before every step; the state with the least loss on `validation` is kept, and on those that
    the configuration holds out; `replayed` general prompts are answered before the first.
    Raises ExampleError, MethodError or ModelError.
    """
    hooks = _Hooks(emit, should_stop, save_every_seconds)
    return _Trainer(base, config, examples, validation, folder, hooks, replayed).run(parent, resume)


class _Trainer:
    """One run."""

    def __init__(
        self,
        base: BaseModel,
        config: TuneConfig,
        examples: Sequence[TrainingConversation],
        validation: Sequence[TrainingConversation],
        folder: Path,
        hooks: _Hooks,
        replayed: int,
    ) -> None:
        self._replayed = replayed
        self._base, self._config, self._folder, self._hooks = base, config, folder, hooks
        self._method = methods.method(config.method)
        self._recipe = methods.amounts(config, base.config.hidden_size, len(examples))
        self._probes = [probe for example in examples for probe in example.probes]
        window = base.window - self._prefix_positions()
        self._prepared = prepare(base, conversations_of(config, examples), window)
        if not self._prepared.encoded:
            raise ExampleError(
                f"None of the {len(examples)} examples can be learned from: each is longer than the model's "
                f"window of {base.window} tokens. Shorten them."
            )
        self._conversations, self._held_out = split(self._prepared.conversations, config)
        self._held_out += kept_aside(base, config, validation, window)
        self._per_epoch = self._recipe.steps_per_epoch(len(self._conversations))
        self._steps = self._recipe.epochs * self._per_epoch
        self._ranks = Ranks.join(base.device)
        self._run = RunState()
        self._least_rise = 1  # steps

    def _prefix_positions(self) -> int:
        return self._recipe.virtual_tokens if self._method.family in ("prefix", "prompt") else 0

    # ------------------------------------------------------------ setup

    def run(self, parent: Parent | None, resume: bool) -> TrainResult:
        """Train, unless asked to stop; the adapter is in the folder where it came to its end."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._hooks.emit({"kind": "phase", "phase": "preparing"})
        if parent is not None:
            self._least_rise = self._method.rise_again
        with self._base.activate(None):
            torch.manual_seed(self._config.seed)
            batches = self._batches(parent.examples if parent else ())
            stopping = self._early_stopping()
            plan = LearnerPlan(
                self._base, self._config, self._recipe, self._conversations, self._steps,
                parent.adapter if parent else None,
            )  # fmt: skip
            step = self._step(plan)
            self._ranks.shard(self._base.model)
            learner = methods.build(plan)
            try:
                optimiser = torch.optim.AdamW(
                    learner.parameters(), lr=self._recipe.learning_rate,
                    weight_decay=0.0, betas=(0.9, 0.99), fused=True,
                )  # fmt: skip
                if resume:
                    self._run = load_state(self._folder, learner, optimiser, self._base.device)
                self._hooks.emit(self._run.training_begins(self._steps))
                with learner.on(), _checkpointing(self._base, self._config.checkpointing):
                    stopped, early = self._fit(step, learner, optimiser, batches, stopping)
                    if not stopped:
                        self._finish(learner)
                    probe = self._probe(learner)
                if not stopped:
                    self._write(learner)
            finally:
                learner.close()
                step.close()
        return self._result(stopped, early, probe)

    def _batches(self, earlier: Sequence[TrainingConversation]) -> Batches:
        replays = self._replay_set() if self._recipe.replay else []
        known = conversations_of(self._config, earlier)
        seed = self._config.seed
        return Batches(self._base, self._recipe, seed, self._conversations, known, self._probes, replays)

    def _replay_set(self) -> list[Replay]:
        return replay_set(self._base, self._config.system_prompt, self._replayed)

    def _early_stopping(self) -> EarlyStopping:
        probes = [encode(self._base, one)[-1] for turns in self._conversations for one in held_out(turns)]
        validation = [one for turns in self._held_out for one in encode(self._base, turns)]
        min_steps = self._recipe.min_epochs * self._per_epoch
        return EarlyStopping(self._base, self._config, probes, validation, min_steps, self._hooks.emit)

    def _step(self, plan: LearnerPlan) -> Step:
        source = text_kv(self._base, builders.text_ids(plan, None)) if self._method.distils else None
        return Step(self._base, self._config, self._ranks, self._recipe.replay_weight, source)

    # ------------------------------------------------------------ fit

    def _fit(
        self,
        step: Step,
        learner: Learner,
        optimiser: torch.optim.Optimizer,
        batches: Batches,
        stopping: EarlyStopping,
    ) -> tuple[bool, bool]:
        """Returns whether it was asked to stop, and whether it ended early."""
        run, saved, hooks = self._run, time.monotonic(), self._hooks
        while run.step < self._steps:
            if self._ranks.any(hooks.should_stop(), self._base.device):
                self._save(learner, optimiser)
                return True, False
            started = time.monotonic()
            self._advance(step, learner, optimiser, batches.of_step(run.step))
            run.step += 1
            run.seconds += time.monotonic() - started
            self._report()
            if run.step % self._per_epoch == 0 and stopping.is_due(learner, run):
                return False, True
            if self._ranks.any(time.monotonic() - saved > hooks.save_every_seconds, self._base.device):
                self._save(learner, optimiser)
                saved = time.monotonic()
        return False, False

    def _advance(
        self, step: Step, learner: Learner, optimiser: torch.optim.Optimizer, batch: StepBatch
    ) -> None:
        run = self._run
        torch.manual_seed(self._config.seed * 1_000_003 + run.step)
        run.loss, tokens = step.gradients(learner, batch)
        run.tokens += tokens
        penalty = learner.penalty()
        if penalty is not None:
            penalty.backward()
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        for group in optimiser.param_groups:
            group["lr"] = self._learning_rate()
        optimiser.step()
        learner.after_step(run.step)
        optimiser.zero_grad(set_to_none=True)

    def _learning_rate(self) -> float:
        share = schedule(self._run.step, self._steps, self._recipe.warmup, self._least_rise)
        return self._recipe.learning_rate * share

    def _report(self) -> None:
        run = self._run
        run.memory_bytes = max(run.memory_bytes, memory_bytes(self._base))
        self._hooks.emit(run.step_event(self._steps, self._learning_rate()))

    # ------------------------------------------------------------ what it leaves

    def _save(self, learner: Learner, optimiser: torch.optim.Optimizer) -> None:
        save_state(self._folder, self._run, learner, optimiser, writes=self._ranks.is_main)

    def _finish(self, learner: Learner) -> None:
        """Restore the best state, where examples were held out to find it, and scale the update."""
        if self._run.best:
            learner.restore(self._run.best)
        learner.scale_update(self._recipe.update_scale)

    def _write(self, learner: Learner) -> None:
        adapter = learner.adapter()
        if self._ranks.is_main:
            write_adapter(self._folder, adapter)
        self._ranks.barrier()

    @torch.no_grad()
    def _probe(self, learner: Learner) -> dict[str, Any]:
        """How surely the first example is known now; a later load must find the same."""
        messages = self._conversations[0]
        item = encode(self._base, messages)[-1]
        return {"messages": messages, "surprise": answer_surprise(self._base, item, learner.prefix())}

    def _result(self, stopped: bool, early: bool, probe: dict[str, Any]) -> TrainResult:
        run = self._run
        return TrainResult(
            adapter=self._folder / ADAPTER_FOLDER,
            stopped=stopped,
            early=early,
            steps=run.step,
            tokens=run.tokens,
            seconds=run.seconds,
            loss=run.loss,
            learned=run.learned,
            examples=len(self._conversations),
            shortened=self._prepared.shortened,
            dropped=self._prepared.dropped,
            memory_bytes=run.memory_bytes,
            probe=probe,
            validated=len(self._held_out),
            validation_loss=run.best_validation if run.best else None,
            best_step=run.best_step if run.best else None,
        )


@contextmanager
def _checkpointing(base: BaseModel, wanted: bool) -> Iterator[None]:
    """Inside, activations are computed again instead of kept."""
    if not wanted:
        yield
        return
    base.model.train()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", FutureWarning
        )  # renamed in transformers 5.23; 5.17 has only this name
        base.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            base.model.gradient_checkpointing_disable()
        base.model.eval()
