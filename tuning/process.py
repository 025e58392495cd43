"""Processes: identity, whether one still runs, priority, and ending a whole group. Knows no jobs."""

import contextlib
import gc
import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

# The start time is derived from the machine's boot time, which moves when its clock is set.
START_TOLERANCE_SECONDS = 3.0
NICENESS = 10  # the niceness of what trains: what answers a person goes first
# Threads that wait for work by spinning would stall the chat, and the chat the training, on the same cores.
WORKER_ENVIRONMENT = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_NUM_THREADS": "1",  # numpy's products are small, and its threads always spin
    "PYTHONUNBUFFERED": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


@dataclass(frozen=True)
class Identity:
    """One process: its number is used again later, its number and start together never.

    A home may be shared by machines or containers, so the host is part of it.
    """

    pid: int
    started: float  # seconds since 1970
    host: str = field(default_factory=socket.gethostname)

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
        return cls(int(record["pid"]), float(record["started"]), str(record["host"]))

    def to_dict(self) -> dict[str, Any]:
        """`pid`, `started` and `host`, for JSON."""
        return {"pid": self.pid, "started": self.started, "host": self.host}

    @property
    def is_local(self) -> bool:
        """Whether it is of this machine: of others, nothing can be seen and nothing ended."""
        return self.host == socket.gethostname()

    @property
    def is_alive(self) -> bool:
        """Whether this very process still runs here; one that ended and waits for its parent does not."""
        if not self.is_local:
            return False
        try:
            started = psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:  # somebody else's: it exists, and that is all that can be known
            return True
        return abs(started - self.started) <= START_TOLERANCE_SECONDS and is_running(self.pid)


def worker_environment() -> dict[str, str]:
    """The environment of a process that trains, where this package is found first."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH")) if part)
    return {**os.environ, **WORKER_ENVIRONMENT, "PYTHONPATH": path}


def restrict_new_files() -> None:
    """Whatever this process and its children create from now on is readable by its owner alone."""
    os.umask(0o077)


def lower_priority() -> None:
    """Let the chat go first: low priority, and first in line for the out-of-memory killer."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("800", encoding="ascii")


@contextlib.contextmanager
def without_garbage_collection() -> Iterator[None]:
    """No garbage is collected inside, whatever thread makes it."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def is_running(pid: int) -> bool:
    """Whether a process of this number runs; one that has ended and waits for its parent does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


def end_group(pid: int, patience_seconds: float) -> bool:
    """End a process with its children and its process group; true when all are gone.

    They are asked first (SIGTERM); what still runs after `patience_seconds` is killed (SIGKILL).
    """
    try:
        leader = psutil.Process(pid)
        members = [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return True
    _signal(members, signal.SIGTERM)
    if not _wait(members, patience_seconds):
        with contextlib.suppress(psutil.NoSuchProcess):  # children that came in the meantime
            members += leader.children(recursive=True)
        _signal(members, signal.SIGKILL)
    return _wait(members, 2.0)


def _signal(members: list[psutil.Process], number: signal.Signals) -> None:
    leader = members[0]
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if leader.is_running() and os.getpgid(leader.pid) == leader.pid:  # never our own group
            os.killpg(leader.pid, number)
    for process in members:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.is_running():
                process.send_signal(number)


def _wait(members: list[psutil.Process], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(m.is_running() and is_running(m.pid) for m in members):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
