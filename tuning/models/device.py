"""The device that a model is held on, and in which precision. It imports no transformers: pages ask it."""

import psutil
import torch

from tuning.errors import ModelError

FLOAT32_SHARE = 0.15  # of the machine's memory, that a job's base may take


def choose_device(asked: str | None) -> torch.device:
    """The device asked for, or the best there is. Raises ModelError."""
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    device = torch.device(asked or best)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ModelError(f"The device {asked!r} was asked for, and there is no CUDA GPU here. Use {best!r}.")
    return device


def choose_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device computes in it, else float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device.type == "cpu" and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return torch.float32
    return torch.bfloat16


def choose_training_dtype(device: torch.device, parameters: int) -> torch.dtype:
    """As `choose_dtype`, but float32 on a CPU that has no products in bfloat16: emulated, they take four times as long.

    A chat keeps bfloat16 there: its single rows wait for memory, and half the bytes are read in half the time. So does
    a job whose base would take much of the machine's memory; of all of it, so that a resumed job finds the same.
    """
    if (
        device.type == "cpu"
        and emulates_bf16()
        and 4 * parameters < FLOAT32_SHARE * psutil.virtual_memory().total
    ):
        return torch.float32
    return choose_dtype(device)


def emulates_bf16() -> bool:
    """Whether products in bfloat16 are put together from others on this processor."""
    multiplies = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.cpu._is_avx512_supported() and not multiplies
