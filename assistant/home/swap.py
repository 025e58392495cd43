"""New content takes the place of the old: killed at any moment, the next command finds the one or the other whole.

A journal names what has to move. Until it is written, the old content is in place and complete; from then on
whoever comes next finishes the moves, which can be repeated.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock

from assistant.home.layout import JOURNAL, RESTORE_LOCK, STAGING
from assistant.home.use import refuse_during_restore
from assistant.storage import write_whole
from tuning.storage import read_json

log = logging.getLogger(__name__)


def swap(home: Path, staging: Path, kept: Path, names: Iterable[str]) -> None:
    """Move these entries of the home to `kept`, as far as they exist, and all of `staging` into their place.

    All three are one folder and two of its sub-folders, so that every move is a rename.
    """
    leaving = sorted(name for name in names if os.path.lexists(home / name))
    arriving = sorted(path.name for path in staging.iterdir())
    journal = {"staging": staging.name, "kept": kept.name, "leaving": leaving, "arriving": arriving}
    write_whole(home / JOURNAL, json.dumps(journal, ensure_ascii=False), private=True)
    sync_folder(home)
    _finish(home)


def finish_restore(home: Path) -> None:
    """Finish the restore that was killed, and remove what one left that had not come to its moves.

    Raises AssistantError while a restore is underway.
    """
    leftovers = list(home.glob(f"{STAGING}*")) if home.is_dir() else []
    if not leftovers and not (home / JOURNAL).exists():
        return
    refuse_during_restore(home)
    with FileLock(home / RESTORE_LOCK):
        if (home / JOURNAL).exists():
            log.warning("finishing the restore of %s that was interrupted", home)
            _finish(home)
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
    journal = read_json(home / JOURNAL)
    staging, kept = home / journal["staging"], home / journal["kept"]
    kept.mkdir(mode=0o700, exist_ok=True)
    for name in sorted({*journal["leaving"], *journal["arriving"]}):
        if name in journal["leaving"] and not os.path.lexists(kept / name):
            (home / name).rename(kept / name)
        if os.path.lexists(staging / name):
            (staging / name).rename(home / name)
    for folder in (kept, staging, home):
        sync_folder(folder)
    (home / JOURNAL).unlink()
    shutil.rmtree(staging, ignore_errors=True)
