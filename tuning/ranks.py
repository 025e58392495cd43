"""Several processes that train one adapter together: each computes its share of every step (`accelerate launch`).

Every process holds the whole base and ends each step with the same weights; only the first one writes and tells.
It starts no processes: `jobs` does, for a configuration with more than one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from accelerate import PartialState
from torch import Tensor

_Item = TypeVar("_Item")


def place() -> tuple[int, int]:
    """Which of how many processes this one is, as the launcher says in the environment."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together."""

    index: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: torch.device) -> "Ranks":
        """Meet the other processes of this launch, where there are any; waits for them."""
        index, count = place()
        if count > 1:
            PartialState(cpu=device.type == "cpu")
        return cls(index, count)

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes."""
        return self.index == 0

    def share(self, items: Sequence[_Item]) -> list[_Item]:
        """What this process computes of a step's items."""
        return list(items[self.index :: self.count])

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over all processes."""
        if self.count == 1 or not tensors:
            return
        together = torch.cat([tensor.flatten().float() for tensor in tensors])
        torch.distributed.all_reduce(together)
        for tensor, part in zip(tensors, together.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, here: bool, device: torch.device) -> bool:
        """Whether it holds in any of the processes: what one is told, all must do."""
        if self.count == 1:
            return here
        told = torch.tensor(float(here), device=device)
        torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MAX)
        return bool(told)

    def wait(self) -> None:
        """Until all have come here."""
        if self.count > 1:
            torch.distributed.barrier()
