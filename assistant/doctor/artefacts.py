"""Checkpoints, jobs and converted models: whether their folders say what they should, and hold what they say."""

import json
from collections.abc import Iterator
from pathlib import Path

from assistant.doctor.findings import Aside, Finding
from tuning.checkpoints.manifest import MANIFEST
from tuning.checkpoints.registry import Registry
from tuning.errors import JobError
from tuning.jobs.folder import JobFolder
from tuning.storage import file_sha256, read_json

_HEADER = 8  # bytes of a safetensors file that give the length of its header


def examine_checkpoints(home: Path, aside: Aside) -> Iterator[Finding]:
    """Each checkpoint: its manifest, the sizes of its files, and their hashes where the manifest has them."""
    registry = Registry(home)
    for broken in registry.broken():
        yield _to_move("checkpoint", broken.path, broken.reason, aside)
    for checkpoint in registry.list():
        changed = _changed_files(checkpoint.path, read_json(checkpoint.path / MANIFEST).get("sha256"))
        if changed:
            reason = f"{changed[0]!r} of {checkpoint.path} is damaged: its sha256 is not that of the manifest"
            yield _to_move("checkpoint", checkpoint.path, reason, aside)
        else:
            yield Finding("checkpoint", checkpoint.name, "ok")


def examine_jobs(home: Path, aside: Aside) -> Iterator[Finding]:
    """Each job: whether its folder is one, and whether it waits to be resumed."""
    for path in sorted((home / "jobs").glob("[!.]*")):
        if not path.is_dir():
            continue
        try:
            job = JobFolder(path).job()
        except (JobError, ValueError, TypeError, AttributeError) as error:
            yield _to_move("job", path, str(error), aside)
            continue
        if job.interrupted:
            message = f"it was interrupted: `imprint resume {job.id}` goes on with it"
            yield Finding("job", job.id, "note", message)
        else:
            yield Finding("job", job.id, "ok")


def examine_models(home: Path, aside: Aside) -> Iterator[Finding]:
    """Each converted model: whether its weights are whole. They are converted again when they are missing."""
    for path in sorted((home / "models").glob("*/imprint.json")):
        torn = [file.name for file in sorted(path.parent.glob("*.safetensors")) if not _is_whole(file)]
        torn += _changed_files(path.parent, _hashes_of_model(path))
        if torn or not read_json(path):
            reason = (
                f"{torn[0] if torn else path.name!r} is damaged; the model is converted again when needed"
            )
            yield _to_move("model", path.parent, reason, aside)
        else:
            yield Finding("model", path.parent.name, "ok")


def _to_move(part: str, path: Path, reason: str, aside: Aside) -> Finding:
    return Finding(part, path.name, "damaged", reason, lambda: f"it was put aside: {aside.move(path)}")


def _hashes_of_model(about: Path) -> dict[str, str]:
    files = read_json(about).get("files")
    known = files if isinstance(files, dict) else {}
    return {name: str(one.get("sha256")) for name, one in known.items() if isinstance(one, dict)}


def _changed_files(folder: Path, hashes: object) -> list[str]:
    """Files whose hash is not the one that was kept; earlier versions kept none."""
    if not isinstance(hashes, dict):
        return []
    return [name for name, wanted in hashes.items() if _sha256(folder / name) != wanted]


def _sha256(path: Path) -> str:
    try:
        return file_sha256(path)
    except OSError:
        return ""


def _is_whole(path: Path) -> bool:
    """Whether a safetensors file is as long as its header says."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(_HEADER), "little")
            if length > path.stat().st_size:
                return False
            header = json.loads(file.read(length))
        end = max(one["data_offsets"][1] for name, one in header.items() if name != "__metadata__")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    return bool(path.stat().st_size == _HEADER + length + end)
