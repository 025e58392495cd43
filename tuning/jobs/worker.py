"""The process that works on one job: `python -m tuning.jobs.worker JOB_FOLDER`. It reports in that folder alone.

It waits for its device, opens the base, trains, evaluates, stores the checkpoint and writes the result.
"""

import contextlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tuning.checkpoints.manifest import REMOTE
from tuning.errors import TuningError, reason_of
from tuning.jobs import ram, turns
from tuning.jobs.failures import disk_full_message, is_disk_full, is_out_of_memory, out_of_memory_message
from tuning.jobs.folder import HEARTBEAT_SECONDS, JobFolder
from tuning.jobs.progress import JobProgress
from tuning.jobs.retries import Retries, restart_process
from tuning.jobs.task import JobStopped, Task, TaskOutcome
from tuning.process import Identity, lower_priority, restrict_new_files, without_garbage_collection

log = logging.getLogger("tuning.jobs.worker")

STOP_SECONDS = 3.0  # from SIGTERM until a worker that did not come to an end is killed
POLL_SECONDS = 0.2


class Worker:
    """Runs one piece of work for one job folder, from queue to result."""

    def __init__(self, path: Path, work: Callable[[Task], TaskOutcome]) -> None:
        self.folder, self.home, self._work = JobFolder(path), path.parent.parent, work
        self._stop, self._retries = threading.Event(), Retries(self.folder)
        facts = self.folder.read("job")
        self._device = str(facts.get("device", "cpu"))
        before = self.folder.read("progress")
        self._progress = JobProgress(
            lambda p: self.folder.write("progress", p), facts.get("expected", {}), before
        )
        self._memory_bytes, self._phase = 0, ""

    def run(self) -> int:
        """Work on the job until it has a result; the exit status."""
        self.folder.write("worker", _leader().to_dict())
        signal.signal(signal.SIGTERM, lambda *_: self._ask_to_stop())
        threading.Thread(target=self._beat, daemon=True).start()
        try:
            if self.folder.has_result:
                return 0
            if self.folder.is_cancelled:
                raise JobStopped
            with self._turn():
                lower_priority()
                outcome = self._work(self._task())
                self._finish(outcome)
            return 0
        except JobStopped:
            return self._stopped()
        except Exception as error:  # whatever happens must be said in the job's folder
            return self._failed(error)

    def _task(self) -> Task:
        return Task(
            folder=self.folder,
            home=self.home,
            config=self.folder.config(),
            device=self._device,
            enter=self._enter,
            emit=self._emit,
            should_stop=self._stop.is_set,
            peak_bytes=lambda: self._memory_bytes,
        )

    def _enter(self, phase: str, said: Mapping[str, Any] | None = None) -> None:
        if self._stop.is_set():
            raise JobStopped
        if phase == self._phase:
            return
        log.info("%s", phase)
        self._phase = phase
        self._progress.enter(phase, said)
        self.folder.append({"kind": "phase", "phase": phase, "time": time.time()})

    def _emit(self, event: dict[str, Any]) -> None:
        """One event of the work. A `phase` begins one, or says with `share` how far it is."""
        if event.get("kind") == "phase" and event["phase"] != self._phase:
            self._enter(event["phase"], event)
        self._progress.note(event)
        if event.get("kind") != "phase":
            self.folder.append({"time": time.time(), **event})

    # ------------------------------------------------------------------ the queue

    @contextlib.contextmanager
    def _turn(self) -> Any:
        """Wait until the device is free and no earlier job waits for it; hold it inside. A service has its own."""
        if self._device == REMOTE:
            self._enter("preparing")
            yield
            return
        self._enter("queued")
        lock = FileLock(self.folder.path.parent / f".device-{self._device.replace(':', '-')}.lock")
        while True:
            if self._stop.is_set():
                raise JobStopped
            if turns.is_first(self.folder):
                try:
                    lock.acquire(timeout=0)
                    break
                except Timeout:
                    pass
            time.sleep(POLL_SECONDS)
        try:
            self._enter("preparing")
            yield
        finally:
            lock.release()

    # ------------------------------------------------------------------ how it ends

    def _finish(self, outcome: TaskOutcome) -> None:
        self.folder.write("evaluation", outcome.evaluation)
        metrics = {"job_memory_bytes": self._memory_bytes, **outcome.metrics}
        self.folder.append({"kind": "result", "checkpoint": outcome.checkpoint, "time": time.time()})
        shutil.rmtree(self.folder.state, ignore_errors=True)  # the checkpoint is stored
        self.folder.finish("succeeded", checkpoint=outcome.checkpoint, metrics=metrics)
        log.info("stored the checkpoint %r", outcome.checkpoint)

    def _stopped(self) -> int:
        if self.folder.is_cancelled:
            self.folder.finish("cancelled")
            log.info("cancelled")
        else:  # the machine goes down, for example: the trainer has kept its state
            log.info("asked to end; the job can be resumed")
        return 0

    def _failed(self, error: Exception) -> int:
        if self._stop.is_set():
            return self._stopped()
        if self._retries.is_called_for or (is_out_of_memory(error) and self._retries.halve(error)):
            restart_process()
        if self.folder.has_result:  # another process of this job has said what went wrong
            return 1
        if is_out_of_memory(error):
            message = out_of_memory_message(error, self._device)
        elif isinstance(error, TuningError):
            message = str(error)
        elif is_disk_full(error):
            (self.folder.path / "reserve").unlink(missing_ok=True)
            message = disk_full_message(self.home)
        else:
            message = (
                f"Something unexpected happened: {reason_of(error).rstrip('.')}. {self.folder.log} has the details; "
                "resume the job to try again."
            )
        log.error("failed: %s", message, exc_info=error)
        self.folder.finish("failed", error=message)
        return 1

    # ------------------------------------------------------------------ beside the work

    def _beat(self) -> None:
        while True:
            self.folder.beat()
            if self.folder.is_cancelled:
                self._ask_to_stop()
            self._memory_bytes = max(self._memory_bytes, ram.peak_bytes())
            if self._phase != "queued" and ram.is_short():
                self._step_back()
            with contextlib.suppress(OSError):  # a full disk is reported by the work itself
                self._progress.tick()
            time.sleep(HEARTBEAT_SECONDS)

    def _step_back(self) -> None:
        """Begin again with less before the kernel ends this process without a word."""
        error = MemoryError("less than 2 % of the memory is left")
        if not self.folder.has_result:
            if self._retries.halve(error):
                restart_process()
            self.folder.finish("failed", error=out_of_memory_message(error, self._device))
        os._exit(1)

    def _ask_to_stop(self) -> None:
        if self._stop.is_set():
            return
        self._stop.set()
        timer = threading.Timer(STOP_SECONDS, kill_group)
        timer.daemon = True
        timer.start()


def tune(task: Task) -> TaskOutcome:
    """Open the base, train, evaluate, store: the work of every job."""
    # Torch takes seconds and hundreds of megabytes: not while the job waits for its turn.
    if task.config.method == REMOTE:
        from tuning.jobs.remote_round import tune as learn_elsewhere  # OpenAI's client takes a second

        return learn_elsewhere(task)
    with without_garbage_collection():
        from tuning.jobs.preference_round import tune as learn_preferences
        from tuning.jobs.round import tune as learn_examples
        from tuning.training.methods import PREFERENCE_METHODS

    return (learn_preferences if task.config.method in PREFERENCE_METHODS else learn_examples)(task)


def train_as_rank(folder: JobFolder) -> None:
    """Train as another process of a job: the work of every rank but the first."""
    with without_garbage_collection():
        from tuning.jobs.round import train_as_rank as work  # torch, as above

    work(folder)


def _run_rank(path: Path, work: Callable[[JobFolder], None]) -> int:
    """Another process of the same job: from when the job has its turn. It reports a failure by its exit status."""
    folder = JobFolder(path)
    retries = Retries(folder)
    while folder.read("progress").get("phase", "queued") == "queued":
        if folder.is_cancelled or folder.has_result:
            return 0
        time.sleep(POLL_SECONDS)
    lower_priority()
    log.info("process %s of %s joins the training", os.environ["RANK"], os.environ["WORLD_SIZE"])
    try:
        work(folder)
    except Exception as error:  # as in the first process
        if is_out_of_memory(error):
            if retries.halve(error):
                restart_process()
            device = str(folder.read("job").get("device", "cpu"))
            folder.finish("failed", error=out_of_memory_message(error, device))
        log.error("process %s failed", os.environ["RANK"], exc_info=error)
        return 1
    return 0


def _leader() -> Identity:
    """The process that stands for the job: this one, or the launcher of several."""
    return Identity.of(os.getppid()) if int(os.environ.get("WORLD_SIZE", 1)) > 1 else Identity.own()


def kill_group() -> None:
    """End this process and its children now. Everything that counts is written by rename."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(1)


def main(
    arguments: list[str],
    work: Callable[[Task], TaskOutcome] = tune,
    rank_work: Callable[[JobFolder], None] = train_as_rank,
) -> int:
    """Work on the job whose folder is the one argument: as its first process, or as another rank of it."""
    restrict_new_files()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    if len(arguments) != 1 or not (Path(arguments[0]) / "job.json").is_file():
        log.error("usage: python -m tuning.jobs.worker JOB_FOLDER; found %r", arguments)
        return 2
    folder = Path(arguments[0]).resolve()
    if int(os.environ.get("RANK", 0)) == 0:
        return Worker(folder, work).run()
    return _run_rank(folder, rank_work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
