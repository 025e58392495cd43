"""The base's weights sharded over the ranks, as Accelerate was configured.

Each rank keeps a shard of every layer, and the whole layer is gathered where it is computed: by FSDP2 here, by
DeepSpeed in `zero`. Who the ranks are is known to `ranks`.
"""

import os
from typing import Any

import torch
from accelerate import FullyShardedDataParallelPlugin
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from tuning.distributed import zero


def is_requested() -> bool:
    """Whether the launcher of this process was configured to shard the base."""
    return _uses("FSDP") or by_deepspeed()


def by_deepspeed() -> bool:
    """Whether the launcher of this process was configured for DeepSpeed."""
    return _uses("DEEPSPEED")


def _uses(engine: str) -> bool:
    return os.environ.get(f"ACCELERATE_USE_{engine}", "false").lower() == "true"


def is_sharded(model: Any) -> bool:
    """Whether this rank holds only a shard of the model."""
    return isinstance(model, FSDPModule) or zero.is_sharded(model)


def shard(model: Any) -> None:
    """Keep this rank's shard of each layer; all ranks at once, before anything is attached to the model.

    Gradients of its weights are summed, as `Ranks.all_reduce_sum` sums those of an adapter; DeepSpeed's take none.
    """
    if by_deepspeed():
        zero.shard(model)
    else:
        _fully_shard(model)
    with torch.no_grad():  # the first pass must be through the whole: later the embeddings are called alone
        model(input_ids=torch.zeros(1, 1, dtype=torch.long, device=model.device))


def _fully_shard(model: Any) -> None:
    plugin = FullyShardedDataParallelPlugin()  # reads what the launcher found in its configuration
    for modules in _groups(model):
        fully_shard(
            modules,
            reshard_after_forward=plugin.reshard_after_forward,
            offload_policy=plugin.cpu_offload,
            mp_policy=plugin.mixed_precision_policy or MixedPrecisionPolicy(reduce_dtype=torch.float32),
        )
        first: Any = modules[0]
        first.set_gradient_divide_factor(1.0)
        first.set_force_sum_reduction_for_comms(True)  # gloo can do nothing else


def _groups(model: Any) -> list[list[nn.Module]]:
    """What is gathered together, from the inside out: each layer, embeddings (with a head that is tied), the rest."""
    blocks = set(model._no_split_modules or ())
    layers = [[module] for module in model.modules() if type(module).__name__ in blocks]
    words, head = model.get_input_embeddings(), model.get_output_embeddings()
    return [*layers, [words, head] if words.weight is head.weight else [words], [model]]


def gathered(tensor: Tensor) -> Tensor:
    """The whole tensor, gathered where it is sharded: by all ranks at once."""
    if isinstance(tensor, DTensor):
        return tensor.full_tensor()
    return zero.gathered(tensor) if zero.is_sharded_weight(tensor) else tensor


def sharded_like(value: Tensor, held: Tensor) -> Tensor:
    """This rank's shard of a whole tensor, where `held` is sharded."""
    if isinstance(held, DTensor):
        return distribute_tensor(value.to(held.device), held.device_mesh, held.placements)
    return value
