"""Several processes that train one adapter together: each computes its share of every step (`accelerate launch`).

Every process ends each step with the same weights; only the first one writes and tells. Each holds the whole base,
or a part of it (see `sharding`). It starts no processes: `jobs` does, for a configuration with more than one.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from accelerate import PartialState
from torch import Tensor, nn
from torch.distributed import PrefixStore, Store, TCPStore, init_process_group, is_initialized
from torch.distributed.tensor import DTensor

from tuning.distributed import sharding

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
        if count > 1 and sharding.by_deepspeed():  # Accelerate would let it arrange a meeting of its own
            if not is_initialized():
                backend = "gloo" if device.type == "cpu" else "nccl"
                init_process_group(backend, store=_meeting(index, count), rank=index, world_size=count)
        elif count > 1:
            PartialState(cpu=device.type == "cpu", store=_meeting(index, count), rank=index, world_size=count)
        return cls(index, count)

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes."""
        return self.index == 0

    def share(self, items: Sequence[_Item]) -> list[_Item]:
        """What this process computes of a step's items."""
        return list(items[self.index :: self.count])

    def share_out(self, model: nn.Module) -> None:
        """Share the base's weights out, where the launcher was configured so."""
        if self.count > 1 and sharding.is_asked():
            sharding.share_out(model)

    def most(self, here: int, device: torch.device) -> int:
        """How often all processes compute where a layer is gathered from all; else only as often as this one."""
        if self.count == 1 or not sharding.is_asked():
            return here
        told = torch.tensor(here, device=device)
        torch.distributed.all_reduce(told, torch.distributed.ReduceOp.MAX)
        return int(told)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over all processes; what is held in parts is summed already."""
        tensors = [tensor for tensor in tensors if not isinstance(tensor, DTensor)]
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


def _meeting(index: int, count: int) -> Store:
    """Where the processes learn of one another: apart for each attempt, or they would call those that have ended."""
    hosts = index == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), count, is_master=hosts)
    return PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)
