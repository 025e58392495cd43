"""Which process writes a message: an answer whose process died is not shown as streaming for ever."""

import os
from functools import cache

from tuning.process import Identity


def this_process() -> str:
    """The name of this process in the column `writer`; no later process has the same."""
    return _name_of(os.getpid())


def is_alive(writer: str) -> bool:
    """Whether the process that wrote this still runs; a later process with the same number does not count."""
    pid, _, started = writer.partition(":")
    try:
        return Identity(int(pid), float(started)).is_alive
    except ValueError:
        return False


@cache
def _name_of(pid: int) -> str:
    return f"{pid}:{Identity.of(pid).started:.2f}"
