"""Work that goes on beside the pages: whoever holds it may look at it, wait for it or stop it.

It belongs to no browser tab. Its thread writes it, everybody may read it.
"""

import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from assistant.errors import KNOWN_ERRORS, AssistantError

T = TypeVar("T", bound="BackgroundTask")
log = logging.getLogger(__name__)


@dataclass
class BackgroundTask:
    """One piece of work. What it has achieved so far is in the fields of its kind."""

    # Why it did not reach its end, as a sentence for a person.
    error: str = field(default="", kw_only=True)
    stop_event: threading.Event = field(default_factory=threading.Event, repr=False, kw_only=True)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False, kw_only=True)

    @property
    def running(self) -> bool:
        """Whether it is still going on."""
        return not self._ended.is_set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self.stop_event.is_set()

    def stop(self) -> None:
        """End early; what was achieved stays."""
        self.stop_event.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; whether it came within `seconds`."""
        return self._ended.wait(seconds)

    def run(self, do: Callable[[], None]) -> None:
        """Do it in this thread, and keep what went wrong."""
        try:
            do()
        except KNOWN_ERRORS as error:
            self.error = str(error)
        except Exception as error:  # the end of a thread: whatever it was must reach the page
            log.exception("work in the background failed")
            self.error = f"This failed unexpectedly ({type(error).__name__}: {error}). The log has more."
        finally:
            self._ended.set()


class TaskRegistry(Generic[T]):
    """The newest work of every key; one at a time for each."""

    def __init__(self, busy: str) -> None:
        self._busy = busy
        self._lock = threading.Lock()
        self._works: dict[Hashable, T] = {}

    def start(self, key: Hashable, work: T, do: Callable[[], None]) -> T:
        """Begin in a thread. Raises AssistantError while the work of `key` before is going on."""
        with self._lock:
            before = self._works.get(key)
            if before is not None and before.running:
                raise AssistantError(self._busy)
            self._works[key] = work
        threading.Thread(target=work.run, args=(do,), name=f"background-{key}", daemon=True).start()
        return work

    def get(self, key: Hashable) -> T | None:
        """The newest work of `key`, going on or ended."""
        return self._works.get(key)

    def running(self) -> list[T]:
        """All work of this kind that is going on, under any key."""
        return [work for work in list(self._works.values()) if work.running]

    def forget(self, key: Hashable) -> None:
        """Put away work that has ended."""
        with self._lock:
            work = self._works.get(key)
            if work is not None and not work.running:
                del self._works[key]
