"""The ranks of one training run: processes that each compute a share of every step (`accelerate launch`).

All ranks end each step with the same weights; only the main one writes and reports. Each holds the whole base, or
a shard of it (see `sharding`). It starts no processes: `jobs` does, for a configuration with more than one.
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


def rank_and_world_size() -> tuple[int, int]:
    """Which of how many processes this one is, by the launcher's environment variables."""
    return int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


@dataclass(frozen=True)
class Ranks:
    """This process among those that train together; with a count of one, every method is trivial."""

    index: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: torch.device) -> "Ranks":
        """Join the process group of this launch, where there is one; waits for all ranks."""
        index, count = rank_and_world_size()
        if count > 1 and sharding.by_deepspeed():  # Accelerate would let it set up a process group of its own
            if not is_initialized():
                backend = "gloo" if device.type == "cpu" else "nccl"
                init_process_group(backend, store=_rendezvous(index, count), rank=index, world_size=count)
        elif count > 1:
            PartialState(
                cpu=device.type == "cpu", store=_rendezvous(index, count), rank=index, world_size=count
            )
        return cls(index, count)

    @property
    def is_main(self) -> bool:
        """Whether this is the rank that writes and reports."""
        return self.index == 0

    def share(self, items: Sequence[_Item]) -> list[_Item]:
        """The items of a step that this rank computes."""
        return list(items[self.index :: self.count])

    def shard(self, model: nn.Module) -> None:
        """Shard the base's weights, where the launcher was configured so."""
        if self.count > 1 and sharding.is_requested():
            sharding.shard(model)

    def all_reduce_max(self, here: int, device: torch.device) -> int:
        """The largest number of passes of any rank where layers are gathered from all ranks; else this rank's own."""
        if self.count == 1 or not sharding.is_requested():
            return here
        reduced = torch.tensor(here, device=device)
        torch.distributed.all_reduce(reduced, torch.distributed.ReduceOp.MAX)
        return int(reduced)

    def all_reduce_sum(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over all ranks; sharded tensors are summed already."""
        tensors = [tensor for tensor in tensors if not isinstance(tensor, DTensor)]
        if self.count == 1 or not tensors:
            return
        together = torch.cat([tensor.flatten().float() for tensor in tensors])
        torch.distributed.all_reduce(together)
        for tensor, part in zip(tensors, together.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, here: bool, device: torch.device) -> bool:
        """Whether it holds in any rank: all must stop or save together."""
        if self.count == 1:
            return here
        reduced = torch.tensor(float(here), device=device)
        torch.distributed.all_reduce(reduced, torch.distributed.ReduceOp.MAX)
        return bool(reduced)

    def barrier(self) -> None:
        """Wait until all ranks have come here."""
        if self.count > 1:
            torch.distributed.barrier()


def _rendezvous(index: int, count: int) -> Store:
    """The store through which the ranks find one another: one for each attempt, or they would find ended ranks."""
    hosts = index == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), count, is_master=hosts)
    return PrefixStore(f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}", store)
