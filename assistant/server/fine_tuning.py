"""OpenAI's fine-tuning API: jobs, their events and checkpoints.

`model` is the base model or the checkpoint to continue from, `suffix` names the new checkpoint.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request

from assistant.server.files import UploadedFiles
from assistant.server.job_objects import checkpoint_object, event_object, is_paused, job_object
from assistant.server.job_requests import JobRequest
from assistant.server.listing import PerPage, page
from assistant.server.openai_errors import UnknownModelError, UnsupportedParameterError, WrongStateError
from assistant.server.training_files import lessons_of, validation_of
from assistant.workspace import Workspace
from tuning.checkpoints.manifest import checked_name
from tuning.config import TuneConfig
from tuning.errors import CheckpointError, JobError
from tuning.jobs.folder import Job

_PER_PAGE = 20  # where nobody asks for another number
_METADATA = re.compile(r"metadata\[(.*)\]")


def tuning_router(workspace: Workspace, uploads: UploadedFiles) -> APIRouter:
    """The routes under /v1/fine_tuning."""
    router = APIRouter(prefix="/v1")

    @router.post("/fine_tuning/jobs")
    def create_job(body: JobRequest) -> dict[str, Any]:
        _check_name(workspace, body.suffix)
        validation = validation_of(uploads, body)
        lessons = lessons_of(uploads, body)
        job = workspace.jobs.submit(_config(workspace, body, len(lessons)), lessons, validation)
        uploads.note_request(job.id, {"request": body.model_dump()})
        return job_object(uploads, job)

    @router.get("/fine_tuning/jobs")
    def list_jobs(request: Request, limit: PerPage = _PER_PAGE, after: str = "") -> dict[str, Any]:
        """The newest first; `metadata[KEY]=VALUE` leaves out those that do not have it."""
        asked = {
            found[1]: value
            for key, value in request.query_params.items()
            if (found := _METADATA.fullmatch(key))
        }
        jobs = [job_object(uploads, job) for job in workspace.jobs.list()]
        return page([job for job in jobs if asked.items() <= (job["metadata"] or {}).items()], limit, after)

    @router.get("/fine_tuning/jobs/{job_id}")
    def get_job(job_id: str) -> dict[str, Any]:
        return job_object(uploads, _exact(workspace, job_id))

    @router.post("/fine_tuning/jobs/{job_id}/cancel")
    def cancel_job(job_id: str) -> dict[str, Any]:
        """A paused job has ended already: it is called cancelled from now on."""
        job = _exact(workspace, job_id)
        if is_paused(uploads, job):
            uploads.note_pause(job.id, None)
            return job_object(uploads, job)
        _require_running(job)
        with _state_of_the_job():
            return job_object(uploads, workspace.jobs.cancel(job.id))

    @router.post("/fine_tuning/jobs/{job_id}/pause")
    def pause_job(job_id: str) -> dict[str, Any]:
        """It ends where it was last kept, frees what it holds, and `resume` goes on from there."""
        job = _exact(workspace, job_id)
        _require_running(job)
        with _state_of_the_job():
            job = workspace.jobs.cancel(job.id)
        uploads.note_pause(job.id, job.finished)
        return job_object(uploads, job)

    @router.post("/fine_tuning/jobs/{job_id}/resume")
    def resume_job(job_id: str) -> dict[str, Any]:
        job = _exact(workspace, job_id)
        with _state_of_the_job():
            return job_object(uploads, workspace.jobs.resume(job.id))

    @router.get("/fine_tuning/jobs/{job_id}/checkpoints")
    def list_checkpoints(job_id: str, limit: PerPage = _PER_PAGE, after: str = "") -> dict[str, Any]:
        """The one checkpoint of a job that succeeded; those on the way are not kept."""
        job = _exact(workspace, job_id)
        return page([checkpoint_object(job)] if job.checkpoint else [], limit, after)

    @router.get("/fine_tuning/jobs/{job_id}/events")
    def list_events(job_id: str, limit: PerPage = _PER_PAGE, after: str = "") -> dict[str, Any]:
        job = _exact(workspace, job_id)
        events = workspace.jobs.events(job.id)
        newest_first = [event_object(job, number, event) for number, event in enumerate(events)][::-1]
        return page(newest_first, limit, after)

    return router


def _exact(workspace: Workspace, job_id: str) -> Job:
    """The job of this id; the beginning of one, as the command line takes it, is too easily guessed."""
    job = workspace.jobs.get(job_id)
    if job.id != job_id:
        raise JobError(f"There is no job {job_id!r}. List the jobs for their whole ids.")
    return job


def _require_running(job: Job) -> None:
    """Raises WrongStateError where a job has ended."""
    if job.has_ended:
        raise WrongStateError(f"Job {job.id!r} has ended already ({job.status}).")


@contextmanager
def _state_of_the_job() -> Iterator[None]:
    """The job is there: what is refused now is refused for its state."""
    try:
        yield
    except JobError as error:
        raise WrongStateError(str(error)) from error


def _check_name(workspace: Workspace, name: str | None) -> None:
    """Raises UnsupportedParameterError where a suffix cannot name a new checkpoint."""
    if name is None:
        return
    try:
        free = workspace.registry.free_name(checked_name(name))
    except CheckpointError as error:
        raise UnsupportedParameterError("suffix", f"suffix: {error}", "invalid_value") from error
    if free != checked_name(name):
        raise UnsupportedParameterError(
            "suffix", f"suffix: a checkpoint {name!r} exists already. Choose another name.", "invalid_value"
        )


def _config(workspace: Workspace, body: JobRequest, examples: int) -> TuneConfig:
    settings, parent = workspace.settings, None
    if body.model and body.model != settings.base_model:
        try:
            parent = workspace.registry.get(body.model).name
        except CheckpointError as error:
            raise UnknownModelError(f"{error} The base is {settings.base_model!r}.") from error
    config = TuneConfig(
        method=body.tuning_method,
        strength=body.imprint.strength,
        name=body.suffix,
        parent=parent,
        base=settings.base_model,
        device=settings.device,
        seed=body.usable_seed,
        epochs=body.epochs,
        beta=body.beta,
        examples_per_step=body.examples_per_step,
        reward=body.imprint.reward,
    )
    multiplier = body.settings.learning_rate_multiplier
    if multiplier == "auto":
        return config
    from tuning.models.template import Template  # heavy: transformers
    from tuning.training.methods import amounts  # heavy: torch

    template = Template.read(settings.base_model, workspace.home)
    rate = amounts(config, template.config.hidden_size, examples).learning_rate
    return replace(config, learning_rate=min(1.0, rate * multiplier))
