"""The training of the skills: groups of exercises that share a context, beside replayed prompts; resumable.

The loop is not the one of a checkpoint (`tuning.training.trainer`): nothing is learned by heart, every exercise is
seen once, and the questions on one context are computed in one row, which holds the context once.
"""

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks.skills.tasks import Task
from tuning.config import TuneConfig
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward_padded
from tuning.models.packing import MULTIPLE, Encoded, encode, pack
from tuning.ops.kernels import log_probs
from tuning.ops.parallel import ComputeThreads
from tuning.storage import write_json
from tuning.training import methods
from tuning.training.learner import Learner, LearnerPlan
from tuning.training.replay import REPLAYED, Replay, replay_set
from tuning.training.step import divergence

_STATE, _ABOUT = "state.safetensors", "run.json"
Draw = Callable[[int, random.Random], list[list[Task]]]  # the groups of a step


@dataclass(frozen=True)
class SkillRun:
    """The amounts of a run."""

    steps: int = 110
    seed: int = 0
    rank: int = 16
    learning_rate: float = 1e-3
    warmup: int = 20  # steps
    decay: float = 0.3  # share of the steps, at the end, over which the rate falls to a twentieth
    replay: int = 4  # general prompts a step; 0 for an adapter that answers nothing else
    replay_weight: float = 1.0
    save_every: int = 10  # steps

    def rate(self, step: int) -> float:
        """The learning rate of a step: a rise, a plateau and a straight fall."""
        left = (self.steps - step) / max(1.0, self.decay * self.steps)
        return self.learning_rate * min(1.0, (step + 1) / self.warmup, max(0.05, left))


@dataclass(frozen=True)
class _Part:
    """What one group adds: its loss, the gradients, and how many tokens were computed on."""

    loss: float
    tokens: int
    gradients: Sequence[Tensor | None]


def train_skills(base: BaseModel, run: SkillRun, draw: Draw, folder: Path, replayed: int = REPLAYED) -> None:
    """Train, going on where an earlier call stopped; the folder takes the state and the adapter.

    `replayed` general prompts are answered before the first step.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = TuneConfig(method="lora", rank=run.rank, layers="all", seed=run.seed)
    with base.activate(None):
        torch.manual_seed(run.seed)
        replays = replay_set(base, "", replayed) if run.replay else []
        plan = LearnerPlan(
            base, config, methods.amounts(config, base.config.hidden_size, 100), [], run.steps, None
        )
        learner = methods.build(plan)
        optimiser = torch.optim.AdamW(
            learner.parameters(), lr=run.learning_rate, weight_decay=0.0, betas=(0.9, 0.98)
        )
        threads = ComputeThreads()
        try:
            with learner.on():
                for step in range(_restore(folder, learner, optimiser), run.steps):
                    _step(base, run, step, draw, replays, learner, optimiser, threads)
                    if (step + 1) % run.save_every == 0 or step + 1 == run.steps:
                        _save(folder, run, step + 1, learner, optimiser)
        finally:
            threads.close()
            learner.close()


def _step(
    base: BaseModel, run: SkillRun, step: int, draw: Draw, replays: Sequence[Replay], learner: Learner,
    optimiser: torch.optim.Optimizer, threads: ComputeThreads,
) -> None:  # fmt: skip
    started, rng = time.monotonic(), random.Random(f"{run.seed} skills {step}")
    groups = [[one for task in group for one in encode(base, task.messages)] for group in draw(step, rng)]
    weights = sum(len(one.targets) ** 0.5 for group in groups for one in group)
    jobs: list[Callable[[], _Part]] = [partial(_exercises, base, learner, group, weights) for group in groups]
    if run.replay:
        kept = rng.sample(list(replays), run.replay)
        jobs.append(partial(_replayed, base, learner, kept, run.replay_weight))
    parts = threads.map(lambda job: job(), sorted(jobs, key=lambda job: -len(job.args[2])))
    for parameter, several in zip(
        learner.parameters(), zip(*(one.gradients for one in parts), strict=True), strict=True
    ):
        parameter.grad = torch.stack([one for one in several if one is not None]).sum(0)
    torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
    for group in optimiser.param_groups:
        group["lr"] = run.rate(step)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    seconds, tokens = time.monotonic() - started, sum(one.tokens for one in parts)
    losses = " ".join(f"{one.loss:.3f}" for one in parts)
    print(f"{step + 1}/{run.steps} {seconds:.1f} s, {tokens} tokens, losses {losses}", flush=True)


def _exercises(base: BaseModel, learner: Learner, items: Sequence[Encoded], weights: float) -> _Part:
    """The exercises of one group: each weighs the root of its answer's length."""
    row = pack(items, MULTIPLE)
    logits = forward_padded(base, row, learner.prefix())
    surprise = -log_probs(logits, row.targets[:, None])[:, 0]
    root = torch.tensor([len(one.targets) ** 0.5 for one in items])
    loss = (surprise / root[row.owner]).sum() / weights
    return _part(learner, loss, len(row.ids))


def _replayed(base: BaseModel, learner: Learner, kept: Sequence[Replay], weight: float) -> _Part:
    """General prompts: the distance to what the base says."""
    row = pack([one.encoded for one in kept], MULTIPLE)
    logits = forward_padded(base, row, learner.prefix())[: len(row.targets)]
    loss = weight * divergence(logits, [one.teacher for one in kept]) / len(row.targets)
    return _part(learner, loss, len(row.ids))


def _part(learner: Learner, loss: Tensor, tokens: int) -> _Part:
    gradients = torch.autograd.grad(loss, learner.parameters(), allow_unused=True)
    return _Part(float(loss.detach()), tokens, gradients)


def _save(folder: Path, run: SkillRun, step: int, learner: Learner, optimiser: torch.optim.Optimizer) -> None:
    """The state to go on from, and the adapter as it is now, each by rename."""
    named = {f"learner.{name}": value for name, value in learner.state().items()}
    for place, values in optimiser.state_dict()["state"].items():
        named |= {f"optimiser.{place}.{name}": value for name, value in values.items()}
    partial_file = folder / f".{_STATE}"
    save_file({name: value.contiguous() for name, value in named.items()}, partial_file)
    partial_file.replace(folder / _STATE)
    adapter = folder / f"adapter-{step:05}"
    adapter.mkdir(exist_ok=True)
    learner.adapter().write(adapter)
    write_json(folder / _ABOUT, {"step": step, **asdict(run)})


def _restore(folder: Path, learner: Learner, optimiser: torch.optim.Optimizer) -> int:
    """Restore what `_save` wrote; the step to go on with."""
    if not (folder / _ABOUT).is_file():
        return 0
    about: dict[str, Any] = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    tensors = load_file(folder / _STATE)
    learner.restore(
        {name.removeprefix("learner."): one for name, one in tensors.items() if name.startswith("learner.")}
    )
    state: dict[int, dict[str, Tensor]] = {}
    for name, one in tensors.items():
        if name.startswith("optimiser."):
            _, place, key = name.split(".", 2)
            state.setdefault(int(place), {})[key] = one
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
    return int(about["step"])
