"""Tuning jobs: estimate, submit, watch, cancel, resume. Each is a folder and a process of its own.

Any number of programs may hold a `Jobs` on one home; closing them all leaves the jobs running.
"""

import os
import shutil
import sys
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from tuning.checkpoints.manifest import REMOTE
from tuning.checkpoints.registry import Registry
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.data.preferences import ReadPreferences
from tuning.errors import JobError, MethodError
from tuning.jobs import admission, calibration, estimates, launch, preference_jobs, remote_jobs, turns
from tuning.jobs.estimates import Estimate
from tuning.jobs.folder import RECORDS, Job, JobFolder
from tuning.jobs.records import EventReader
from tuning.jobs.worker_process import end_worker, start_worker

WORKER = (sys.executable, "-P", "-m", "tuning.jobs.worker")
JobList = list[Job]  # `list` is a method below
Lessons = Sequence[Example] | ReadPreferences  # the second for methods that learn from what people prefer


class Jobs:
    """The jobs under one Imprint home."""

    def __init__(
        self, home: Path, worker: Sequence[str] = WORKER, key_of: Callable[[str], str] = lambda url: ""
    ) -> None:
        """`key_of` gives the key of a service's address; a worker has it in its environment, and no file does."""
        self._key_of = key_of
        self.home = Path(home).resolve()
        self.folder = self.home / "jobs"
        self.registry = Registry(self.home)
        self._worker = tuple(worker)
        self._readers: dict[str, EventReader] = {}
        self._timed: set[tuple[str, str, str | None]] = set()  # kinds of jobs, here and now

    # ------------------------------------------------------------------ before and at the start

    def estimate(self, config: TuneConfig, examples: Lessons) -> Estimate:
        """The time and memory that a job would take; raises `ExampleError` for nothing to learn."""
        if config.method == REMOTE:
            return remote_jobs.estimate(config, examples)
        if isinstance(examples, ReadPreferences):
            return preference_jobs.estimate(self.home, config, examples)
        admission.check_examples(examples)
        earlier = self.registry.earlier_examples(config.parent, examples)
        return estimates.estimate(self.home, config, examples, earlier)

    def calibrate(self, config: TuneConfig, examples: Lessons, *, wait: bool = True) -> None:
        """Time a few steps here where nothing is known of such jobs, once; see `estimate`.

        Not while a job is underway, not for preferences, and without waiting only where the base is at hand.
        """
        if isinstance(examples, ReadPreferences) or config.method == REMOTE:
            return
        kind = (config.base, config.method, config.device)
        if kind in self._timed or estimates.is_known(self.home, config):
            return
        if not all(job.has_ended for job in self.list()):
            return
        if not wait and not estimates.is_at_hand(self.home, config):
            return
        self._timed.add(kind)
        work = threading.Thread(
            target=calibration.calibrate, args=(self.home, config, list(examples)), daemon=True
        )
        work.start()
        if wait:
            work.join()

    @property
    def is_calibrating(self) -> bool:
        """Whether some steps are being timed now."""
        return calibration.is_underway(self.home)

    def submit(self, config: TuneConfig, examples: Lessons, validation: Sequence[Example] = ()) -> Job:
        """Start a job on examples or preferences; it waits by itself until its device is free.

        Of what it learns, the state is kept that has the least loss on `validation`, where that is given.
        Raises `ExampleError` where there is nothing to learn, `MethodError` where the method cannot run on
        the device, `CheckpointError` where the name is taken or the parent does not fit, `JobError` where
        the disk is full.
        """
        device = self.check(config, examples)
        _check_validation(config, examples, validation)
        estimate = self.estimate(config, examples)
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".submit.lock"):
            name = self._free_name(config)
            facts = {
                "name": name,
                "created": time.time(),
                "device": device,
                "expected": estimate.phases,
                "tokens_per_step": estimate.tokens_per_step,
                "estimate": estimate.to_dict(),
            }
            path = self.folder / _new_id(time.time_ns())
            lessons = examples if isinstance(examples, ReadPreferences) else list(examples)
            folder = JobFolder.create(path, replace(config, name=name), lessons, facts, validation)
            self._start(folder)
        return folder.job()

    def check(self, config: TuneConfig, examples: Lessons) -> str:
        """Raise what `submit` would raise, and start nothing; returns the device of the job."""
        if config.method == REMOTE:
            remote_jobs.check(config, examples, self.registry, self._key_of)
            admission.check_disk(self.home)
            self._free_name(config)
            return REMOTE
        device = config.device or estimates.best_device()
        estimates.check_method(config.method, device)
        preference_jobs.check(config, examples, self.registry)
        if not isinstance(examples, ReadPreferences):
            admission.check_examples(examples)
        launch.check(config, device)
        admission.check_parent(config, self.registry)
        admission.check_disk(self.home)
        self._free_name(config)
        return device

    # ------------------------------------------------------------------ watching

    def list(self) -> JobList:
        """All jobs, the newest first."""
        if not self.folder.is_dir():
            return []
        names = sorted((e.name for e in os.scandir(self.folder) if e.is_dir()), reverse=True)
        jobs = []
        for name in names:
            if not name.startswith("."):
                try:
                    jobs.append(JobFolder(self.folder / name).job())
                except JobError:
                    continue  # a folder that somebody else put there
        return jobs

    def get(self, id: str) -> Job:
        """One job, by its id or the beginning of it; raises `JobError` where there is none."""
        return self._folder(id).job()

    def events(self, id: str, after: int = 0) -> Sequence[dict[str, Any]]:
        """What happened, oldest first, without the first `after` events, which are known already."""
        folder = self._folder(id)
        return self._readers.setdefault(folder.id, EventReader(folder.events)).after(after)

    def log(self, id: str, lines: int = 50) -> str:
        """The end of what the worker wrote for a person to read."""
        try:
            with self._folder(id).log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 400 * lines))
                text = file.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.removesuffix("\n").split("\n")[-lines:])

    def curve(self, id: str) -> Sequence[dict[str, Any]]:
        """The training steps in order; a step that was done again after a resumption counts as done last."""
        steps = {event["step"]: event for event in self.events(id) if event.get("kind") == "step"}
        return [steps[number] for number in sorted(steps)]

    def wait(
        self,
        id: str,
        on_event: Callable[[dict[str, Any]], None] | None = None,
        *,
        on_change: Callable[[Job], None] | None = None,
        poll_seconds: float = 0.25,
    ) -> Job:
        """Follow a job until it has ended; each event is passed once, the job whenever it was looked at."""
        seen = 0
        while True:
            job = self.get(id)
            events = self.events(id, seen)
            seen += len(events)
            for event in events:
                if on_event:
                    on_event(event)
            if on_change:
                on_change(job)
            if job.has_ended:
                return job
            time.sleep(poll_seconds)

    def waiting(self) -> JobList:
        """The jobs that wait for their device, in the order in which they start."""
        return turns.waiting(self.list())

    def move(self, id: str, places: int) -> Job:
        """Let a waiting job start so many places later, or earlier for a negative number; raises `JobError`."""
        job = self.get(id)
        turns.move(self.list(), job, places, self.folder)
        return self.get(id)

    # ------------------------------------------------------------------ ending and going on

    def cancel(self, id: str) -> Job:
        """End a job within five seconds and free what it holds; one that has ended raises `JobError`."""
        folder = self._folder(id)
        job = folder.job()
        if job.status == "cancelled":
            return job
        if job.has_ended:
            raise JobError(f"Job {job.id!r} cannot be cancelled: it has ended already ({job.status}).")
        folder.write("cancel", {"time": time.time()})
        end_worker(folder, self.registry)
        if not folder.has_result:
            self._settle(folder)
        return folder.job()

    def resume(self, id: str) -> Job:
        """Go on with a job that was interrupted, failed or was cancelled, from where it was last kept."""
        folder = self._folder(id)
        with FileLock(self.folder / ".submit.lock"):
            job = folder.job()
            if not job.resumable:
                raise JobError(f"Job {job.id!r} cannot be resumed: it is {job.status}.")
            admission.check_parent(folder.config(), self.registry)
            admission.check_disk(self.home)
            worker = folder.worker()
            if worker is not None:
                self.registry.remove_leftovers_of(worker.pid)
            folder.remove("cancel", "result", "progress", "worker")
            if adjusted := folder.read("adjusted"):  # the batch stays as it is; it may be halved anew
                folder.write("adjusted", {**adjusted, "halvings": 0})
            self._start(folder)
        return folder.job()

    def remove(self, id: str) -> None:
        """Forget a job that has ended; its checkpoint stays."""
        folder = self._folder(id)
        job = folder.job()
        if not job.has_ended:
            raise JobError(f"Job {job.id!r} is {job.status}. Cancel it before it is removed.")
        trash = self.folder / f".deleted-{uuid.uuid4().hex[:8]}"
        folder.path.rename(trash)
        RECORDS.forget(folder.path)
        self._readers.pop(folder.id, None)
        shutil.rmtree(trash, ignore_errors=True)

    # ------------------------------------------------------------------ inside

    def _folder(self, id: str) -> JobFolder:
        exact = self.folder / id
        if id and Path(id).name == id and not id.startswith(".") and (exact / "job.json").is_file():
            return JobFolder(exact)
        known = [job.id for job in self.list()]
        found = [one for one in known if id and one.startswith(id)]
        if len(found) != 1:
            what = f"{len(found)} jobs begin with" if found else "There is no job"
            raise JobError(f"{what} {id!r}. The newest are: {', '.join(known[:5]) or 'none yet'}.")
        return JobFolder(self.folder / found[0])

    def _settle(self, folder: JobFolder) -> None:
        """Write the result of a job whose worker was killed: what it stored in its last moment counts."""
        stored = [c for c in self.registry.list() if c.job == folder.id]
        if stored:
            folder.write("evaluation", stored[0].evaluation)
            folder.finish("succeeded", checkpoint=stored[0].name, metrics=stored[0].metrics)
        else:
            folder.finish("cancelled")

    def _start(self, folder: JobFolder) -> None:
        keys = remote_jobs.environment(folder.config(), self._key_of)
        start_worker(folder, self._worker, self.home, keys)

    def _free_name(self, config: TuneConfig) -> str:
        return admission.free_name(config, self.registry, self.list())


def _check_validation(config: TuneConfig, lessons: Lessons, validation: Sequence[Example]) -> None:
    """Raises MethodError where nothing would be asked of these examples."""
    if validation and (config.method == REMOTE or isinstance(lessons, ReadPreferences)):
        raise MethodError(f"Validation examples were given, and {config.method!r} asks none. Leave them out.")


def _new_id(nanoseconds: int) -> str:
    """A job's id, which sorts by time."""
    seconds, rest = divmod(nanoseconds, 10**9)
    moment = time.strftime("%Y%m%d-%H%M%S", time.gmtime(seconds))
    return f"{moment}-{rest // 1000:06d}-{uuid.uuid4().hex[:4]}"
