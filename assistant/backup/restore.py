"""`imprint restore`: an archive becomes the home's content, all of it or nothing; what it replaces is kept."""

import json
import os
import shutil
import sqlite3
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from assistant.backup.archive import Backup, Manifest, OnProgress
from assistant.backup.collect import SETTINGS, is_secret
from assistant.errors import BackupError
from assistant.history.migrations import MIGRATIONS
from assistant.home.layout import BEFORE_RESTORE, JOURNAL, STAGING, is_content
from assistant.home.swap import finish_restore, swap, sync_folder
from assistant.home.use import only_restore, running_jobs, sole_use
from assistant.storage import write_whole
from knowledge.errors import KnowledgeError
from tuning.jobs.folder import Job
from tuning.storage import read_json

PATIENCE_SECONDS = 60.0  # for commands that run, and for the app and the server to give way
_SHARED_WITH_JOBS = {"jobs", "checkpoints"}
MARGIN_BYTES = 50_000_000  # that the file system needs beside the files


@dataclass(frozen=True)
class RestoreReport:
    """What was restored, where the content before it is now (None where there was none), and what stayed."""

    manifest: Manifest
    kept: Path | None
    running: tuple[str, ...] = ()  # jobs that went on


def restore_backup(
    home: Path,
    source: Path,
    *,
    on_progress: OnProgress = lambda done, total: None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> RestoreReport:
    """Put the content of a backup in the place of the home's. Raises BackupError, and AssistantError while in use.

    The archive is read and checked whole into a folder beside the content, while the home is used; then the app and
    the server are asked to give way, commands are waited for, and the content is swapped. Converted models stay where
    they are, unless the backup holds some; tuning jobs that run go on.
    """
    with Backup(source) as backup:
        finish_restore(home)
        with only_restore(home):
            staging = home / f"{STAGING}{uuid.uuid4().hex[:8]}"
            try:
                _check_space(home, backup)
                staging.mkdir(mode=0o700)
                backup.extract(staging, on_progress, _sync)
                _adapt(staging, home, backup)
                with sole_use(home, "restore a backup", patience_seconds=patience_seconds, beside_jobs=True):
                    if not backup.manifest.with_secrets:
                        _keep_secrets(staging / SETTINGS, home / SETTINGS)
                    kept, running = _put_in_place(home, staging)
            except OSError as error:
                raise BackupError(
                    f"{str(source)!r} cannot be restored to {home}: {error.strerror or error}. Free some space or "
                    "check its rights; the next command finds the home whole."
                ) from error
            finally:
                if not (home / JOURNAL).exists():  # else whoever comes next finishes it
                    shutil.rmtree(staging, ignore_errors=True)
    return RestoreReport(backup.manifest, kept, running)


def _put_in_place(home: Path, staging: Path) -> tuple[Path | None, tuple[str, ...]]:
    jobs = tuple(running_jobs(home))
    staying = _used_by(jobs)
    arriving = _names(staging, staying)
    present = _names(home, staying)
    leaving = {name for name in present if is_content(PurePosixPath(name)) or name in arriving}
    leaving |= {
        f"{name}{suffix}" for name in leaving for suffix in ("-wal", "-shm") if name.endswith(".sqlite3")
    }
    kept = home / f"{BEFORE_RESTORE}{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}"
    swap(home, staging, kept, leaving, arriving)
    if not any(kept.iterdir()):
        kept.rmdir()
    return kept if kept.exists() else None, tuple(job.id for job in jobs)


def _used_by(jobs: Sequence[Job]) -> set[str]:
    """What must not move under a job that runs: its folder, and the checkpoint that it builds on."""
    parents = {str(job.config["parent"]) for job in jobs if job.config.get("parent")}
    return {f"jobs/{job.id}" for job in jobs} | {f"checkpoints/{name}" for name in parents}


def _names(folder: Path, staying: set[str]) -> set[str]:
    """What is to be moved: the entries of a folder, and where something of `jobs` or `checkpoints` stays, theirs."""
    names = {path.name for path in folder.iterdir()}
    if not staying:
        return names
    for part in _SHARED_WITH_JOBS & names:
        if (folder / part).is_symlink():
            raise BackupError(
                f"{folder / part} is a link, and a tuning job runs: wait for the job, or `imprint cancel` it."
            )
        names.remove(part)
        names |= {f"{part}/{path.name}" for path in (folder / part).iterdir()}
    return names - staying


def _adapt(staging: Path, home: Path, backup: Backup) -> None:
    """Make what was extracted fit this home and this version. Raises BackupError where it cannot."""
    for entry in backup.manifest.files:
        os.utime(staging / entry.path, (entry.modified, entry.modified))
    _check_version(staging / "conversations.sqlite3", backup.path)
    if Path(backup.manifest.home) != home:
        _relocate_uploads(staging, Path(backup.manifest.home), home)
    for folder, _, _ in os.walk(staging):
        sync_folder(Path(folder))


def _check_version(database: Path, source: Path) -> None:
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database)) as opened:
            version = opened.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.DatabaseError:
        return  # it was damaged when it was backed up, and the backup said so
    if version > len(MIGRATIONS):
        raise BackupError(
            f"{str(source)!r} was written by a newer Imprint (format {version}, and this one knows "
            f"{len(MIGRATIONS)}). Update Imprint; nothing was changed."
        )


def _relocate_uploads(staging: Path, before: Path, home: Path) -> None:
    """The catalogues name uploads by their absolute path, which is another one here."""
    from assistant.backup.uploads import relocate_uploads  # numpy

    for catalogue in sorted((staging / "knowledge").glob("*.sqlite3")):
        try:
            relocate_uploads(catalogue, before / "knowledge" / "files", home / "knowledge" / "files")
        except (KnowledgeError, sqlite3.DatabaseError):
            continue  # damaged or of another version: doctor mends it


def _keep_secrets(restored: Path, present: Path) -> None:
    """A backup without secrets leaves the present ones, where they are for the same addresses."""
    now, then = read_json(present), read_json(restored)
    secrets = {name: value for name, value in now.items() if is_secret(name)}
    if secrets and all(now.get(url) == then.get(url) for url in ("engine_url", "fine_tuning_url")):
        text = json.dumps({**then, **secrets}, ensure_ascii=False, indent=2) + "\n"
        write_whole(restored, text, private=True)


def _check_space(home: Path, backup: Backup) -> None:
    free = shutil.disk_usage(home).free
    if free < backup.size + MARGIN_BYTES:
        raise BackupError(
            f"{str(backup.path)!r} needs {backup.size / 1e6:.0f} MB, and {home} has {free / 1e6:.0f} MB free. "
            "Free some space; nothing was changed."
        )


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
