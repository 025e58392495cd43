"""What a model takes: to chat, to be tuned, to be converted; and what is free on this machine. Sizes are bytes."""

from typing import TYPE_CHECKING

import psutil
import torch

from tuning.errors import ModelError
from tuning.models.device import choose_device, choose_training_dtype
from tuning.models.shape import ModelShape

if TYPE_CHECKING:
    from tuning.models.gguf_header import GgufHeader

RUNTIME_BYTES = 700_000_000  # Python, torch and transformers themselves
CHAT_WINDOW = 4096  # tokens of context that are reckoned with
# Of a job, measured with models of 135 and 630 million parameters, whose peaks were 2.2 and 3.9 GB.
TUNING_RUNTIME_BYTES = 1_100_000_000  # packages, and what of a heap grows with no size of the model
STEP_TOKENS = 512  # of a usual step, computed at once
STEP_BYTES = 3.9  # a token and number of 16 bits that flows through a layer
ADAPTER_RANK = 32
LOGIT_ROWS = 450  # of the vocabulary's width in 32 bits: logits, their softmax and its gradient


def in_gb(size: float) -> str:
    """A size for a sentence."""
    return f"{size / 1e9:.1f} GB"


def available_bytes() -> int:
    """The memory that is free where models run: the GPU's when there is one."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    return available_memory()


def available_memory() -> int:
    """The memory of the machine that is free, whatever GPU it has."""
    return int(psutil.virtual_memory().available)


def check_memory(name: str, parameters: int, device: torch.device, bytes_each: int) -> None:
    """Raise ModelError where the weights alone are larger than the memory that is free on a device."""
    needed = parameters * bytes_each
    free = int(torch.cuda.mem_get_info(device)[0]) if device.type == "cuda" else available_memory()
    if needed > free:
        raise ModelError(
            f"The weights of {name!r} take {in_gb(needed)} of memory, and {in_gb(free)} are free. Choose a smaller "
            "model, or close what else uses memory."
        )


def chat_bytes(shape: ModelShape, weights: int | None = None, window: int = CHAT_WINDOW) -> int:
    """What chatting takes: the weights (as many bytes as the file has, or 16 bits each) and a full KV cache."""
    held = 2 * shape.parameters if weights is None else weights
    return RUNTIME_BYTES + held + shape.kv_bytes * min(window, shape.window or window)


def tune_bytes(shape: ModelShape, *, full: bool = False, step_tokens: int = STEP_TOKENS) -> int:
    """The most that a job takes: weights, what a step keeps of each layer for its gradient, adapter, logits.

    The figures are those of the peak of jobs with a low-rank adapter; `full` is for all weights being learned.
    """
    widths = shape.layers * (10 * shape.hidden + 3 * shape.inner)
    each = choose_training_dtype(choose_device(None), shape.parameters).itemsize
    activations = STEP_BYTES * step_tokens * widths * each / 2
    logits = 4 * LOGIT_ROWS * shape.vocabulary
    learned = (
        18 * shape.parameters if full else 16 * ADAPTER_RANK * widths
    )  # masters, gradients, Adam's state
    return round(TUNING_RUNTIME_BYTES + each * shape.parameters + activations + logits + learned)


def conversion_bytes(header: "GgufHeader") -> int:
    """What converting a GGUF file takes: the weights in 16 bits, and the largest tensor in 32 bits, twice."""
    return RUNTIME_BYTES + 2 * header.parameters + 8 * header.largest
