"""Who a process is, whether it still lives, and how to end it with its children. Knows no jobs."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import psutil

# The start time is derived from the machine's boot time, which moves when its clock is set.
START_TOLERANCE_SECONDS = 3.0


@dataclass(frozen=True)
class Identity:
    """One process of this machine: its number is used again later, its number and start together never."""

    pid: int
    started: float  # seconds since 1970

    @classmethod
    def of(cls, pid: int) -> "Identity":
        """The identity of a process that runs now; raises `psutil.NoSuchProcess`."""
        return cls(pid, psutil.Process(pid).create_time())

    @classmethod
    def own(cls) -> "Identity":
        """The identity of this process."""
        return cls.of(os.getpid())

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "Identity":
        """The identity of `to_dict`'s object; raises `KeyError`, `TypeError` or `ValueError`."""
        return cls(int(record["pid"]), float(record["started"]))

    def to_dict(self) -> dict[str, Any]:
        """`pid` and `started`, for JSON."""
        return {"pid": self.pid, "started": self.started}

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs; one that has ended and waits for its parent does not."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > START_TOLERANCE_SECONDS:
                return False
            return bool(process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:  # somebody else's: it exists, and that is all that can be known
            return True

    @property
    def name(self) -> str:
        """The program's name, for messages."""
        try:
            return str(psutil.Process(self.pid).name())
        except psutil.Error:
            return "a process"


def end_group(leader: Identity, patience_seconds: float) -> bool:
    """End a process that leads its own group, and everything in the group; true when it is gone.

    It is asked first (SIGTERM); whoever still runs after `patience_seconds` is killed (SIGKILL). Children
    are looked up before, so that they end even where the leader is gone already.
    """
    members = _members(leader)
    if leader.is_alive:
        _signal_group(leader.pid, signal.SIGTERM)
    _, alive = psutil.wait_procs(members, timeout=patience_seconds)
    if leader.is_alive:
        _signal_group(leader.pid, signal.SIGKILL)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    deadline = time.monotonic() + 1.0
    while leader.is_alive and time.monotonic() < deadline:
        time.sleep(0.02)
    return not leader.is_alive


def _members(leader: Identity) -> list[psutil.Process]:
    if not leader.is_alive:
        return []
    try:
        process = psutil.Process(leader.pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
