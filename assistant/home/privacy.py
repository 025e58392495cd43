"""A home that its owner alone can read. On Windows the user's profile is private already, and nothing is done."""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from assistant.home.layout import MODELS, is_own

log = logging.getLogger(__name__)

OTHERS = 0o077  # the bits of a mode that let group and others in


def make_private(home: Path) -> list[Path]:
    """Take group and others' rights from a home that has them; returns what was changed.

    The folder itself is closed where nothing but Imprint's own files lies in it. In a folder that holds other
    things too, only Imprint's own entries are closed.
    """
    changed = []
    for path in open_to_others(home):
        try:
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~OTHERS)
        except OSError as error:  # somebody else's file system or file: doctor says so
            log.warning("%s could be read by others and cannot be closed: %s", path, error.strerror)
        else:
            changed.append(path)
    if changed:
        log.warning("other users could read %s; now its owner alone can", " and ".join(map(str, changed[:3])))
    return changed


def open_to_others(home: Path) -> list[Path]:
    """What group or others may enter or read: the home, or what of Imprint's lies in a folder that is not its own."""
    if os.name == "nt" or not home.is_dir() or not _is_mine(home):
        return []
    names = [entry.name for entry in os.scandir(home)]
    if all(map(is_own, names)):
        return [home] if _is_open(home) else []
    return [path for path in _own_entries(home, names) if _is_open(path)]


def _own_entries(home: Path, names: list[str]) -> Iterator[Path]:
    for name in sorted(names):
        path = home / name
        if is_own(name) and name not in (MODELS, "lost+found") and not path.is_symlink() and _is_mine(path):
            yield path


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & OTHERS)


def _is_mine(path: Path) -> bool:
    return path.stat().st_uid == os.geteuid()
