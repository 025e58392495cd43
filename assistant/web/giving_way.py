"""A server that gives way to a restore: it ends what it answers, and the process starts again."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from assistant.home.giving_way import is_asked_to_give_way, start_again

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
# From the request to the new start, whatever a page or a client still does.
MOST_SECONDS = 15.0


@contextmanager
def giving_way(home: Path, server: uvicorn.Server) -> Iterator[None]:
    """Watch for a restore of `home` while the server runs."""
    ended, asked = threading.Event(), threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(home, server, ended, asked), name="giving-way", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        ended.set()
    if asked.is_set():  # not where a signal ended it meanwhile
        start_again()


def _watch(home: Path, server: uvicorn.Server, ended: threading.Event, asked: threading.Event) -> None:
    while not ended.wait(LOOK_SECONDS):
        if is_asked_to_give_way(home):
            log.warning("a backup is being restored: this starts again when that has ended")
            asked.set()
            server.should_exit = True
            if not ended.wait(MOST_SECONDS):
                start_again()
            return
