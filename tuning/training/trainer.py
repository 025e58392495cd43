"""The training loop: set up, fit, leave an adapter in the folder. Same seed, same result, also after a kill.

Rows are packed with block masks, logits exist only where there is a target, the base is bf16 and what learns
is float32. `consolidation` decides what is learned in which words, `learners` what is trainable.
"""

import json
import logging
import math
import random
import shutil
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tuning.augment.question_noise import held_out, joined, noisy, wordings
from tuning.augment.reversal import others_of
from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.distributed.ranks import Ranks
from tuning.distributed.sharding import like, whole
from tuning.errors import ExampleError
from tuning.models.adapters import Adapter
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward
from tuning.models.packing import MULTIPLE, Encoded, encode, pack, packed_length, prepare, with_system
from tuning.models.template import Template
from tuning.ops.kernels import log_probs
from tuning.scoring import normalise
from tuning.training import methods
from tuning.training.learners_peft import Learner
from tuning.training.learners_prefix import text_kv
from tuning.training.recipe import Exercises, Recipe, schedule
from tuning.training.replay import Replay, replay_set
from tuning.training.step import Step

_log = logging.getLogger(__name__)
_SAVE_EVERY_SECONDS = 20.0
_REPLAYED_TOKENS = 30  # of a general prompt and its answer, about
_EXERCISE_TOKENS = 100  # of a context, its question and the answer, about
_REVERSED_SHARE = 0.6  # of the examples name a subject that can be asked for
ADAPTER_FOLDER = "adapter"
Emit = Callable[[dict[str, Any]], None]


class TrainingConversation(Protocol):
    """What is read of an example."""

    @property
    def messages(self) -> tuple[Message, ...]: ...
    @property
    def probes(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class TrainResult:
    """What a run made: the adapter's folder, and how it went."""

    adapter: Path  # a folder with the adapter's files and nothing else
    stopped: bool  # asked to stop before its end
    early: bool  # ended early because everything was known
    steps: int
    tokens: int  # computed on
    seconds: float
    loss: float  # over the last pass
    learned: float  # share of the examples that are known in wordings kept out of training
    examples: int
    shortened: int  # examples that lost their oldest turns to the window
    dropped: int  # examples that did not fit the window at all
    memory_bytes: int  # at most, while training
    probe: dict[str, Any]  # a question, and what the checkpoint must answer to it
    validated: int = 0  # examples kept out of training to choose the best state by
    validation_loss: float | None = None  # a token of their answers, in the state that is kept
    best_step: int | None = None  # where that state was reached

    @property
    def tokens_per_second(self) -> float:
        """Tokens computed on, a second."""
        return self.tokens / max(self.seconds, 1e-9)

    def to_dict(self) -> dict[str, Any]:
        """How it went, as JSON types."""
        return asdict(self) | {"adapter": str(self.adapter), "tokens_per_second": self.tokens_per_second}

    def save(self, folder: Path) -> None:
        """Copy the adapter's files into a folder that exists."""
        for file in sorted(self.adapter.iterdir()):
            shutil.copy2(file, folder / file.name)


@dataclass(frozen=True)
class Workload:
    """How much a run will compute."""

    steps: int
    tokens: int
    examples: int


@dataclass
class _Run:
    """What changes while fitting."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = math.nan
    learned: float = 0.0
    known_for: int = 0
    memory_bytes: int = 0
    validation: float = math.nan
    best_validation: float = math.inf
    best_step: int = 0
    worse_for: int = 0  # passes without a better validation loss


def plan(
    base: Template,
    config: TuneConfig,
    examples: Sequence[TrainingConversation],
    earlier: Sequence[TrainingConversation] = (),
) -> Workload:
    """How many steps and tokens a run will take at most; nothing is trained."""
    amounts = methods.amounts(config, base.config.hidden_size, len(examples))
    encoded = prepare(base, _conversations(config, examples), base.window).encoded
    size = amounts.examples_per_step
    steps = [encoded[start : start + size] for start in range(0, len(encoded), size)]
    asked = 1 + _REVERSED_SHARE * amounts.reversals
    beside = _REPLAYED_TOKENS * amounts.replay + _EXERCISE_TOKENS * amounts.reading + MULTIPLE / 2
    if earlier:
        known = prepare(base, _conversations(config, earlier), base.window).encoded
        share = min(amounts.earlier, len(known)) / max(1, len(known))  # of them, at every step
        beside += share * sum(packed_length([one]) for one in known)
    tokens = round(sum(asked * packed_length(step) + beside for step in steps))
    return Workload(amounts.epochs * len(steps), amounts.epochs * tokens, len(encoded))


def train(
    base: BaseModel,
    config: TuneConfig,
    examples: Sequence[TrainingConversation],
    folder: Path,
    *,
    emit: Emit,
    should_stop: Callable[[], bool],
    resume: bool = False,
    parent: Adapter | None = None,
    earlier: Sequence[TrainingConversation] = (),
) -> TrainResult:
    """Train one adapter from examples; `folder` takes the resumable state and, at the end, the adapter.

    `earlier` is what the parent was made from: some of it is asked again at every step.
    `should_stop` is asked before every step. Raises ExampleError, MethodError or ModelError.
    """
    return _Trainer(base, config, examples, folder, emit, should_stop, resume, parent, earlier).run()


class _Trainer:
    def __init__(
        self,
        base: BaseModel,
        config: TuneConfig,
        examples: Sequence[TrainingConversation],
        folder: Path,
        emit: Emit,
        should_stop: Callable[[], bool],
        resume: bool,
        parent: Adapter | None,
        earlier: Sequence[TrainingConversation],
    ) -> None:
        self._base, self._config, self._folder = base, config, folder
        self._emit, self._should_stop, self._resume = emit, should_stop, resume
        self._parent = parent
        self._recipe: Recipe = methods.amounts(config, base.config.hidden_size, len(examples))
        self._earlier = _conversations(config, earlier)
        self._asked_later = {normalise(probe) for example in examples for probe in example.probes}
        self._prepared = prepare(
            base, _conversations(config, examples), base.window - self._front_positions()
        )
        if not self._prepared.encoded:
            raise ExampleError(
                f"None of the {len(examples)} examples can be learned from: each is longer than the model's "
                f"window of {base.window} tokens. Shorten them."
            )
        self._conversations, self._kept_out = split(self._prepared.conversations, config)
        self._validation = [one for told in self._kept_out for one in encode(base, told)]
        self._per_epoch = math.ceil(len(self._conversations) / self._recipe.examples_per_step)
        self._steps = self._recipe.epochs * self._per_epoch
        self._exercises = Exercises(self._conversations)
        self._others = others_of((one[-2]["content"], one[-1]["content"]) for one in self._conversations)
        self._run = _Run()
        self._ranks = Ranks.join(base.device)
        self._best: dict[str, Tensor] = {}  # the learner's state where the validation loss was lowest

    def _front_positions(self) -> int:
        chosen = methods.method(self._config.method)
        return self._recipe.virtual_tokens if chosen.family in ("prefix", "prompt") else 0

    # ------------------------------------------------------------ setup

    def run(self) -> TrainResult:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._emit({"kind": "phase", "phase": "preparing"})
        with self._base.activate(None):
            torch.manual_seed(self._config.seed)
            replays = replay_set(self._base, self._config.system_prompt) if self._recipe.replay else []
            probes = [encode(self._base, v)[-1] for c in self._conversations for v in held_out(c)]
            setting = methods.LearnerPlan(
                self._base, self._config, self._recipe, self._conversations, self._steps, self._parent
            )
            distils = methods.method(self._config.method).distils
            source = text_kv(self._base, methods.text_ids(setting, None)) if distils else None
            step = Step(self._base, self._config, self._ranks, self._recipe.replay_weight, source)
            self._ranks.share_out(self._base.model)
            learner = methods.build(setting)
            try:
                parameters = learner.parameters()
                optimiser = torch.optim.AdamW(
                    parameters, lr=self._recipe.learning_rate, weight_decay=0.0, betas=(0.9, 0.99), fused=True
                )
                if self._resume:
                    self._load(learner, optimiser)
                self._emit({"kind": "phase", "phase": "training"})
                with learner.on(), _checkpointing(self._base, self._config.checkpointing):
                    stopped, early = self._fit(step, learner, optimiser, replays, probes)
                    if not stopped:
                        if self._best:
                            learner.restore(self._best)
                        learner.scale_update(self._recipe.update_scale)
                    probe = self._probe(learner)
                if not stopped:
                    adapter = learner.adapter()
                    if self._ranks.leads:
                        self._write(adapter)
                    self._ranks.wait()
            finally:
                learner.close()
                step.close()
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
            validated=len(self._kept_out),
            validation_loss=run.best_validation if self._best else None,
            best_step=run.best_step if self._best else None,
        )

    # ------------------------------------------------------------ fit

    def _fit(
        self,
        step: Step,
        learner: Learner,
        optimiser: torch.optim.Optimizer,
        replays: list[Replay],
        probes: list[Encoded],
    ) -> tuple[bool, bool]:
        """Returns whether it was asked to stop, and whether it ended early."""
        run, saved = self._run, time.monotonic()
        while run.step < self._steps:
            if self._ranks.any(self._should_stop(), self._base.device):
                self._save(learner, optimiser)
                return True, False
            started = time.monotonic()
            self._advance(step, learner, optimiser, replays)
            run.step += 1
            run.seconds += time.monotonic() - started
            self._report()
            if run.step % self._per_epoch == 0 and self._is_enough(learner, probes):
                return False, True
            if self._ranks.any(time.monotonic() - saved > _SAVE_EVERY_SECONDS, self._base.device):
                self._save(learner, optimiser)
                saved = time.monotonic()
        return False, False

    def _advance(
        self, step: Step, learner: Learner, optimiser: torch.optim.Optimizer, replays: list[Replay]
    ) -> None:
        run = self._run
        torch.manual_seed(self._config.seed * 1_000_003 + run.step)
        facts, kept = self._batch(replays)
        run.loss, tokens = step.gradients(learner, facts, kept)
        run.tokens += tokens
        penalty = learner.penalty()
        if penalty is not None:
            penalty.backward()
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        rate = self._recipe.learning_rate * schedule(run.step, self._steps, self._recipe.warmup)
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.step()
        learner.after_step(run.step)
        optimiser.zero_grad(set_to_none=True)

    def _batch(self, replays: list[Replay]) -> tuple[list[Encoded], list[Replay]]:
        """This step's examples in its wordings, and replayed prompts: functions of seed and step alone."""
        run, amounts = self._run, self._recipe
        epoch, place = divmod(run.step, self._per_epoch)
        order = list(range(len(self._conversations)))
        random.Random(f"{self._config.seed} order {epoch}").shuffle(order)
        first = place * amounts.examples_per_step
        chosen = order[first : first + amounts.examples_per_step]
        rng = random.Random(f"{self._config.seed} step {run.step}")
        told = [
            wording
            if normalise(wording[-2]["content"]) not in self._asked_later
            else self._conversations[index]
            for index in chosen
            for wording in wordings(self._conversations[index], amounts, rng, self._others)
        ]
        facts = [one for turns in joined(told, amounts.joined, rng) for one in encode(self._base, turns)]
        for known in rng.sample(self._earlier, min(amounts.earlier, len(self._earlier))):
            facts.extend(encode(self._base, noisy(known, amounts, rng)))
        for task in self._exercises.draw(amounts.reading, rng):
            facts.extend(encode(self._base, task))
        return facts, rng.sample(replays, min(amounts.replay, len(replays)))

    def _is_enough(self, learner: Learner, probes: list[Encoded]) -> bool:
        """After a pass: whether everything is known, or what is kept out has long not become better known."""
        known = self._all_known(learner, probes)
        return known or (bool(self._validation) and self._has_peaked(learner))

    def _has_peaked(self, learner: Learner) -> bool:
        """Measure the validation loss and keep the best state; true after `patience` passes without a better."""
        run = self._run
        run.validation = self._validation_loss(learner)
        if run.validation < run.best_validation:
            run.best_validation, run.best_step, run.worse_for = run.validation, run.step, 0
            self._best = {
                name: whole(value.detach()).cpu().clone() for name, value in learner.state().items()
            }
        else:
            run.worse_for += 1
        self._emit({"kind": "validation", "step": run.step, "loss": run.validation, "best": run.best_step})
        return self._config.early_stop and run.worse_for >= self._config.patience

    @torch.no_grad()
    def _validation_loss(self, learner: Learner) -> float:
        """The mean loss over the answers' tokens of the examples that training never sees."""
        total, count = 0.0, 0
        for start in range(0, len(self._validation), 16):
            row = pack(self._validation[start : start + 16], MULTIPLE).to(self._base.device)
            logits = forward(self._base, row, learner.prefix())
            total -= float(log_probs(logits, row.targets[:, None]).sum())
            count += len(row.targets)
        return total / count

    @torch.no_grad()
    def _all_known(self, learner: Learner, probes: list[Encoded]) -> bool:
        """Whether held-out wordings of everything were known after this pass and after the one before."""
        run = self._run
        least = self._recipe.min_epochs * self._per_epoch
        if not self._config.early_stop or run.step < least:
            return False
        prefix = learner.prefix()
        known = 0
        for start in range(0, len(probes), 16):
            batch = probes[start : start + 16]
            row = pack(batch, MULTIPLE).to(self._base.device)
            right = forward(self._base, row, prefix).argmax(-1) == row.targets
            known += sum(bool(right[row.owner == number].all()) for number in range(len(batch)))
            if prefix.cache is not None:
                prefix = learner.prefix()
        run.learned = known / len(probes)
        run.known_for = run.known_for + 1 if known == len(probes) else 0
        return run.known_for >= 2

    @torch.no_grad()
    def _probe(self, learner: Learner) -> dict[str, Any]:
        """How surely the first example is known now; a later load must find the same."""
        messages = self._conversations[0]
        row = pack(encode(self._base, messages)[-1:]).to(self._base.device)
        logits = forward(self._base, row, learner.prefix()).float()
        return {
            "messages": messages,
            "surprise": float(torch.nn.functional.cross_entropy(logits, row.targets)),
        }

    def _report(self) -> None:
        run = self._run
        run.memory_bytes = max(run.memory_bytes, memory_bytes(self._base))
        self._emit(
            {
                "kind": "step",
                "step": run.step,
                "steps": self._steps,
                "loss": run.loss,
                "learning_rate": self._recipe.learning_rate
                * schedule(run.step, self._steps, self._recipe.warmup),
                "tokens_per_second": run.tokens / max(run.seconds, 1e-9),
                "seconds_left": run.seconds / run.step * (self._steps - run.step),
                "memory_bytes": run.memory_bytes,
            }
        )

    # ------------------------------------------------------------ files

    def _save(self, learner: Learner, optimiser: torch.optim.Optimizer) -> None:
        """Everything a resumed run needs, by rename: the last complete state is always there."""
        tensors = {f"learner.{name}": value for name, value in learner.state().items()}
        tensors |= {f"best.{name}": value for name, value in self._best.items()}
        for index, parameter in enumerate(learner.parameters()):
            for name, value in optimiser.state[parameter].items():
                tensors[f"optimiser.{index}.{name}"] = value
        held = {name: whole(value.detach()).cpu().contiguous() for name, value in tensors.items()}
        if not self._ranks.leads:
            return
        partial, final = self._folder / ".state", self._folder / "state"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file(held, partial / "state.safetensors")
        (partial / "run.json").write_text(json.dumps(asdict(self._run)), encoding="utf-8")
        old = self._folder / ".state-old"
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.replace(old)
        partial.replace(final)
        shutil.rmtree(old, ignore_errors=True)

    def _load(self, learner: Learner, optimiser: torch.optim.Optimizer) -> None:
        state = self._folder / "state"
        if not state.exists():
            state = self._folder / ".state-old"  # killed between the two renames
        if not state.exists():
            return
        self._run = _Run(**json.loads((state / "run.json").read_text(encoding="utf-8")))
        tensors = load_file(state / "state.safetensors", device=str(self._base.device))
        learner.restore(
            {n.removeprefix("learner."): v for n, v in tensors.items() if n.startswith("learner.")}
        )
        self._best = {n.removeprefix("best."): v for n, v in tensors.items() if n.startswith("best.")}
        for index, parameter in enumerate(learner.parameters()):
            mark = f"optimiser.{index}."
            held = {n.removeprefix(mark): v for n, v in tensors.items() if n.startswith(mark)}
            if "step" in held:
                step = held.pop("step") if parameter.is_cuda else held.pop("step").cpu()
                optimiser.state[parameter] = {n: like(v, parameter) for n, v in held.items()} | {"step": step}

    def _write(self, adapter: Adapter) -> None:
        partial, final = self._folder / ".adapter", self._folder / ADAPTER_FOLDER
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        adapter.write(partial)
        shutil.rmtree(final, ignore_errors=True)
        partial.replace(final)


def split(
    conversations: Sequence[list[Message]], config: TuneConfig
) -> tuple[list[list[Message]], list[list[Message]]]:
    """What is learned, and what is kept out to choose the best state by. Raises ExampleError."""
    if not config.validation:
        return list(conversations), []
    if len(conversations) < 2:
        raise ExampleError(
            f"validation={config.validation} keeps examples out of training, and there is only "
            f"{len(conversations)}. Add examples, or set validation to 0."
        )
    count = min(max(1, round(config.validation * len(conversations))), len(conversations) - 1)
    order = list(range(len(conversations)))
    random.Random(f"{config.seed} validation").shuffle(order)
    out = set(order[:count])
    learned = [one for number, one in enumerate(conversations) if number not in out]
    return learned, [one for number, one in enumerate(conversations) if number in out]


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


def memory_bytes(base: BaseModel) -> int:
    """What this process holds where the model runs."""
    if base.device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(base.device))
    return int(psutil.Process().memory_info().rss)


def _conversations(config: TuneConfig, examples: Sequence[TrainingConversation]) -> list[list[Message]]:
    return [with_system(example.messages, config.system_prompt) for example in examples]
