"""`imprint restore`: an archive becomes the home's content, all of it or nothing; what it replaces is kept."""

import json
import os
import shutil
import sqlite3
import time
import uuid
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
from assistant.home.use import sole_use
from assistant.storage import write_whole
from knowledge.errors import KnowledgeError
from tuning.storage import read_json

MARGIN_BYTES = 50_000_000  # that the file system needs beside the files


@dataclass(frozen=True)
class RestoreReport:
    """What was restored, and where the content before it is now; None where there was none."""

    manifest: Manifest
    kept: Path | None


def restore_backup(
    home: Path, source: Path, *, on_progress: OnProgress = lambda done, total: None
) -> RestoreReport:
    """Put the content of a backup in the place of the home's. Raises BackupError, and AssistantError while in use.

    The archive is read and checked whole into a folder beside the content before anything is moved. Converted
    models stay where they are, unless the backup holds some.
    """
    with Backup(source) as backup:
        finish_restore(home)
        with sole_use(home, "restore a backup"):
            staging = home / f"{STAGING}{uuid.uuid4().hex[:8]}"
            try:
                _check_space(home, backup)
                staging.mkdir(mode=0o700)
                backup.extract(staging, on_progress, _sync)
                _adapt(staging, home, backup)
                kept = _put_in_place(home, staging)
            except OSError as error:
                raise BackupError(
                    f"{str(source)!r} cannot be restored to {home}: {error.strerror or error}. Free some space or "
                    "check its rights; the next command finds the home whole."
                ) from error
            finally:
                if not (home / JOURNAL).exists():  # else whoever comes next finishes it
                    shutil.rmtree(staging, ignore_errors=True)
    return RestoreReport(backup.manifest, kept)


def _put_in_place(home: Path, staging: Path) -> Path | None:
    arriving = {path.name for path in staging.iterdir()}
    present = {
        path.name for path in home.iterdir() if is_content(PurePosixPath(path.name)) or path.name in arriving
    }
    present |= {
        f"{name}{suffix}" for name in present for suffix in ("-wal", "-shm") if name.endswith(".sqlite3")
    }
    kept = home / f"{BEFORE_RESTORE}{time.strftime('%Y%m%d-%H%M%S')}-{uuid.uuid4().hex[:4]}"
    swap(home, staging, kept, present)
    if any(kept.iterdir()):
        return kept
    kept.rmdir()
    return None


def _adapt(staging: Path, home: Path, backup: Backup) -> None:
    """Make what was extracted fit this home and this version. Raises BackupError where it cannot."""
    for entry in backup.manifest.files:
        os.utime(staging / entry.path, (entry.modified, entry.modified))
    _check_version(staging / "conversations.sqlite3", backup.path)
    if Path(backup.manifest.home) != home:
        _relocate_uploads(staging, Path(backup.manifest.home), home)
    if not backup.manifest.with_secrets:
        _keep_secrets(staging / SETTINGS, home / SETTINGS)
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
    """A backup without secrets leaves the present ones, where they are for the same endpoint."""
    now, then = read_json(present), read_json(restored)
    secrets = {name: value for name, value in now.items() if is_secret(name)}
    if secrets and now.get("engine_url") == then.get("engine_url"):
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
