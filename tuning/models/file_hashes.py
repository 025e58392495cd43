"""The hash of a model's files, remembered by their place, size and time: computing it takes seconds to minutes."""

import contextlib
import hashlib
import json
from pathlib import Path

from tuning.storage import file_sha256, read_json, write_json


def weights_sha256(files: list[Path], home: Path) -> str:
    """One hash for these files, computed once for each state of them that this home has seen."""
    if known := remembered_sha256(files, home):
        return known
    hashes = [file_sha256(file) for file in files]
    sha256 = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
    memory = _memory(files, home)
    with contextlib.suppress(OSError):  # others may only read this home
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_json(memory, {"sha256": sha256, "folder": str(files[0].parent)})
    return sha256


def remembered_sha256(files: list[Path], home: Path) -> str:
    """The hash of these files as they are now, where this home has computed it; else empty."""
    return str(read_json(_memory(files, home)).get("sha256") or "")


def _memory(files: list[Path], home: Path) -> Path:
    stamp = json.dumps([[str(f.resolve()), f.stat().st_size, f.stat().st_mtime_ns] for f in files])
    return home / "models" / f"hash-{hashlib.sha256(stamp.encode()).hexdigest()[:16]}.json"
