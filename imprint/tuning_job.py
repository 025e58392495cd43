"""`TuningJob`: a tuning job as a program follows it. The job itself runs in a process of its own."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tuning.errors import JobError

if TYPE_CHECKING:
    from tuning.checkpoints.manifest import Checkpoint
    from tuning.jobs.folder import Job
    from tuning.jobs.jobs import Jobs

POLL_SECONDS = 0.25


class TuningJob:
    """A job that was started; it goes on when this program ends. Find it again with `Imprint.job(id)`."""

    def __init__(self, jobs: "Jobs", id: str) -> None:
        self._jobs = jobs
        self.id = id

    def __repr__(self) -> str:
        state = self.state
        return (
            f"<TuningJob {self.id}: {state.name} with {state.method}, {state.status} ({state.progress:.0%})>"
        )

    @property
    def state(self) -> "Job":
        """All that is known of it now: phase, step, loss, estimate and more. Raises JobError where it was removed."""
        return self._jobs.get(self.id)

    @property
    def status(self) -> str:
        """One of queued, running, succeeded, failed, cancelled."""
        return self.state.status

    @property
    def name(self) -> str:
        """The name of the checkpoint that it makes."""
        return self.state.name

    def events(self, after: int = 0) -> Sequence[dict[str, Any]]:
        """What happened, oldest first, without the first `after` events."""
        return self._jobs.events(self.id, after)

    def wait(
        self, progress: "Callable[[Job], None] | None" = None, *, timeout_seconds: float | None = None
    ) -> "Checkpoint":
        """Wait for its end and return the checkpoint; `progress` is called with each state.

        Raises JobError where it failed or was cancelled, and TimeoutError where it has not ended in time; the job
        goes on then.
        """
        began = time.monotonic()
        while not (state := self.state).has_ended:
            if progress is not None:
                progress(state)
            if timeout_seconds is not None and time.monotonic() - began > timeout_seconds:
                raise TimeoutError(
                    f"Job {self.id} is {state.status} after {timeout_seconds:g} seconds. It goes on: wait again."
                )
            time.sleep(POLL_SECONDS)
        if progress is not None:
            progress(state)
        return self.result

    @property
    def result(self) -> "Checkpoint":
        """The checkpoint that it made. Raises JobError where there is none (yet)."""
        state = self.state
        if not state.has_ended:
            raise JobError(f"Job {self.id} has no checkpoint yet: it is {state.status}. Wait for it.")
        if state.checkpoint is None:
            why = f": {state.error.rstrip('.')}" if state.error else ""
            raise JobError(f"Job {self.id} {state.status}{why}.")
        return self._jobs.registry.get(state.checkpoint)

    def cancel(self) -> None:
        """End it within seconds; what was learned so far is kept for `resume`. Raises JobError where it has ended."""
        self._jobs.cancel(self.id)

    def resume(self) -> None:
        """Go on with one that failed or was cancelled. Raises JobError."""
        self._jobs.resume(self.id)
