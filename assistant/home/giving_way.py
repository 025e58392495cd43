"""A restore asks the app and the server to end; they start again, and wait until it has ended.

Nothing that they had open survives: no connection to a file that was moved, no checkpoint of before in memory.
"""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.home.layout import GIVE_WAY
from assistant.storage import write_whole
from tuning.process import Identity

CAN_START_AGAIN = os.name != "nt"  # there a process cannot be replaced by another of the same number


@contextmanager
def asking_to_give_way(home: Path) -> Iterator[None]:
    """Ask while it lasts; what a killed process asked counts for nothing."""
    request = home / GIVE_WAY
    write_whole(request, json.dumps(Identity.own().to_dict()), private=True)
    try:
        yield
    finally:
        request.unlink(missing_ok=True)


def is_asked_to_give_way(home: Path) -> bool:
    """Whether a restore that still runs wants the home."""
    try:
        record = json.loads((home / GIVE_WAY).read_text(encoding="utf-8"))
        return Identity.from_dict(record).is_alive
    except (OSError, ValueError, KeyError, TypeError):
        return False


def start_again() -> None:
    """Replace this process by a new one with the same command line, where the system can.

    Locks, connections and threads end in that moment and not before, so nothing of this process writes later.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if CAN_START_AGAIN:
        os.execv(sys.executable, sys.orig_argv)
