"""New content takes the place of the old: killed at any moment, the next process finds the one or the other whole.

A journal names what has to move. Until it is written, the old content is in place and complete; from then on
whoever comes next finishes the moves, which can be repeated, before it looks at anything.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.home.layout import JOURNAL, RESTORE_LOCK, STAGING
from assistant.home.use import swapping
from assistant.storage import write_whole

log = logging.getLogger(__name__)


def swap(home: Path, staging: Path, kept: Path, leaving: Iterable[str], arriving: Iterable[str]) -> None:
    """Move `leaving` from the home to `kept`, as far as it exists, and `arriving` from `staging` into its place.

    Names may have a folder before them, with a slash. All three are one folder and two of its sub-folders, so that
    every move is a rename.
    """
    journal = {
        "staging": staging.name,
        "kept": kept.name,
        "leaving": sorted(name for name in leaving if os.path.lexists(home / name)),
        "arriving": sorted(arriving),
    }
    write_whole(home / JOURNAL, json.dumps(journal, ensure_ascii=False), private=True)
    sync_folder(home)
    _finish(home)


def finish_restore(home: Path) -> None:
    """Finish the restore that was killed, and remove what one left that had not come to its moves.

    Raises AssistantError where another process is moving things and does not end.
    """
    if (home / JOURNAL).exists():
        with swapping(home):
            if (home / JOURNAL).exists():  # else another process was faster
                log.warning("finishing the restore of %s that was interrupted", home)
                _finish(home)
    if leftovers := list(home.glob(f"{STAGING}*")):
        with (
            suppress(Timeout),
            FileLock(home / RESTORE_LOCK).acquire(timeout=0),
        ):  # else they are being written
            for leftover in leftovers:
                shutil.rmtree(leftover, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Put a folder's entries onto the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _finish(home: Path) -> None:
    journal = json.loads((home / JOURNAL).read_text(encoding="utf-8"))
    staging, kept = home / journal["staging"], home / journal["kept"]
    folders = {home, staging, kept}
    kept.mkdir(mode=0o700, exist_ok=True)
    for name in sorted({*journal["leaving"], *journal["arriving"]}):
        if name in journal["leaving"] and not os.path.lexists(kept / name):
            _move(home / name, kept / name)
        _move(staging / name, home / name)
        folders |= {(folder / name).parent for folder in (home, staging, kept)}
    for folder in folders:
        if folder.is_dir():
            sync_folder(folder)
    (home / JOURNAL).unlink()
    shutil.rmtree(staging, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """Rename it; where it is not any more, that was done before."""
    target.parent.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileNotFoundError):
        source.rename(target)
