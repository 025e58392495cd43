"""About how fast a model answers and learns on this machine, before anything was measured. Seconds and tokens."""

import os

import psutil
import torch

from tuning.models.shape import ModelShape

# Two cores of a server with AVX-512 and bf16. Decoding reads every weight for each token; training computes.
CPU_BYTES, GPU_BYTES = 11e9, 300e9  # a second, of weights, while decoding
CPU_FLOPS, GPU_FLOPS, MPS_FLOPS = 1.6e11, 8e12, 6.4e11  # a second, in the loop that trains a low-rank adapter
REFERENCE_CORES, MOST_USED_CORES = 2, 16


def tokens_per_second(weights: int) -> float:
    """About how many tokens of an answer a model of so many bytes writes in a second here."""
    if torch.cuda.is_available():
        return GPU_BYTES / weights
    return CPU_BYTES * min(4.0, cores() / REFERENCE_CORES) / weights


def training_flops(shape: ModelShape, tokens_each: float = 60.0) -> float:
    """The computations for one token of training: forward, and backward to the input of each layer.

    Twice the weights that a token passes for each of both; attention over the tokens of its own example; and the
    vocabulary, where the answer is: about a third of the tokens.
    """
    attention = 4 * shape.layers * shape.hidden * tokens_each
    return 4 * shape.body_parameters + 2 * attention + 4 * shape.vocabulary * shape.hidden / 3


def training_token_seconds(shape: ModelShape, device: str) -> float:
    """About how long one token of training takes on a kind of device."""
    kind = device.split(":")[0]
    cpu = CPU_FLOPS * min(MOST_USED_CORES, cores()) / REFERENCE_CORES
    return training_flops(shape) / {"cuda": GPU_FLOPS, "mps": MPS_FLOPS}.get(kind, cpu)


def cores() -> int:
    """The cores that compute."""
    return psutil.cpu_count(logical=False) or os.cpu_count() or 1
