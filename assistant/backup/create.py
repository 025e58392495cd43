"""`imprint backup`: a home's files into one archive, which appears whole by rename. It may be in use meanwhile."""

import hashlib
import os
import shutil
import time
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import psutil

from assistant.backup.archive import CHUNK, MANIFEST, ROOT, Backup, Entry, Manifest, OnProgress
from assistant.backup.collect import SETTINGS, collect, copy_database, held_checkpoints, without_secrets
from assistant.errors import BackupError
from assistant.home.layout import is_database
from assistant.home.swap import sync_folder
from assistant.storage import owner_only

_TEMPORARY = ".imprint-backup-"
_STORED = (
    ".safetensors",
    ".gguf",
    ".png",
    ".pdf",
    ".zip",
    ".docx",
    ".xlsx",
    ".pptx",
    ".epub",
)  # hardly shrink


@dataclass(frozen=True)
class BackupReport:
    """What a backup holds, and what it does not, with the reasons."""

    path: Path
    manifest: Manifest
    left_out: dict[str, str]
    problems: dict[str, str]  # files that were kept although something is wrong with them

    @property
    def bytes(self) -> int:
        """The bytes of its files, before compression."""
        return sum(entry.size for entry in self.manifest.files)


def create_backup(
    home: Path,
    target: Path,
    *,
    with_secrets: bool = False,
    with_models: bool = False,
    on_progress: OnProgress = lambda done, total: None,
) -> BackupReport:
    """Write everything of `home` that cannot be made again into the archive `target`.

    An earlier backup of that name is replaced once the new one is whole. Raises BackupError.
    """
    target = target.absolute()
    _check(home, target)
    remove_leftovers(target.parent)
    with _temporary_folder(target.parent) as work, held_checkpoints(home):
        with _Writer(home, work, with_secrets, on_progress) as writer:
            collected = collect(home, with_models=with_models)
            entries = writer.write(collected.files)
            manifest = Manifest(
                time.time(), version("imprint"), str(home), entries, with_secrets, with_models
            )
            writer.finish(manifest)
        writer.archive.replace(target)
        sync_folder(target.parent)
    return BackupReport(target, manifest, {**collected.left_out, **writer.left_out}, writer.problems)


def remove_leftovers(folder: Path) -> list[Path]:
    """Remove what backups that were killed left in a folder; returns it."""
    found = []
    for path in folder.glob(f"{_TEMPORARY}*"):
        pid = path.name.removeprefix(_TEMPORARY).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(path, ignore_errors=True)
            found.append(path)
    return found


class _Writer:
    """Writes files into the archive, one after another, with their hashes."""

    def __init__(self, home: Path, work: Path, with_secrets: bool, on_progress: OnProgress) -> None:
        self.archive = work / "archive.zip"
        self.left_out: dict[str, str] = {}
        self.problems: dict[str, str] = {}
        self._home, self._work = home, work
        self._with_secrets, self._on_progress = with_secrets, on_progress
        self._done, self._total = 0, 1
        with open(self.archive, "xb", opener=owner_only):
            pass
        self._zip = zipfile.ZipFile(self.archive, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=3)

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, ValueError):  # what went wrong is on its way already
            self._zip.close()

    def write(self, files: list[Path]) -> tuple[Entry, ...]:
        self._total = sum(_size(self._home / file) for file in files)
        entries = []
        for file in files:
            relative = PurePosixPath(file)
            try:
                entries.append(self._write_file(relative))
            except FileNotFoundError:
                continue  # deleted meanwhile
            except PermissionError:
                self.left_out[str(relative)] = "it may not be read"
        return tuple(entries)

    def finish(self, manifest: Manifest) -> None:
        self._zip.writestr(MANIFEST, manifest.to_json())
        self._zip.close()
        with self.archive.open("rb+") as file:
            os.fsync(file.fileno())

    def _write_file(self, relative: PurePosixPath) -> Entry:
        source = self._home / relative
        modified = source.stat().st_mtime
        if is_database(relative):
            copy = self._work / "database"
            copy.unlink(missing_ok=True)
            if problem := copy_database(source, copy):
                self.problems[str(relative)] = problem
            source = copy
        elif relative == SETTINGS and not self._with_secrets:
            copy = self._work / "settings"
            copy.write_bytes(without_secrets(source.read_bytes()))
            source = copy
        with source.open("rb") as file:
            return self._add(relative, file, modified)

    def _add(self, relative: PurePosixPath, file: BinaryIO, modified: float) -> Entry:
        """One file up to its present end: what is appended meanwhile is not part of this moment."""
        info = zipfile.ZipInfo(ROOT + str(relative), time.localtime(max(modified, 315_619_200.0))[:6])
        info.external_attr = 0o100600 << 16
        info.compress_type = (
            zipfile.ZIP_STORED if relative.suffix.lower() in _STORED else zipfile.ZIP_DEFLATED
        )
        left = os.fstat(file.fileno()).st_size
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w", force_zip64=True) as out:
            while left > size and (chunk := file.read(min(CHUNK, left - size))):
                size += len(chunk)
                digest.update(chunk)
                out.write(chunk)
                self._on_progress(self._done + size, self._total)
        self._done += size
        return Entry(str(relative), size, digest.hexdigest(), modified)


def _check(home: Path, target: Path) -> None:
    if not home.is_dir():
        raise BackupError(f"There is nothing to back up: {home} does not exist. Set IMPRINT_HOME.")
    if target.resolve().is_relative_to(home.resolve()):
        raise BackupError(
            f"The backup {str(target)!r} would lie in the home that it is of. Choose another folder."
        )
    if not target.parent.is_dir():
        raise BackupError(
            f"There is no folder {str(target.parent)!r} for the backup. Make it, or choose another."
        )
    if target.exists():
        _check_replaceable(target)


def _check_replaceable(target: Path) -> None:
    try:
        Backup(target).__exit__()
    except BackupError:
        raise BackupError(
            f"{str(target)!r} exists and is no backup that could be replaced. Choose another name, or move it away."
        ) from None


@contextmanager
def _temporary_folder(parent: Path) -> Iterator[Path]:
    work = parent / f"{_TEMPORARY}{os.getpid()}-{uuid.uuid4().hex[:8]}"
    try:
        work.mkdir(mode=0o700)
    except OSError as error:
        raise BackupError(
            f"The backup cannot be written to {str(parent)!r}: {error.strerror}. Choose another folder."
        ) from error
    try:
        yield work
    except OSError as error:
        raise BackupError(
            f"The backup cannot be written to {str(parent)!r}: {error.strerror or error}. Nothing was changed; "
            "free some space or choose another folder."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
