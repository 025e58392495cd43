"""The base's weights shared out among the processes that train together, as Accelerate was configured.

Each process keeps a part of every layer, and the whole layer is gathered where it is computed: by FSDP2 here, by
DeepSpeed in `zero`. Who the processes are is known to `ranks`.
"""

import os
from typing import Any

import torch
from accelerate import FullyShardedDataParallelPlugin
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from tuning.distributed import zero


def is_asked() -> bool:
    """Whether the launcher of this process was configured to share the base out."""
    return _uses("FSDP") or by_deepspeed()


def by_deepspeed() -> bool:
    """Whether the launcher of this process was configured for DeepSpeed."""
    return _uses("DEEPSPEED")


def _uses(engine: str) -> bool:
    return os.environ.get(f"ACCELERATE_USE_{engine}", "false").lower() == "true"


def is_shared_out(model: Any) -> bool:
    """Whether this process holds only a part of the model."""
    return isinstance(model, FSDPModule) or zero.is_shared_out(model)


def share_out(model: Any) -> None:
    """Keep this process's part of each layer; all processes at once, before anything is attached to the model.

    Gradients of its weights are added up, as `Ranks.add_up` adds up those of an adapter; DeepSpeed's take none.
    """
    if by_deepspeed():
        zero.share_out(model)
    else:
        _fully_shard(model)
    with torch.no_grad():  # the first pass must be through the whole: later the embeddings are asked alone
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


def whole(tensor: Tensor) -> Tensor:
    """The tensor, gathered where it is held in parts: to be asked by all processes at once."""
    if isinstance(tensor, DTensor):
        return tensor.full_tensor()
    return zero.whole(tensor) if zero.is_part(tensor) else tensor


def like(value: Tensor, held: Tensor) -> Tensor:
    """This process's part of a whole tensor, where `held` is held in parts."""
    if isinstance(held, DTensor):
        return distribute_tensor(value.to(held.device), held.device_mesh, held.placements)
    return value
