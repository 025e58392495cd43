"""How much memory this machine or container has left, and what this process holds. Knows no jobs."""

import contextlib
from pathlib import Path

import psutil

SHORT_SHARE = 0.015  # of all memory: below this the kernel begins to end processes
LARGE_SHARE = 0.25  # of all memory: a process of this size is worth stepping back
STATUS = Path("/proc/self/status")
CGROUP = Path("/sys/fs/cgroup")  # of this container, where there is one (version 2)


def resident_bytes() -> int:
    """The memory of this process."""
    return int(psutil.Process().memory_info().rss)


def peak_bytes() -> int:
    """The most memory that this process held so far; what it holds now where the system does not say."""
    with contextlib.suppress(OSError, StopIteration):
        lines = STATUS.read_text(encoding="ascii").splitlines()
        return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
    return resident_bytes()


def is_short() -> bool:
    """Whether memory is about to run out and this process holds a large part of it."""
    total, free = total_and_free_bytes()
    return free < SHORT_SHARE * total and resident_bytes() > LARGE_SHARE * total


def total_and_free_bytes() -> tuple[int, int]:
    """All memory that may be used here, and what is left of it, in bytes; a container's limit counts."""
    memory = psutil.virtual_memory()
    total, free = int(memory.total), int(memory.available + psutil.swap_memory().free)
    with contextlib.suppress(OSError, ValueError, KeyError):  # no container, or one without a limit
        limit = int((CGROUP / "memory.max").read_text(encoding="ascii"))
        used = int((CGROUP / "memory.current").read_text(encoding="ascii"))
        lines = (CGROUP / "memory.stat").read_text(encoding="ascii").splitlines()
        cache = int(dict(line.split() for line in lines)["inactive_file"])
        total, free = min(total, limit), min(free, limit - used + cache)
    return total, free
