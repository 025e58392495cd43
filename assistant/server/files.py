"""Files that programs gave to the HTTP interface, kept under the home until they delete them."""

import json
import re
import shutil
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from assistant.errors import AssistantError

MAX_BYTES = 512 << 20
_ID = re.compile(r"file-[0-9a-f]{32}")
_ABOUT = "about.json"
_CHUNK = 1 << 20


class UnknownFileError(AssistantError):
    """A file was asked for that is not there."""


@dataclass(frozen=True)
class UploadedFile:
    """One file as it was given."""

    id: str
    filename: str
    purpose: str
    bytes: int
    created_at: int


class UploadedFiles:
    """The files of a home; each has a folder of its own, named by its id."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "files"

    def add(self, stream: BinaryIO, filename: str, purpose: str) -> UploadedFile:
        """Keep a file; it appears whole. Raises AssistantError where it is empty or too large."""
        identity = f"file-{uuid.uuid4().hex}"
        partial = self.folder / f".{identity}"
        partial.mkdir(parents=True)
        try:
            size = _copy(stream, partial / "content", filename)
            upload = UploadedFile(identity, Path(filename).name or "file", purpose, size, int(time.time()))
            about = json.dumps(asdict(upload), ensure_ascii=False)
            (partial / _ABOUT).write_text(about, encoding="utf-8")
            partial.rename(self.folder / identity)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return upload

    def list(self) -> "list[UploadedFile]":
        """All files, newest first."""
        found = [self.get(path.parent.name) for path in self.folder.glob(f"file-*/{_ABOUT}")]
        return sorted(found, key=lambda upload: upload.created_at, reverse=True)

    def get(self, identity: str) -> UploadedFile:
        """One file by its id. Raises NoSuchUpload where there is none."""
        about = self.folder / identity / _ABOUT
        if not _ID.fullmatch(identity) or not about.is_file():
            raise UnknownFileError(f"There is no file {identity!r}. Upload it again, or list the files.")
        return UploadedFile(**json.loads(about.read_text(encoding="utf-8")))

    def path(self, identity: str) -> Path:
        """Where the bytes of a file are. Raises NoSuchUpload where there is none."""
        return self.folder / self.get(identity).id / "content"

    def note_use(self, identity: str, job: str) -> None:
        """Remember which file a tuning job was made from."""
        uses = self.folder / "used-by"
        uses.mkdir(parents=True, exist_ok=True)
        (uses / job).write_text(identity, encoding="utf-8")

    def file_of(self, job: str) -> str:
        """The file that a tuning job was made from; "" for a job that was started otherwise."""
        note = self.folder / "used-by" / job
        return note.read_text(encoding="utf-8") if note.is_file() else ""

    def delete(self, identity: str) -> None:
        """Remove a file. Raises NoSuchUpload where there is none."""
        shutil.rmtree(self.path(identity).parent)


def _copy(stream: BinaryIO, target: Path, filename: str) -> int:
    size = 0
    with target.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            if size > MAX_BYTES:
                raise AssistantError(f"{filename!r} is larger than {MAX_BYTES >> 20} MiB. Split it.")
            file.write(chunk)
    if not size:
        raise AssistantError(f"{filename!r} is empty. Give a file with conversations to learn.")
    return size
