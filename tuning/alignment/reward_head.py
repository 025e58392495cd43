"""The scalar head of a reward model: a linear map from the last state of an answer to a score, and its file."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from tuning.errors import CheckpointError
from tuning.models.adapters import Adapter
from tuning.models.packing import Encoded
from tuning.models.prefix import PrefixInput
from tuning.training.learner import Learner

HEAD_WEIGHTS = "reward_head.safetensors"


@dataclass(frozen=True)
class RewardHead:
    """What turns an answer's last state (hidden,) into a score: the difference of two is the log-odds of a vote."""

    weight: Tensor  # (hidden,)
    bias: float
    temperature: float = 1.0  # by which scores are divided, so that the odds are what votes show

    def scores(self, states: Tensor) -> Tensor:
        """The calibrated scores (answers,) of states (answers, hidden)."""
        return (states.float() @ self.weight.to(states.device) + self.bias) / self.temperature

    def write(self, folder: Path) -> None:
        """Write it beside the adapter's files."""
        numbers = {"bias": torch.tensor(self.bias), "temperature": torch.tensor(self.temperature)}
        save_file({"weight": self.weight.contiguous(), **numbers}, folder / HEAD_WEIGHTS)

    @classmethod
    def read(cls, folder: Path) -> "RewardHead":
        """The head in a checkpoint's folder. Raises CheckpointError."""
        try:
            held = load_file(folder / HEAD_WEIGHTS)
            return cls(held["weight"], float(held["bias"]), float(held["temperature"]))
        except (OSError, KeyError, ValueError, SafetensorError) as error:
            raise CheckpointError(
                f"The reward model in {folder} cannot be read: {error}. Train it again with the method 'reward'."
            ) from error


def scored(item: Encoded) -> Encoded:
    """The same sequence with one target, whose state is that of the answer's last token."""
    return Encoded((*item.ids, item.ids[-1]), (len(item.ids),))


class HeadLearner:
    """A method's learner with a linear head beside it: a reward model's scores, or PPO's values."""

    def __init__(self, learner: Learner, hidden: int, device: torch.device) -> None:
        self.inner = learner
        self.head = nn.Linear(hidden, 1, device=device)
        nn.init.normal_(self.head.weight, std=1 / math.sqrt(hidden + 1))  # arXiv 2009.01325
        nn.init.zeros_(self.head.bias)

    def parameters(self) -> list[nn.Parameter]:
        """The learner's, and the head's."""
        return [*self.inner.parameters(), *self.head.parameters()]

    def prefix(self) -> PrefixInput:
        """The learner's."""
        return self.inner.prefix()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Inside, the base computes with what was learned."""
        with self.inner.on():
            yield

    def penalty(self) -> Tensor | None:
        """The learner's."""
        return self.inner.penalty()

    def after_step(self, step: int) -> None:
        """Called after the optimiser's step and before the gradients are cleared."""
        self.inner.after_step(step)

    def scale_update(self, share: float) -> None:
        """Keep only this share of the learner's change."""
        self.inner.scale_update(share)

    def state(self) -> dict[str, Tensor]:
        """The learner's, and the head's."""
        return self.inner.state() | {f"head.{n}": v.detach() for n, v in self.head.state_dict().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""
        own = {n.removeprefix("head."): v for n, v in state.items() if n.startswith("head.")}
        self.head.load_state_dict(own)
        self.inner.restore({n: v for n, v in state.items() if not n.startswith("head.")})

    def adapter(self) -> Adapter:
        """What the learner learned, without the head."""
        return self.inner.adapter()

    def close(self) -> None:
        """Leave the base as it was."""
        self.inner.close()

    def reward_head(self) -> RewardHead:
        """The head as it is now, uncalibrated."""
        weight = self.head.weight.detach()[0].float().cpu().clone()
        return RewardHead(weight, float(self.head.bias.detach()))
