"""Files that appear whole: JSON by rename, sizes of folders. Knows no shapes of its own."""

import hashlib
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def dumps(record: object, indent: int | None = None) -> str:
    """JSON that is readable in every language, and always encodable as UTF-8 (half an emoji is escaped)."""
    text = json.dumps(record, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(record, indent=indent)
    return text


def write_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write an object so that a reader sees the old file or the new one, never a part."""
    write_text(path, dumps(record, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file by rename."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:6]}.tmp")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def folder_bytes(folder: Path | str) -> int:
    """The bytes of all files in a folder; a file that disappears meanwhile counts nothing."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return 0
    return sum(map(_entry_bytes, entries))


def _entry_bytes(entry: "os.DirEntry[str]") -> int:
    try:
        if entry.is_dir(follow_symlinks=False):
            return folder_bytes(entry.path)
        return entry.stat(follow_symlinks=False).st_size if entry.is_file() else 0
    except OSError:
        return 0


def files_of(folder: Path) -> list[Path]:
    """All files under a folder, sorted."""
    return sorted(p for p in folder.rglob("*") if p.is_file())


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def flush(path: Path) -> None:
    """Ask the operating system to put a file onto the disk now."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def read_json(path: Path) -> dict[str, Any]:
    """The object in a file that `write_json` wrote; empty where there is none, or it is damaged."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
