"""Files that were uploaded: kept under the home, each under a name that is safe there."""

import re
import uuid
from pathlib import Path


def keep_upload(folder: Path, name: str, data: bytes) -> Path:
    """Write an uploaded file into the folder; the same name again replaces it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / safe_name(name)
    temporary = path.with_name(f".{uuid.uuid4().hex}.part")  # two tabs may upload the same name
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def safe_name(name: str) -> str:
    """A file name without folders, control characters and leading dots."""
    last = re.split(r"[\\/]", name)[-1]
    kept = "".join(character for character in last if character.isprintable() and character not in '<>:"|?*')
    stem, dot, suffix = kept.strip().lstrip(".").rpartition(".")
    short = f"{stem[:100]}{dot}{suffix[:20]}"
    return short if short.strip(". ") else "document"
