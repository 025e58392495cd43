"""What a run keeps in its folder: the state that a resumed run continues from, and the trained adapter.

Each folder appears by rename, so that the last complete one is always there. When to save is up to `trainer`.
"""

import json
import math
import shutil
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tuning.distributed.sharding import gathered, sharded_like
from tuning.errors import JobError
from tuning.models.adapters import Adapter
from tuning.training.learner import Learner

ADAPTER_FOLDER = "adapter"
_LEARNER, _BEST, _OPTIMISER = "learner.", "best.", "optimiser."  # prefixes of the stored tensors' names


@dataclass
class RunState:
    """What changes while fitting, beside the learner's weights and the optimiser's moments."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    loss: float = math.nan
    learned: float = 0.0
    known_for: int = 0  # passes in a row after which all held-out wordings were known
    memory_bytes: int = 0
    validation: float = math.nan
    best_validation: float = math.inf
    best_step: int = 0
    worse_for: int = 0  # passes without a better validation loss
    best: dict[str, Tensor] = field(default_factory=dict)  # the learner's state of `best_step`, on the CPU

    def training_begins(self, steps: int) -> dict[str, Any]:
        """The event of the phase, with the step of `steps` that it begins at, and the loss of that step."""
        loss = {"loss": self.loss} if self.step else {}
        return {"kind": "phase", "phase": "training", "step": self.step, "steps": steps, **loss}

    def keep_best(self, learner: Learner) -> None:
        """Remember the learner's weights as those with the least validation loss so far."""
        self.best = {name: gathered(value.detach()).cpu().clone() for name, value in learner.state().items()}

    def step_event(self, steps: int, learning_rate: float) -> dict[str, Any]:
        """What a page draws of the step just taken, of `steps` in all."""
        return {
            "kind": "step",
            "step": self.step,
            "steps": steps,
            "loss": self.loss,
            "learning_rate": learning_rate,
            "tokens_per_second": self.tokens / max(self.seconds, 1e-9),
            "seconds_left": self.seconds / self.step * (steps - self.step),
            "memory_bytes": self.memory_bytes,
        }

    def to_dict(self) -> dict[str, Any]:
        """Every field but the tensors, as JSON types."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "best"}


def save_state(
    folder: Path, run: RunState, learner: Learner, optimiser: torch.optim.Optimizer, *, writes: bool
) -> None:
    """Store everything that a resumed run needs. All ranks gather the tensors, the one that `writes` stores them."""
    tensors = {f"{_LEARNER}{name}": value for name, value in learner.state().items()}
    tensors |= {f"{_BEST}{name}": value for name, value in run.best.items()}
    for index, parameter in enumerate(learner.parameters()):
        for name, value in optimiser.state[parameter].items():
            tensors[f"{_OPTIMISER}{index}.{name}"] = value
    whole = {name: gathered(value.detach()).cpu().contiguous() for name, value in tensors.items()}
    if not writes:
        return
    partial, final, old = folder / ".state", folder / "state", folder / ".state-old"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    save_file(whole, partial / "state.safetensors")
    (partial / "run.json").write_text(json.dumps(run.to_dict()), encoding="utf-8")
    shutil.rmtree(old, ignore_errors=True)
    if final.exists():
        final.replace(old)
    partial.replace(final)
    shutil.rmtree(old, ignore_errors=True)


def load_state(
    folder: Path, learner: Learner, optimiser: torch.optim.Optimizer, device: torch.device
) -> RunState:
    """Restore learner and optimiser as `save_state` stored them; a new state where nothing was stored.

    Raises JobError where what was stored is damaged.
    """
    state = folder / "state"
    if not state.exists():
        state = folder / ".state-old"  # killed between the two renames
    if not state.exists():
        return RunState()
    try:
        run = _stored(state / "run.json")
        tensors = load_file(state / "state.safetensors", device=str(device))
        learner.restore(_without(tensors, _LEARNER))
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        RuntimeError,
        RecursionError,
        SafetensorError,
    ) as error:
        raise JobError(
            f"What the job had learned so far cannot be read: {state} is damaged ({str(error)[:200]}). Delete that "
            "folder and resume the job, which then begins anew."
        ) from error
    run.best = _without(tensors, _BEST)
    for index, parameter in enumerate(learner.parameters()):
        moments = _without(tensors, f"{_OPTIMISER}{index}.")
        if "step" in moments:
            step = moments.pop("step") if parameter.is_cuda else moments.pop("step").cpu()
            optimiser.state[parameter] = {n: sharded_like(v, parameter) for n, v in moments.items()} | {
                "step": step
            }
    return run


def _stored(path: Path) -> RunState:
    """The numbers that `RunState.to_dict` gave. Raises OSError, ValueError, TypeError or RecursionError."""
    record = json.loads(path.read_text(encoding="utf-8"))
    defaults = RunState().to_dict()
    if not isinstance(record, dict) or record.keys() != defaults.keys():
        raise ValueError(f"{path.name} does not hold what a run keeps")
    for name, value in record.items():
        if type(value) is not type(defaults[name]) and not (
            type(defaults[name]) is float and type(value) is int
        ):
            raise ValueError(f"{path.name} says {name!r} is {str(value)[:40]!r}")
    return RunState(**record)


def write_adapter(folder: Path, adapter: Adapter) -> None:
    """Write the adapter's files into `ADAPTER_FOLDER` of the run's folder."""
    partial, final = folder / ".adapter", folder / ADAPTER_FOLDER
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    adapter.write(partial)
    shutil.rmtree(final, ignore_errors=True)
    partial.replace(final)


def _without(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
