"""Waits for a state outside of the page, of a file or a server, which no event tells of."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.2


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether it came to hold within so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True
