"""A first-in-first-out lock whose waiters can give up: one generation at a time."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_POLL_SECONDS = 0.05  # how late a caller who gives up while waiting may notice it


class FairLock:
    """A mutual-exclusion lock that is granted in the order of arrival."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queue: deque[object] = deque()

    @property
    def waiting(self) -> int:
        """How many callers wait for the one that holds the lock."""
        return max(0, len(self._queue) - 1)

    @contextmanager
    def take(self, stop: threading.Event | None = None) -> Iterator[bool]:
        """Hold the lock inside the block. Yields False, without the lock, where `stop` was set while waiting."""
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
