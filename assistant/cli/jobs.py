"""`imprint jobs`, `cancel` and `resume`, and following a job until it ends."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from assistant.cli.options import workspace_of
from assistant.cli.output import emit, json_option, print_table, progress, say, seconds_text
from assistant.workspace import Workspace

if TYPE_CHECKING:
    from tuning.jobs.folder import Job

_ENDED = ("succeeded", "failed", "cancelled")
_POLL_SECONDS = 0.5
_PERCENT = 100


@click.command(epilog="Example: imprint jobs --first 20261123-2101-a1b2")
@click.option("--first", metavar="JOB", help="First let this waiting job be the next that starts.")
@json_option
@workspace_of
def jobs(workspace: Workspace, first: str | None, as_json: bool) -> None:
    """List the tuning jobs, newest first."""
    if first:
        workspace.jobs.move(first, -len(workspace.jobs.list()))
    found = sorted(workspace.jobs.list(), key=lambda job: job.created, reverse=True)
    if as_json:
        emit({"jobs": [_record(job) for job in found]})
    elif not found:
        say("No job yet. Start one with `imprint tune`.")
    else:
        rows = [[job.id, job.status, job.method, f"{job.progress:.0%}", _status_line(job)] for job in found]
        print_table(["job", "status", "method", "done", ""], rows, numbers=(3,))


@click.command(epilog="Example: imprint cancel 20261123-2101-a1b2")
@click.argument("job")
@json_option
@workspace_of
def cancel(workspace: Workspace, job: str, as_json: bool) -> None:
    """Stop a tuning job and free its memory."""
    workspace.jobs.get(job)
    workspace.jobs.cancel(job)
    _show_status(workspace.jobs.get(job), as_json)


@click.command(epilog="Example: imprint resume 20261123-2101-a1b2")
@click.argument("job")
@click.option("--no-wait", is_flag=True, help="Start the job again and return at once.")
@json_option
@workspace_of
def resume(workspace: Workspace, job: str, no_wait: bool, as_json: bool) -> None:
    """Go on with a job that was stopped or killed."""
    workspace.jobs.resume(job)
    resumed, followed = workspace.jobs.get(job), not no_wait
    if followed:
        resumed, followed = follow(workspace, resumed)
    _show_status(resumed, as_json)
    if followed and resumed.status != "succeeded":
        click.get_current_context().exit(1)


def follow(workspace: Workspace, job: "Job") -> "tuple[Job, bool]":
    """Show the progress of a job until it ends; False when Ctrl-C stopped the following, not the job."""
    try:
        with progress(job.phase or "waiting", _PERCENT) as advance:
            while job.status not in _ENDED:
                time.sleep(_POLL_SECONDS)
                job = workspace.jobs.get(job.id)
                advance(round(job.progress * _PERCENT), description=_status_line(job))
    except KeyboardInterrupt:
        return workspace.jobs.get(job.id), False
    return job, True


def _show_status(job: "Job", as_json: bool) -> None:
    if as_json:
        emit(_record(job))
    else:
        click.echo(f"{job.id}: {job.status}{f' ({job.error})' if job.error else ''}")


def _record(job: "Job") -> dict[str, Any]:
    return {**asdict(job), "seconds": seconds_of(job)}


def seconds_of(job: "Job") -> float | None:
    """How long a job has run, as the JSON says it; None before it starts."""
    return None if job.seconds is None else round(job.seconds, 3)


def _status_line(job: "Job") -> str:
    if job.status in _ENDED:
        return job.error or job.checkpoint or ""
    step = f"step {job.step}/{job.steps}" if job.steps else ""
    loss = f"loss {job.loss:.3f}" if job.loss is not None else ""
    left = f"{seconds_text(job.seconds_left)} left" if job.seconds_left else ""
    return ", ".join(part for part in (job.phase or job.status, step, loss, left) if part)
