"""Jobs, their checkpoints and events as OpenAI's API tells them."""

import time
from collections.abc import Mapping
from typing import Any

from assistant.server.files import UploadedFiles
from assistant.server.job_requests import JobRequest
from tuning.jobs.folder import Job


def job_object(uploads: UploadedFiles, job: Job) -> dict[str, Any]:
    """OpenAI's job object, and Imprint's own figures under `imprint`."""
    request = uploads.request_of(job.id).get("request", {})
    paused = is_paused(uploads, job)
    hyperparameters = _hyperparameters(job, request)
    kind = (request.get("method") or {}).get("type", "supervised")
    finish = time.time() + job.seconds_left if job.seconds_left and not job.has_ended else None
    return {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": int(job.created),
        "finished_at": int(job.finished) if job.finished and not paused else None,
        "estimated_finish": int(finish) if finish else None,
        "model": job.config.get("parent") or job.base,
        "fine_tuned_model": job.checkpoint,
        "organization_id": "imprint",
        "status": "paused" if paused else job.status,
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


def is_paused(uploads: UploadedFiles, job: Job) -> bool:
    """Whether a job was paused over HTTP and has not gone on since."""
    paused = uploads.request_of(job.id).get("paused")
    return job.status == "cancelled" and paused is not None and paused == job.finished


def _hyperparameters(job: Job, request: Mapping[str, Any]) -> dict[str, Any]:
    """As they were asked for; the epochs as they are used."""
    asked = JobRequest.model_validate(request).settings.model_dump() if request.get("model") else {}
    return {
        "batch_size": "auto",
        "learning_rate_multiplier": "auto",
        **asked,
        "n_epochs": job.config.get("epochs") or "auto",
    }


def checkpoint_object(job: Job) -> dict[str, Any]:
    """OpenAI's checkpoint object."""
    return {
        "id": f"ftckpt-{job.id}",
        "object": "fine_tuning.job.checkpoint",
        "created_at": int(job.finished or job.created),
        "fine_tuned_model_checkpoint": job.checkpoint,
        "fine_tuning_job_id": job.id,
        "step_number": int(job.metrics.get("steps") or 0),
        "metrics": {
            "step": job.metrics.get("steps"),
            "train_loss": job.metrics.get("loss"),
            "valid_loss": job.metrics.get("validation_loss"),
        },
    }


def event_object(job: Job, number: int, event: dict[str, Any]) -> dict[str, Any]:
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
    if event.get("kind") == "validation":
        step = f"Step {event['step']}: validation loss {event['loss']:.3f}"
        data = {"step": event["step"], "valid_loss": event["loss"]}
        return {**shared, "type": "metrics", "message": step, "data": data}
    message = event.get("message") or event.get("phase") or event.get("checkpoint") or event.get("kind")
    return {**shared, "type": "message", "message": str(message), "data": event}
