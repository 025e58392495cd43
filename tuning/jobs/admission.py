"""What a job needs before it starts: something to learn, a name of its own, a fitting parent, room on the disk."""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from tuning.checkpoints.manifest import REMOTE
from tuning.checkpoints.registry import Registry
from tuning.checkpoints.remote_model import require_weights
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.errors import CheckpointError, ExampleError, JobError
from tuning.jobs.folder import Job

MIN_FREE_BYTES = 100_000_000


def check_examples(examples: Sequence[Example]) -> None:
    """Raise ExampleError where there is nothing to learn."""
    if not examples:
        raise ExampleError(
            "There is nothing to learn: no example was given. Like or correct an answer, or choose a "
            "file with questions and answers."
        )


def check_disk(home: Path) -> None:
    """Raise JobError where the disk is too full for a job."""
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free
    if free < MIN_FREE_BYTES:
        raise JobError(
            f"The disk of {home} has {free / 1e6:.0f} MB free; a job needs at least "
            f"{MIN_FREE_BYTES / 1e6:.0f} MB. Free some space first."
        )


def check_parent(config: TuneConfig, registry: Registry) -> None:
    """Raise CheckpointError where the checkpoint to go on from is not there or does not fit."""
    if config.parent is None:
        return
    parent = registry.get(config.parent)
    if config.method != REMOTE:
        require_weights(parent, "go on from")
    if parent.base != config.base:
        raise CheckpointError(
            f"{config.parent!r} was trained on {parent.base!r}, but {config.base!r} was asked for. "
            f"Choose {parent.base!r} as base, or start without a parent."
        )


def free_name(config: TuneConfig, registry: Registry, jobs: Iterable[Job]) -> str:
    """The name of the checkpoint that a job will make. Raises CheckpointError where the wanted one is taken."""
    taken = {job.name.casefold() for job in jobs if not job.has_ended}
    if config.name is None:
        number, name = 1, registry.free_name(config.method)
        while name.casefold() in taken:
            number += 1
            name = registry.free_name(f"{config.method}-{number}")
        return name
    if registry.exists(config.name):
        raise CheckpointError(
            f"A checkpoint {config.name!r} exists already. Choose another name, or delete it first."
        )
    name = registry.free_name(config.name)
    if name.casefold() in taken:
        raise CheckpointError(f"A job that is underway makes {config.name!r} already. Choose another name.")
    return name
