"""Waiting for what a job's worker does, with a deadline far beyond what it takes."""

import time
from collections.abc import Callable

from tuning.jobs.folder import Job
from tuning.jobs.jobs import Jobs


def until(jobs: Jobs, id: str, holds: Callable[[Job], bool], seconds: float = 120) -> Job:
    """The job as soon as this holds of it; fails where it does not in so many seconds."""
    deadline = time.monotonic() + seconds
    while not holds(job := jobs.get(id)):
        assert time.monotonic() < deadline, f"{job}\n{jobs.log(id)}"
        time.sleep(0.02)
    return job
