"""Between a worker process and the work that it runs: a `Task` goes in, a `TaskOutcome` comes out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.jobs.folder import JobFolder


class JobStopped(Exception):  # noqa: N818 - not an error
    """Somebody asked the worker to end."""


@dataclass(frozen=True)
class Task:
    """What a piece of work gets: its folder, what was asked, and how to report."""

    folder: JobFolder
    home: Path
    config: TuneConfig
    device: str
    enter: Callable[[str], None]  # begin a phase; raises `JobStopped` once somebody asked to end
    emit: Callable[[dict[str, Any]], None]  # one event
    should_stop: Callable[[], bool]
    peak_bytes: Callable[[], int]  # the most memory that this process held so far

    @property
    def name(self) -> str:
        """The name that the checkpoint is to have."""
        return str(self.folder.read("job").get("name") or self.config.method)

    @property
    def examples(self) -> list[Example]:
        """What is to be learned."""
        return self.folder.examples()


@dataclass(frozen=True)
class TaskOutcome:
    """The checkpoint that was made, how it went, and what it learned."""

    checkpoint: str
    metrics: dict[str, Any]
    evaluation: dict[str, Any]
