"""One round of tuning by a service, as a job does it: send the examples, start a job there, follow it, keep its name.

What runs there goes on without this process. The ids are kept in the job's folder as soon as they are known, so that
a later attempt takes the same job up again.
"""

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from tuning.checkpoints.manifest import Checkpoint, Manifest
from tuning.checkpoints.registry import Registry
from tuning.checkpoints.remote_model import RemoteModel
from tuning.errors import JobError, TuningError
from tuning.jobs.records import EventReader
from tuning.jobs.remote_jobs import KEY_VARIABLE, parent_of
from tuning.jobs.task import JobStopped, Task, TaskOutcome
from tuning.remote.outgoing import training_file
from tuning.remote.service import FineTuningService, OutOfReachError, ServiceEvent, ServiceJob
from tuning.storage import read_json, write_json

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 600.0  # without an answer of the service, until the following is given up
CANCEL_SECONDS = 2.0  # for the service to answer: the worker is killed a second later
_SHORTEST_WAIT, _LONGEST_WAIT = 0.25, 10.0  # seconds between two questions
_GLANCE_SECONDS = 0.1
_KNOWN = "service_event"  # in an event of this job: the id of the service's event that it tells


@dataclass(frozen=True)
class _Underway:
    """The ids of what the service has of this job; "" where it has none yet."""

    file: str = ""
    job: str = ""

    @classmethod
    def of(cls, task: Task) -> "_Underway":
        record = read_json(task.folder.state / "service.json")
        return cls(str(record.get("file", "")), str(record.get("job", "")))

    def keep(self, task: Task) -> "_Underway":
        task.folder.state.mkdir(exist_ok=True)
        write_json(task.folder.state / "service.json", {"file": self.file, "job": self.job})
        return self


def tune(task: Task, *, patience_seconds: float = PATIENCE_SECONDS) -> TaskOutcome:
    """The work of such a job; goes on from what an earlier attempt left in its folder and at the service."""
    registry, began = Registry(task.home), time.time()
    stored = next((c for c in registry.list() if c.job == task.folder.id), None)
    if stored is not None:  # the earlier attempt ended after storing and before saying so
        return TaskOutcome(stored.name, stored.metrics, stored.evaluation)
    assert task.config.send_to is not None
    service = FineTuningService(task.config.send_to, os.environ.get(KEY_VARIABLE, ""))
    with contextlib.closing(service):
        underway = _begun(task, registry, service)
        with _cancelled_there(task, service, underway.job):
            ended, metrics = _follow(task, service, underway.job, patience_seconds)
        checkpoint = _store(task, registry, ended, {**metrics, "train_seconds": time.time() - began})
        _delete_file(task, service, underway.file)
    return TaskOutcome(checkpoint.name, checkpoint.metrics, checkpoint.evaluation)


def _begun(task: Task, registry: Registry, service: FineTuningService) -> _Underway:
    """The job at the service: that of an earlier attempt where it still can end well, else a new one."""
    task.enter("preparing")
    underway = _Underway.of(task)
    if underway.job:
        found = service.job(underway.job)
        if found.status not in ("failed", "cancelled"):
            task.emit({"kind": "message", "message": f"Taking up the job {found.id} at {service.url}."})
            return underway
        underway = _Underway()  # its file may be what was wrong
    if not underway.file:
        content = training_file(task.examples, task.config.system_prompt)
        underway = _Underway(service.upload(f"{task.folder.id}.jsonl", content)).keep(task)
    task.enter("preparing")  # nobody has asked to end
    # An earlier attempt may have ended between the start of the job over there and the note of its id.
    job = service.find(underway.file) or _created(task, registry, service, underway.file)
    task.emit({"kind": "message", "message": f"{service.url} has the examples and calls the job {job.id}."})
    return replace(underway, job=job.id).keep(task)


def _created(task: Task, registry: Registry, service: FineTuningService, file: str) -> ServiceJob:
    config, parent = task.config, parent_of(task.config, registry)
    model = parent.model if parent else config.base
    amounts = {"n_epochs": config.epochs, "batch_size": config.examples_per_step}
    given = {name: amount for name, amount in amounts.items() if amount is not None}
    return service.create(model, file, task.name, seed=config.seed, hyperparameters=given)


def _follow(
    task: Task, service: FineTuningService, id: str, patience_seconds: float
) -> tuple[ServiceJob, dict[str, Any]]:
    """Wait for the end of the job; its last step's figures. Raises JobError, JobStopped."""
    task.enter("training")
    told = EventReader(task.folder.events).after(0)
    known, metrics = {str(event[_KNOWN]) for event in told if _KNOWN in event}, dict[str, Any]()
    wait, answered = _SHORTEST_WAIT, time.monotonic()
    while True:
        try:
            job = service.job(id)
            for event in service.events(id, known):
                known.add(event.id)
                task.emit(_event(event))
                metrics |= _figures(event)
        except OutOfReachError as error:
            if wait < _LONGEST_WAIT:
                log.warning("%s", error)
            if time.monotonic() - answered > patience_seconds:
                raise JobError(
                    f"{error} Nothing was heard of the job {id!r} for {patience_seconds:.0f} seconds. It goes on over "
                    "there: resume this job to take it up again."
                ) from error
        else:
            answered = time.monotonic()
            if job.has_ended:
                return _succeeded(service, job), {**metrics, "tokens": job.trained_tokens}
        _pause(task, wait)
        wait = min(_LONGEST_WAIT, wait * 1.5)


def _pause(task: Task, seconds: float) -> None:
    """Wait, and end the work where somebody asked for it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if task.should_stop():
            raise JobStopped
        time.sleep(_GLANCE_SECONDS)


def _succeeded(service: FineTuningService, job: ServiceJob) -> ServiceJob:
    if job.status == "succeeded" and job.model:
        return job
    said = job.error or "It gave no reason."
    raise JobError(f"The job {job.id!r} at {service.url} ended as {job.status}: {said}")


def _event(event: ServiceEvent) -> dict[str, Any]:
    figures = _figures(event)
    shown = {"kind": "step", **figures} if figures else {"kind": "message", "message": event.message}
    return {**shown, _KNOWN: event.id}


def _figures(event: ServiceEvent) -> dict[str, Any]:
    """Step, steps and loss, where an event tells them."""
    step, steps, loss = (event.figures.get(name) for name in ("step", "total_steps", "train_loss"))
    if not isinstance(step, int) or not isinstance(steps, int) or steps < 1:
        return {}
    return {"step": step, "steps": steps, **({"loss": loss} if isinstance(loss, int | float) else {})}


@contextlib.contextmanager
def _cancelled_there(task: Task, service: FineTuningService, id: str) -> Iterator[None]:
    """While it lasts, cancelling the job here cancels it over there, whatever this process is waiting for."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_GLANCE_SECONDS):
            if task.should_stop():
                break
        if task.should_stop() and task.folder.is_cancelled:
            _cancel(task, service, id)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join(CANCEL_SECONDS)


def _cancel(task: Task, service: FineTuningService, id: str) -> None:
    try:
        service.cancel(id, CANCEL_SECONDS)
        message = f"{service.url} was told to cancel the job {id}."
    except OutOfReachError:
        message = f"{service.url} was asked to cancel the job {id} and has not answered: see there whether it ended."
    except TuningError as error:
        message = f"The job {id} may go on at {service.url}, at its price: cancel it there. {error}"
    task.emit({"kind": "advice", "message": message})


def _store(task: Task, registry: Registry, job: ServiceJob, metrics: dict[str, Any]) -> Checkpoint:
    task.enter("saving")
    config = replace(task.config, name=None)
    assert config.send_to is not None
    manifest = Manifest(
        name=registry.free_name(task.name),
        method=config.method,
        base=config.base,
        base_sha256="",  # nobody but the service knows
        parent=config.parent,
        system_prompt=config.system_prompt,
        examples=task.examples,
        config=config.to_dict(),
        metrics={"steps": metrics.pop("step", 0), **metrics},
        job=task.folder.id,
    )
    return registry.save(manifest, RemoteModel(config.send_to, job.model, job.id).write)


def _delete_file(task: Task, service: FineTuningService, file: str) -> None:
    """The training file has done its work; what cannot be deleted is said."""
    try:
        service.delete(file)
    except JobError as error:
        task.emit({"kind": "advice", "message": f"The training file {file} is still there. {error}"})
