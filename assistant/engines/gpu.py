"""Whether this machine may have a GPU that torch can use, without importing torch, which takes seconds."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_DRIVERS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA, WSL, AMD
_WINDOWS_DRIVER = "C:/Windows/System32/nvcuda.dll"


def has_gpu(device: str | None) -> bool:
    """Whether torch would compute on a GPU where this device was asked for (None: the best there is)."""
    if device is not None:
        return device != "cpu"
    if not _may_have_one():
        return False
    from tuning.models.device import choose_device  # torch

    return choose_device(None).type != "cpu"


def _may_have_one() -> bool:
    try:
        if version("torch").endswith("+cpu"):
            return False
    except PackageNotFoundError:
        return False
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    drivers = (_WINDOWS_DRIVER,) if sys.platform == "win32" else _DRIVERS
    return any(Path(driver).exists() for driver in drivers)
