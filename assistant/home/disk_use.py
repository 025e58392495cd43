"""How much room the parts of a home take on its disk, by what they are for. It only reads sizes."""

import shutil
from dataclasses import dataclass
from pathlib import Path

# What a part is for -> the names at the top of a home that belong to it; the rest is "other"
PARTS = {
    "models": ("models",),
    "checkpoints": ("checkpoints",),
    "knowledge": ("knowledge",),
    "jobs": ("jobs",),
    "conversations": ("conversations.sqlite3", "conversations.sqlite3-wal", "database-copies"),
    "evaluations": ("evaluations", "reports", "questions"),
}


@dataclass(frozen=True)
class DiskUse:
    """Bytes of each part of a home, and of the disk that it is on."""

    parts: dict[str, int]
    free: int
    total: int

    @property
    def taken(self) -> int:
        """Bytes of the whole home."""
        return sum(self.parts.values())


def disk_use(home: Path) -> DiskUse:
    """Measure a home; what vanishes meanwhile counts nothing."""
    known = {name: part for part, names in PARTS.items() for name in names}
    parts = dict.fromkeys([*PARTS, "other"], 0)
    for path in home.iterdir() if home.is_dir() else ():
        parts[known.get(path.name, "other")] += _size(path)
    disk = shutil.disk_usage(home)
    return DiskUse(parts, disk.free, disk.total)


def _size(path: Path) -> int:
    """Bytes of a file, or of all files of a folder."""
    try:
        if path.is_file():
            return path.stat().st_size
        return sum(_size(one) for one in path.iterdir() if one.is_dir() or not one.is_symlink())
    except OSError:
        return 0
