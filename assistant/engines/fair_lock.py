"""First come, first served: one generation at a time, and a place in the queue can be given up."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_POLL_SECONDS = 0.05  # how late a caller who gives up while waiting may notice it


class FairLock:
    """A fair lock whose waiters can stop waiting."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()

    @property
    def waiting(self) -> int:
        """How many callers wait behind the one that runs."""
        return max(0, len(self._queue) - 1)

    @contextmanager
    def take(self, stop: threading.Event | None = None) -> Iterator[bool]:
        """Wait for a turn and hold it; gives False, without a turn, when `stop` is set meanwhile."""
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
        try:
            yield self._wait(ticket, stop)
        finally:
            with self._changed:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def _wait(self, ticket: object, stop: threading.Event | None) -> bool:
        with self._changed:
            while self._queue[0] is not ticket:
                if stop is not None and stop.is_set():
                    return False
                self._changed.wait(_POLL_SECONDS if stop is not None else None)
        return stop is None or not stop.is_set()
