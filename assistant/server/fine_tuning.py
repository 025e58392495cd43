"""OpenAI's fine-tuning API: files, jobs, their events and checkpoints.

`model` is the base model or the checkpoint to continue from, `suffix` names the new checkpoint.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import FileResponse

from assistant.server.files import UploadedFile, UploadedFiles
from assistant.server.job_requests import JobRequest
from assistant.server.openai_errors import WrongStateError
from assistant.workspace import Workspace
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.data.importers import import_file
from tuning.data.preferences import ReadPreferences, read_preferences
from tuning.errors import ExampleError, JobError
from tuning.jobs.folder import Job
from tuning.jobs.jobs import Lessons

_EVENTS_PER_PAGE = 20


def tuning_router(workspace: Workspace) -> APIRouter:
    """The routes under /v1/files and /v1/fine_tuning."""
    router = APIRouter(prefix="/v1")
    uploads = UploadedFiles(workspace.home, workspace.settings.max_upload_mb)

    @router.post("/files")
    def add_file(file: UploadFile, purpose: Annotated[str, Form()] = "fine-tune") -> dict[str, Any]:
        return _file(uploads.add(file.file, file.filename or "file", purpose))

    @router.get("/files")
    def list_files() -> dict[str, Any]:
        return _list([_file(upload) for upload in uploads.list()])

    @router.get("/files/{file_id}")
    def get_file(file_id: str) -> dict[str, Any]:
        return _file(uploads.get(file_id))

    @router.get("/files/{file_id}/content")
    def get_content(file_id: str) -> FileResponse:
        return FileResponse(uploads.path(file_id), media_type="application/octet-stream")

    @router.delete("/files/{file_id}")
    def delete_file(file_id: str) -> dict[str, Any]:
        uploads.delete(file_id)
        return {"id": file_id, "object": "file", "deleted": True}

    @router.post("/fine_tuning/jobs")
    def create_job(body: JobRequest) -> dict[str, Any]:
        lessons = _lessons(uploads, body)
        if body.validation_file:
            uploads.get(body.validation_file)
        job = workspace.jobs.submit(_config(workspace, body, len(lessons)), lessons)
        uploads.note_request(job.id, {"request": body.model_dump(), "warnings": body.warnings()})
        return _job(uploads, job)

    @router.get("/fine_tuning/jobs")
    def list_jobs(limit: int = 20, after: str = "") -> dict[str, Any]:
        return _page([_job(uploads, job) for job in workspace.jobs.list()], limit, after)

    @router.get("/fine_tuning/jobs/{job_id}")
    def get_job(job_id: str) -> dict[str, Any]:
        return _job(uploads, _exact(workspace, job_id))

    @router.post("/fine_tuning/jobs/{job_id}/cancel")
    @router.post("/fine_tuning/jobs/{job_id}/pause")
    def cancel_job(job_id: str) -> dict[str, Any]:
        """Either ends it where it was last kept, and `resume` goes on from there."""
        job = _running(workspace, job_id)
        with _state_of_the_job():
            return _job(uploads, workspace.jobs.cancel(job.id))

    @router.post("/fine_tuning/jobs/{job_id}/resume")
    def resume_job(job_id: str) -> dict[str, Any]:
        job = _exact(workspace, job_id)
        with _state_of_the_job():
            return _job(uploads, workspace.jobs.resume(job.id))

    @router.get("/fine_tuning/jobs/{job_id}/checkpoints")
    def list_checkpoints(job_id: str) -> dict[str, Any]:
        """The one checkpoint of a job that succeeded; those on the way are not kept."""
        job = _exact(workspace, job_id)
        return _list([_checkpoint(job)] if job.checkpoint else [])

    @router.get("/fine_tuning/jobs/{job_id}/events")
    def list_events(job_id: str, limit: int = _EVENTS_PER_PAGE, after: str = "") -> dict[str, Any]:
        job = _exact(workspace, job_id)
        events = workspace.jobs.events(job.id)
        told = [{"kind": "advice", "message": one} for one in uploads.request_of(job.id).get("warnings", [])]
        newest_first = [_event(job, number, event) for number, event in enumerate([*told, *events])][::-1]
        return _page(newest_first, limit, after)

    return router


def _exact(workspace: Workspace, job_id: str) -> Job:
    """The job of this id; the beginning of one, as the command line takes it, is too easily guessed."""
    job = workspace.jobs.get(job_id)
    if job.id != job_id:
        raise JobError(f"There is no job {job_id!r}. List the jobs for their whole ids.")
    return job


def _running(workspace: Workspace, job_id: str) -> Job:
    """A job that has not ended. Raises WrongStateError."""
    job = _exact(workspace, job_id)
    if job.has_ended:
        raise WrongStateError(f"Job {job.id!r} has ended already ({job.status}).")
    return job


@contextmanager
def _state_of_the_job() -> Iterator[None]:
    """The job is there: what is refused now is refused for its state."""
    try:
        yield
    except JobError as error:
        raise WrongStateError(str(error)) from error


def _lessons(uploads: UploadedFiles, body: JobRequest) -> Lessons:
    """The examples of an uploaded file, or its preferences where the method learns from these."""
    from tuning.training.methods import method  # heavy: torch

    if method(body.tuning_method).learns_from == "examples":
        return _examples(uploads, body.training_file)
    return _preferences(uploads, body.training_file)


def _preferences(uploads: UploadedFiles, file_id: str) -> ReadPreferences:
    """The preferences of an uploaded file. Errors name the file as the client knows it."""
    upload, path = uploads.get(file_id), uploads.path(file_id)
    try:
        return read_preferences(path)
    except ExampleError as error:
        named = str(error).replace(str(path), upload.filename).replace(path.name, upload.filename)
        raise ExampleError(named) from error


def _examples(uploads: UploadedFiles, file_id: str) -> list[Example]:
    """The examples of an uploaded file. Errors name the file as the client knows it."""
    upload, path = uploads.get(file_id), uploads.path(file_id)
    try:
        examples = list(import_file(path).examples)
    except ExampleError as error:
        raise ExampleError(str(error).replace(str(path), upload.filename)) from error
    if not examples:
        raise ExampleError(f"{upload.filename} holds no answer to learn.")
    return [replace(one, source=one.source.replace(path.name, upload.filename, 1)) for one in examples]


def _config(workspace: Workspace, body: JobRequest, examples: int) -> TuneConfig:
    settings, parent = workspace.settings, None
    if body.model and body.model != settings.base_model:
        parent = workspace.registry.get(body.model).name
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


def _file(upload: UploadedFile) -> dict[str, Any]:
    return {"object": "file", "status": "processed", **asdict(upload)}


def _job(uploads: UploadedFiles, job: Job) -> dict[str, Any]:
    request = uploads.request_of(job.id).get("request", {})
    hyperparameters = _hyperparameters(job, request)
    kind = (request.get("method") or {}).get("type", "supervised")
    finish = time.time() + job.seconds_left if job.seconds_left and not job.has_ended else None
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": int(job.created),
        "finished_at": int(job.finished) if job.finished else None,
        "estimated_finish": int(finish) if finish else None,
        "model": job.config.get("parent") or job.base,
        "fine_tuned_model": job.checkpoint,
        "organization_id": "imprint",
        "status": job.status,
        "error": {"code": "job_failed", "message": job.error, "param": None} if job.error else None,
        "training_file": request.get("training_file", ""),
        "validation_file": request.get("validation_file"),
        "metadata": request.get("metadata"),
        "result_files": [],
        "trained_tokens": job.metrics.get("tokens"),
        "seed": request.get("seed", int(job.config.get("seed") or 0)),
        "hyperparameters": hyperparameters,
        "method": {"type": kind, kind: {"hyperparameters": hyperparameters}},
        "imprint": {
            "method": job.method,
            "phase": job.phase,
            "progress": job.progress,
            "evaluation": job.evaluation,
        },
    }


def _hyperparameters(job: Job, request: Mapping[str, Any]) -> dict[str, Any]:
    """As they were asked for; the epochs as they are used. Of a batch size, `warnings` tell that it is not used."""
    asked = JobRequest.model_validate(request).settings.model_dump() if request.get("model") else {}
    return {
        "batch_size": "auto",
        "learning_rate_multiplier": "auto",
        **asked,
        "n_epochs": job.config.get("epochs") or "auto",
    }


def _checkpoint(job: Job) -> dict[str, Any]:
    """OpenAI's checkpoint object."""
    return {
        "id": f"ftckpt-{job.id}",
        "object": "fine_tuning.job.checkpoint",
        "created_at": int(job.finished or job.created),
        "fine_tuned_model_checkpoint": job.checkpoint,
        "fine_tuning_job_id": job.id,
        "step_number": int(job.metrics.get("steps") or 0),
        "metrics": {"train_loss": job.metrics.get("loss")},
    }


def _event(job: Job, number: int, event: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's event object; training steps are metrics, everything else is a message."""
    shared = {
        "id": f"{job.id}-{number}",
        "object": "fine_tuning.job.event",
        "created_at": int(event.get("time") or job.created),
        "level": "warn" if event.get("kind") == "advice" else "info",
    }
    if event.get("kind") == "step":
        loss = event.get("loss")
        step = f"Step {event['step']}/{event['steps']}" + (f": loss {loss:.3f}" if loss is not None else "")
        data = {"step": event["step"], "total_steps": event["steps"], "train_loss": loss}
        return {**shared, "type": "metrics", "message": step, "data": data}
    message = event.get("message") or event.get("phase") or event.get("checkpoint") or event.get("kind")
    return {**shared, "type": "message", "message": str(message), "data": event}


def _list(entries: Sequence[dict[str, Any]], has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(entries), "has_more": has_more}


def _page(entries: Sequence[dict[str, Any]], limit: int, after: str) -> dict[str, Any]:
    """Up to `limit` entries after the one with the id `after`."""
    ids = [entry["id"] for entry in entries]
    first = ids.index(after) + 1 if after in ids else 0
    return _list(entries[first : first + limit], first + limit < len(entries))
