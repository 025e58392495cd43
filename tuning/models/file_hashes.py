"""The hash of a large file, remembered by its place, size and time: computing it takes seconds to minutes."""

import contextlib
import hashlib
import json
from pathlib import Path

from tuning.storage import file_sha256, read_json, write_json


def remembered_sha256(path: Path, home: Path) -> str:
    """The SHA-256 of a file, computed once for each state of it that this home has seen."""
    about = path.stat()
    stamp = json.dumps([str(path.resolve()), about.st_size, about.st_mtime_ns])
    memory = home / "models" / f"hash-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}.json"
    if known := read_json(memory).get("sha256"):
        return str(known)
    sha256 = file_sha256(path)
    with contextlib.suppress(OSError):  # others may only read this home
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_json(memory, {"sha256": sha256, "folder": str(path.parent)})
    return sha256
