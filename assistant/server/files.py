"""Files that were uploaded to the HTTP server, stored under the home until they are deleted."""

import json
import logging
import re
import shutil
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from assistant.errors import AssistantError
from tuning.storage import write_json

log = logging.getLogger(__name__)

_ID = re.compile(r"file-[0-9a-f]{32}")
_ABOUT = "about.json"
_CHUNK = 1 << 20


class UnknownFileError(AssistantError):
    """A request names a file that does not exist."""


class FileTooLargeError(AssistantError):
    """A file is larger than the settings allow."""


@dataclass(frozen=True)
class UploadedFile:
    """One uploaded file: OpenAI's file object."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created_at: int


class UploadedFiles:
    """The uploaded files of a home; each has a folder named by its id."""

    def __init__(self, home: Path, max_mb: int) -> None:
        self.folder = home / "files"
        self._max_mb = max_mb

    def add(self, stream: BinaryIO, filename: str, purpose: str) -> UploadedFile:
        """Store a file; it appears whole. Raises AssistantError where it is empty, FileTooLargeError."""
        file_id = f"file-{uuid.uuid4().hex}"
        partial = self.folder / f".{file_id}"
        partial.mkdir(parents=True)
        try:
            size = _copy(stream, partial / "content", filename, self._max_mb)
            upload = UploadedFile(file_id, Path(filename).name or "file", purpose, size, int(time.time()))
            about = json.dumps(asdict(upload), ensure_ascii=False)
            (partial / _ABOUT).write_text(about, encoding="utf-8")
            partial.rename(self.folder / file_id)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return upload

    def list(self) -> "list[UploadedFile]":
        """All files, newest first."""
        found = []
        for path in self.folder.glob(f"file-*/{_ABOUT}"):
            try:
                found.append(self.get(path.parent.name))
            except UnknownFileError as error:
                log.warning("%s", error)
        return sorted(found, key=lambda upload: upload.created_at, reverse=True)

    def get(self, file_id: str) -> UploadedFile:
        """One file by its id. Raises UnknownFileError."""
        about = self.folder / file_id / _ABOUT
        if not _ID.fullmatch(file_id) or not about.is_file():
            raise UnknownFileError(f"There is no file {file_id!r}. Upload it again, or list the files.")
        try:
            return UploadedFile(**json.loads(about.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, RecursionError) as error:
            raise UnknownFileError(
                f"The file {file_id!r} is damaged. Delete {about.parent} and upload it again."
            ) from error

    def path(self, file_id: str) -> Path:
        """Where the bytes of a file are. Raises UnknownFileError."""
        return self.folder / self.get(file_id).id / "content"

    def note_request(self, job: str, request: Mapping[str, Any]) -> None:
        """Record what a job was asked for: its files, and what has no place in its configuration."""
        uses = self.folder / "used-by"
        uses.mkdir(parents=True, exist_ok=True)
        write_json(uses / job, request)

    def note_pause(self, job: str, finished: float | None) -> None:
        """Record when a job was paused, or with None that it is no longer."""
        self.note_request(job, {**self.request_of(job), "paused": finished})

    def request_of(self, job: str) -> dict[str, Any]:
        """What `note_request` recorded; nothing for a job that was not started over HTTP."""
        try:
            text = (self.folder / "used-by" / job).read_text(encoding="utf-8")
        except OSError:
            return {}
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return (
                {"request": {"training_file": text}} if _ID.fullmatch(text) else {}
            )  # as earlier versions wrote it
        return found if isinstance(found, dict) else {}

    def delete(self, file_id: str) -> None:
        """Remove a file. Raises UnknownFileError."""
        shutil.rmtree(self.path(file_id).parent)


def _copy(stream: BinaryIO, target: Path, filename: str, max_mb: int) -> int:
    size = 0
    with target.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > max_mb << 20:
                raise FileTooLargeError(
                    f"{filename!r} is larger than {max_mb} MiB. Split it, or raise IMPRINT_MAX_UPLOAD_MB."
                )
            file.write(chunk)
    if not size:
        raise AssistantError(f"{filename!r} is empty. Give a file with conversations to learn.")
    return size
