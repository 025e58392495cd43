"""The base's weights sharded over the ranks by DeepSpeed (ZeRO 3, arXiv 1910.02054), for adapters to learn on.

Only the base is DeepSpeed's: what learns is attached afterwards, and stepped by `trainer`. DeepSpeed is imported
where it is used, as it is no part of a usual installation.
"""

import os
from typing import Any

import torch
from accelerate import DeepSpeedPlugin
from torch import Tensor


def shard(model: Any) -> None:
    """Keep this rank's shard of every layer; all ranks at once, before anything is attached to the model."""
    os.environ["DS_ACCELERATOR"] = model.device.type  # else it takes a GPU that was not asked for
    import deepspeed

    if model.device.type == "cpu":
        # Its own sums in shared memory would have to be compiled first; gloo's are there.
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    model.requires_grad_(False)
    deepspeed.initialize(
        model=model, config={"train_micro_batch_size_per_gpu": 1, "zero_optimization": _zero()}
    )


def _zero() -> dict[str, Any]:
    """What the launcher found in its configuration, without what is left to DeepSpeed or is of no use here."""
    # Without the flag the next base that is opened would be sharded, too.
    plugin = DeepSpeedPlugin(zero3_init_flag=False)
    found: dict[str, Any] = plugin.deepspeed_config["zero_optimization"]
    return {name: value for name, value in found.items() if value != "auto" and "optimizer" not in name}


def is_sharded_weight(weight: Tensor) -> bool:
    """Whether this weight is sharded: each module's is gathered when it is called."""
    return hasattr(weight, "ds_id")


def is_sharded(model: Any) -> bool:
    """Whether this rank holds only a shard of the model; called at every forward pass."""
    return is_sharded_weight(model.get_input_embeddings().weight)


def gathered(weight: Tensor) -> Tensor:
    """A weight, gathered: by all ranks at once."""
    import deepspeed

    with torch.no_grad(), deepspeed.zero.GatheredParameters([weight]):
        return weight.detach().clone()
