"""Failures of the machine, memory that ran out and a full disk: how to recognise them, and what to do about them."""

import errno
import shutil
from pathlib import Path

from tuning.data.examples import shortened

OUT_OF_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
)


def is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out, on the device or on the machine."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(w in str(error).lower() for w in OUT_OF_MEMORY_WORDS)


def is_disk_full(error: Exception) -> bool:
    """Whether the disk is full; safetensors says so in words alone."""
    known = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return known or "no space left on device" in str(error).lower()


def out_of_memory_message(error: Exception, device: str) -> str:
    """What to do when even a small batch does not fit."""
    return (
        f"Memory ran out on {device!r}, even with a smaller batch ({shortened(repr(error), 120)}). Close "
        "what else uses it, choose a smaller base model, or a method that needs less (prompt-tuning, ia3, "
        "LoRA of a lower rank)."
    )


def disk_full_message(home: Path) -> str:
    """What to do when the disk is full."""
    free = shutil.disk_usage(home).free
    return (
        f"The disk of {home} is full ({free / 1e6:.0f} MB free). No checkpoint was written. "
        "Free some space and resume the job."
    )
