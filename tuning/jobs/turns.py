"""Whose turn it is: the order in which the waiting jobs of a device start, and changing it. Starts nothing.

A job's turn is a time: that of its submission, until somebody lets it change places with another.
"""

from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from tuning.errors import JobError
from tuning.jobs.folder import Job, JobFolder

_FILE = "turn"
_LOCK = ".turns.lock"


def turn(folder: JobFolder) -> tuple[float, str]:
    """What the jobs of a device are ordered by."""
    moved = folder.read(_FILE).get("turn")
    return float(folder.read("job").get("created", 0) if moved is None else moved), folder.id


def is_first(folder: JobFolder) -> bool:
    """Whether no other job that is underway on the same device comes before this one."""
    own, device = turn(folder), folder.read("job").get("device")
    for path in folder.path.parent.iterdir():
        other = JobFolder(path)
        if path.name.startswith(".") or path.name == folder.id or other.read("job").get("device") != device:
            continue
        if turn(other) < own and not other.has_result and other.worker() and other.is_alive:
            return False
    return True


def waiting(jobs: Sequence[Job]) -> list[Job]:
    """The jobs that wait, in the order in which they start."""
    queued = [job for job in jobs if job.status == "queued"]
    return sorted(queued, key=lambda job: turn(JobFolder(job.folder)))


def move(jobs: Sequence[Job], job: Job, places: int, root: Path) -> None:
    """Let a waiting job of `jobs` start so many places later, or earlier for a negative number; at most at the end.

    Raises JobError where it does not wait.
    """
    with FileLock(root / _LOCK):
        line = [one for one in waiting(jobs) if one.device == job.device]
        ids = [one.id for one in line]
        if job.id not in ids:
            raise JobError(
                f"Job {job.id!r} does not wait: it is {job.status}. Only waiting jobs can be moved."
            )
        turns = [turn(JobFolder(one.folder))[0] for one in line]
        at = ids.index(job.id)
        line.insert(min(max(at + places, 0), len(line) - 1), line.pop(at))
        for one, moved in zip(line, turns, strict=True):
            if turn(JobFolder(one.folder))[0] != moved:
                JobFolder(one.folder).write(_FILE, {"turn": moved})
