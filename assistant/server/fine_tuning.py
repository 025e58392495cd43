"""OpenAI's fine-tuning API: files, jobs and their events.

`model` is the base model or the checkpoint to continue from, `suffix` names the new checkpoint. What OpenAI's
API does not have stands under "imprint" in `extra_body`: the tuning method and its strength.
"""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, UploadFile
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict

from assistant.server.files import UploadedFile, UploadedFiles
from assistant.workspace import Workspace
from tuning.config import TuneConfig
from tuning.data.importers import import_file
from tuning.errors import JobError
from tuning.jobs.folder import Job

_EVENTS_PER_PAGE = 20


class Hyperparameters(BaseModel):
    """Only the number of epochs has an effect; "auto" leaves it to the recipe."""

    model_config = ConfigDict(extra="ignore")

    n_epochs: int | Literal["auto"] = "auto"


class SupervisedMethod(BaseModel):
    """The settings of supervised fine-tuning."""

    hyperparameters: Hyperparameters = Hyperparameters()


class FineTuningMethod(BaseModel):
    """How OpenAI's API names a method; only supervised fine-tuning is supported."""

    type: Literal["supervised"] = "supervised"
    supervised: SupervisedMethod = SupervisedMethod()


class ImprintOptions(BaseModel):
    """Imprint's own options of a job."""

    model_config = ConfigDict(extra="forbid")

    method: str = "lora"
    strength: Literal["gentle", "normal", "strong"] = "normal"


class JobRequest(BaseModel):
    """The body of a request for a new job."""

    model_config = ConfigDict(extra="ignore")

    model: str
    training_file: str
    suffix: str | None = None
    seed: int = 0
    hyperparameters: Hyperparameters | None = None
    method: FineTuningMethod = FineTuningMethod()
    imprint: ImprintOptions = ImprintOptions()

    @property
    def epochs(self) -> int | None:
        """The number of epochs; None leaves it to the recipe."""
        n_epochs = (self.hyperparameters or self.method.supervised.hyperparameters).n_epochs
        return None if n_epochs == "auto" else n_epochs


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
        path = uploads.path(body.training_file)
        examples = list(import_file(path).examples)
        job = workspace.jobs.submit(_config(workspace, body), examples)
        uploads.note_use(body.training_file, job.id)
        return _job(uploads, job)

    @router.get("/fine_tuning/jobs")
    def list_jobs(limit: int = 20, after: str = "") -> dict[str, Any]:
        return _page([_job(uploads, job) for job in workspace.jobs.list()], limit, after)

    @router.get("/fine_tuning/jobs/{job_id}")
    def get_job(job_id: str) -> dict[str, Any]:
        return _job(uploads, _exact(workspace, job_id))

    @router.post("/fine_tuning/jobs/{job_id}/cancel")
    def cancel_job(job_id: str) -> dict[str, Any]:
        return _job(uploads, workspace.jobs.cancel(_exact(workspace, job_id).id))

    @router.post("/fine_tuning/jobs/{job_id}/resume")
    def resume_job(job_id: str) -> dict[str, Any]:
        return _job(uploads, workspace.jobs.resume(_exact(workspace, job_id).id))

    @router.get("/fine_tuning/jobs/{job_id}/events")
    def list_events(job_id: str, limit: int = _EVENTS_PER_PAGE, after: str = "") -> dict[str, Any]:
        job = _exact(workspace, job_id)
        events = workspace.jobs.events(job.id)
        newest_first = [_event(job, number, event) for number, event in enumerate(events)][::-1]
        return _page(newest_first, limit, after)

    return router


def _exact(workspace: Workspace, job_id: str) -> Job:
    """The job of this id; the beginning of one, as the command line takes it, is too easily guessed."""
    job = workspace.jobs.get(job_id)
    if job.id != job_id:
        raise JobError(f"There is no job {job_id!r}. List the jobs for their whole ids.")
    return job


def _config(workspace: Workspace, body: JobRequest) -> TuneConfig:
    settings, parent = workspace.settings, None
    if body.model and body.model != settings.base_model:
        parent = workspace.registry.get(body.model).name
    return TuneConfig(
        method=body.imprint.method,
        strength=body.imprint.strength,
        name=body.suffix,
        parent=parent,
        base=settings.base_model,
        device=settings.device,
        seed=body.seed,
        epochs=body.epochs,
    )


def _file(upload: UploadedFile) -> dict[str, Any]:
    return {"object": "file", "status": "processed", **asdict(upload)}


def _job(uploads: UploadedFiles, job: Job) -> dict[str, Any]:
    seed = int(job.config.get("seed") or 0)
    hyperparameters = {
        "n_epochs": job.config.get("epochs") or "auto",
        "batch_size": "auto",
        "learning_rate_multiplier": "auto",
    }
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
        "training_file": uploads.file_of(job.id),
        "validation_file": None,
        "result_files": [],
        "trained_tokens": job.metrics.get("tokens"),
        "seed": seed,
        "hyperparameters": hyperparameters,
        "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
        "imprint": {
            "method": job.method,
            "phase": job.phase,
            "progress": job.progress,
            "evaluation": job.evaluation,
        },
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
