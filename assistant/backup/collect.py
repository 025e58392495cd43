"""What a backup is made of: files of a home as they are now, databases as one moment shows them.

It reads while other processes write: SQLite's own backup copies databases, checkpoints are held meanwhile.
"""

import contextlib
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from assistant.home.layout import is_content
from tuning.checkpoints.registry import Registry
from tuning.errors import CheckpointError

_SECRET = re.compile(r"(^|_)(keys?|token|passwords?|secrets?)$")
SETTINGS = PurePosixPath("settings.json")


@dataclass
class Collection:
    """The files of a backup, and what was left out of it, with the reason."""

    files: list[Path] = field(default_factory=list)  # relative to the home
    left_out: dict[str, str] = field(default_factory=dict)


def collect(home: Path, *, with_models: bool) -> Collection:
    """The files of a home that belong into a backup; links below the home's own folders are left out."""
    found = Collection()
    for path in _walk(home, home, with_models):
        relative = path.relative_to(home)
        if path.is_symlink() and len(relative.parts) > 1:
            found.left_out[relative.as_posix()] = "it is a link"
        elif path.is_file():
            found.files.append(relative)
        else:
            found.left_out[relative.as_posix()] = "it is no ordinary file"
    return found


def _walk(home: Path, folder: Path, with_models: bool) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not is_content(PurePosixPath(path.relative_to(home)), with_models=with_models):
            continue
        # A person may keep checkpoints on another disk: links at the top are followed, others are not.
        if path.is_dir() and (folder == home or not path.is_symlink()):
            yield from _walk(home, path, with_models)
        else:
            yield path


@contextlib.contextmanager
def held_checkpoints(home: Path) -> Iterator[None]:
    """Keep all checkpoints from being deleted or renamed while they are copied."""
    registry = Registry(home)
    with contextlib.ExitStack() as holds:
        for checkpoint in registry.list():
            with contextlib.suppress(CheckpointError, OSError):  # deleted just now; a read-only home
                holds.enter_context(registry.hold(checkpoint.name, "a backup is being made"))
        yield


def copy_database(source: Path, target: Path) -> str:
    """Copy a database as one moment shows it; returns what is wrong with it, "" for nothing.

    One that is damaged is copied as it is: something may be recovered from it.
    """
    try:
        return _copy(source, target)
    except sqlite3.DatabaseError as error:
        reason = str(error)
    # A full or read-only disk keeps SQLite from reading: beside the target it may, with what is not merged yet.
    beside = target.with_name("beside")
    wal = source.with_name(f"{source.name}-wal")
    shutil.copyfile(source, beside)
    if wal.exists():
        shutil.copyfile(wal, beside.with_name(f"{beside.name}-wal"))
    try:
        return _copy(beside, target)
    except sqlite3.DatabaseError:
        shutil.copyfile(source, target)
        return (
            f"the database is damaged ({reason}) and was copied as it is: `imprint doctor --mend` may mend it"
        )
    finally:
        for leftover in beside.parent.glob(f"{beside.name}*"):
            leftover.unlink()


def _copy(source: Path, target: Path) -> str:
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE")
        found = str(new.execute("PRAGMA quick_check(1)").fetchone()[0])
    return "" if found == "ok" else f"the database is damaged ({found.splitlines()[-1]})"


def without_secrets(settings: bytes) -> bytes:
    """The settings without keys and passwords, also those in addresses."""
    try:
        stored = json.loads(settings)
    except ValueError:
        return b"{}\n"  # damaged: what is a secret in it cannot be told
    if not isinstance(stored, dict):
        return b"{}\n"
    kept = {name: _without_userinfo(value) for name, value in stored.items() if not is_secret(name)}
    return (json.dumps(kept, ensure_ascii=False, indent=2) + "\n").encode()


def is_secret(name: str) -> bool:
    """Whether a setting of this name is kept out of a backup."""
    return _SECRET.search(name) is not None


def _without_userinfo(value: Any) -> Any:
    if not isinstance(value, str) or "@" not in value or "://" not in value:
        return value
    url = urlsplit(value)
    return urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2]))
