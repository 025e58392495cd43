"""About how fast a model answers and learns on this machine, before anything was measured. Seconds and tokens."""

import os

import psutil
import torch

from tuning.models.device import emulates_bf16
from tuning.models.shape import ModelShape

# Two cores of a server with AVX-512 and bf16, measured with models of 135 and 630 million parameters.
CPU_BYTES, GPU_BYTES = 11e9, 300e9  # a second, of weights, while llama.cpp decodes
CPU_FLOPS, FASTER = 3.4e11, {"cuda": 50.0, "mps": 4.0}  # a second, while a low-rank adapter is trained
IN_32_BITS = 0.55  # of that speed, where the processor has no instructions for 16 bits
LAYER_SECONDS = 5.6e-5  # of one token in one layer, beside its products: norms, casts, the adapter
ANSWER_LAYER_SECONDS, ANSWER_BYTES = 2.3e-3, 6.4e9  # of an answer of 24 tokens, one of many at once
OPENED_BYTES, CONVERTED_PARAMETERS = 5e8, 2.5e7  # a second
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
    reference = shape.layers * LAYER_SECONDS + training_flops(shape) / CPU_FLOPS
    return reference / _times_faster(device)


def answer_seconds(shape: ModelShape, device: str) -> float:
    """About how long a short answer takes, one of many that are computed at once."""
    read = shape.body_parameters + shape.vocabulary * shape.hidden
    reference = shape.layers * ANSWER_LAYER_SECONDS + 2 * read / ANSWER_BYTES
    return reference / _times_faster(device)


def opening_seconds(shape: ModelShape, *, convert: bool) -> float:
    """About how long it takes to open a model, and to convert it from a GGUF file before."""
    opened = 2 * shape.parameters / OPENED_BYTES
    return opened + (shape.parameters / CONVERTED_PARAMETERS if convert else 0.0)


def _times_faster(device: str) -> float:
    """How much faster than the machine of the figures above."""
    on_cpu = min(MOST_USED_CORES, cores()) / REFERENCE_CORES * (IN_32_BITS if emulates_bf16() else 1.0)
    return FASTER.get(device.split(":")[0], on_cpu)


def cores() -> int:
    """The cores that compute."""
    return psutil.cpu_count(logical=False) or os.cpu_count() or 1
