"""A foreign adapter's tensors: all of the numbers are numbers, and each layer's pair was trained."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from tuning.errors import CheckpointError


def check_tensors(state: Mapping[str, Tensor], folder: Path) -> None:
    """Raises `CheckpointError` for NaN or infinity, for half of a pair, and for a pair that was never trained."""
    broken = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise CheckpointError(
            f"{len(broken)} of {len(state)} tensors of the adapter in {folder} hold NaN or infinity (the first is "
            f"{broken[0]!r}): its training failed, or the file is damaged. Ask its author for another."
        )
    halves = [name for name in state if (other := _other_half(name)) and other not in state]
    if halves:
        raise CheckpointError(
            f"The adapter in {folder} has {halves[0]!r} without its other half {_other_half(halves[0])!r} "
            f"({len(halves)} in all). Copy the file again."
        )
    pairs = [name for name in state if _is_b(name)]
    untrained = [name for name in pairs if not state[name].any()]
    if untrained:
        raise CheckpointError(
            f"{len(untrained)} of {len(pairs)} layers of the adapter in {folder} were left at zero, as before "
            f"training, and do nothing (the first is {untrained[0]!r}). Ask its author for the trained one."
        )


def _is_b(name: str) -> bool:
    return ".lora_B." in name or ".lora_embedding_B" in name


def _other_half(name: str) -> str:
    """The name of the other matrix of a low-rank pair; empty for tensors that stand alone."""
    for one, other in ((".lora_A.", ".lora_B."), (".lora_embedding_A", ".lora_embedding_B")):
        if one in name:
            return name.replace(one, other)
        if other in name:
            return name.replace(other, one)
    return ""
