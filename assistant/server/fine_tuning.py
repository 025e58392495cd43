"""Fine-tuning over HTTP as OpenAI's clients know it: files, jobs and their events.

`model` is the base or a checkpoint to go on from, `suffix` names the new checkpoint. What OpenAI has no word
for stands under "imprint" in `extra_body`: the tuning method and its strength.
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
from tuning.jobs.folder import Job

_EVENTS_AT_ONCE = 20


class Hyperparameters(BaseModel):
    """OpenAI's three; a word such as "auto" leaves the choice to the recipe."""

    model_config = ConfigDict(extra="ignore")

    n_epochs: int | Literal["auto"] = "auto"


class Supervised(BaseModel):
    """Inside of `method`."""

    hyperparameters: Hyperparameters = Hyperparameters()


class Method(BaseModel):
    """Only supervised tuning is served."""

    type: Literal["supervised"] = "supervised"
    supervised: Supervised = Supervised()


class Ours(BaseModel):
    """How Imprint tunes."""

    model_config = ConfigDict(extra="forbid")

    method: str = "lora"
    strength: Literal["gentle", "normal", "strong"] = "normal"


class JobRequest(BaseModel):
    """The body of a new job."""

    model_config = ConfigDict(extra="ignore")

    model: str
    training_file: str
    suffix: str | None = None
    seed: int = 0
    hyperparameters: Hyperparameters | None = None
    method: Method = Method()
    imprint: Ours = Ours()

    @property
    def epochs(self) -> int | None:
        """The asked number of epochs; None leaves it to the recipe."""
        asked = (self.hyperparameters or self.method.supervised.hyperparameters).n_epochs
        return None if asked == "auto" else asked


def tuning_router(workspace: Workspace) -> APIRouter:
    """The routes under /v1/files and /v1/fine_tuning."""
    router = APIRouter(prefix="/v1")
    uploads = UploadedFiles(workspace.home)

    @router.post("/files")
    def add_file(file: UploadFile, purpose: Annotated[str, Form()] = "fine-tune") -> dict[str, Any]:
        return _file(uploads.add(file.file, file.filename or "file", purpose))

    @router.get("/files")
    def list_files() -> dict[str, Any]:
        return _list([_file(upload) for upload in uploads.list()])

    @router.get("/files/{identity}")
    def get_file(identity: str) -> dict[str, Any]:
        return _file(uploads.get(identity))

    @router.get("/files/{identity}/content")
    def get_content(identity: str) -> FileResponse:
        return FileResponse(uploads.path(identity), media_type="application/octet-stream")

    @router.delete("/files/{identity}")
    def delete_file(identity: str) -> dict[str, Any]:
        uploads.delete(identity)
        return {"id": identity, "object": "file", "deleted": True}

    @router.post("/fine_tuning/jobs")
    def create_job(body: JobRequest) -> dict[str, Any]:
        path = uploads.path(body.training_file)
        learned = list(import_file(path).examples)
        job = workspace.jobs.submit(_config(workspace, body), learned)
        uploads.note_use(body.training_file, job.id)
        return _job(uploads, job)

    @router.get("/fine_tuning/jobs")
    def list_jobs(limit: int = 20, after: str = "") -> dict[str, Any]:
        return _page([_job(uploads, job) for job in workspace.jobs.list()], limit, after)

    @router.get("/fine_tuning/jobs/{identity}")
    def get_job(identity: str) -> dict[str, Any]:
        return _job(uploads, workspace.jobs.get(identity))

    @router.post("/fine_tuning/jobs/{identity}/cancel")
    def cancel_job(identity: str) -> dict[str, Any]:
        return _job(uploads, workspace.jobs.cancel(identity))

    @router.post("/fine_tuning/jobs/{identity}/resume")
    def resume_job(identity: str) -> dict[str, Any]:
        return _job(uploads, workspace.jobs.resume(identity))

    @router.get("/fine_tuning/jobs/{identity}/events")
    def list_events(identity: str, limit: int = _EVENTS_AT_ONCE, after: str = "") -> dict[str, Any]:
        job = workspace.jobs.get(identity)
        events = workspace.jobs.events(job.id)
        told = [_event(job, number, event) for number, event in enumerate(events)]
        return _page(told[::-1], limit, after)

    return router


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
    """An event of a job in OpenAI's words; steps are metrics, everything else is a message."""
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
    told = event.get("message") or event.get("phase") or event.get("checkpoint") or event.get("kind")
    return {**shared, "type": "message", "message": str(told), "data": event}


def _list(entries: Sequence[dict[str, Any]], has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": list(entries), "has_more": has_more}


def _page(entries: Sequence[dict[str, Any]], limit: int, after: str) -> dict[str, Any]:
    """Up to `limit` entries after the one with the id `after`."""
    ids = [entry["id"] for entry in entries]
    first = ids.index(after) + 1 if after in ids else 0
    return _list(entries[first : first + limit], first + limit < len(entries))
