"""Files that are written whole or not at all, whatever ends the process in between."""

import json
import os
import uuid
from pathlib import Path


def write_whole(path: Path, content: str | bytes, *, private: bool = False) -> Path:
    """Write a file and its folder; a reader sees the old file or the new one, never a part.

    It is on the disk before it takes the place of the old one. With `private`, its owner alone may read it.
    """
    data = content.encode() if isinstance(content, str) else content
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "xb", opener=owner_only if private else None) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_json(path: Path, value: object, error: type[Exception]) -> None:
    """Write JSON whole, readable by its owner alone; an OSError becomes an `error` that says what to do."""
    text = json.dumps(value, ensure_ascii=False, indent=2) + "\n"
    try:
        write_whole(path, text, private=True)
    except OSError as problem:
        raise error(
            f"{path} cannot be written: {problem.strerror or problem}. Free some space or choose "
            "another folder with IMPRINT_HOME."
        ) from problem


def owner_only(path: str, flags: int) -> int:
    """An opener for `open`: a file that it creates is readable by its owner alone."""
    return os.open(path, flags, 0o600)
