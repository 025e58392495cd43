"""Background tasks: threads of the process that any page may watch, wait for or stop.

A task belongs to no browser tab. Its own thread writes its fields; everybody else only reads them.
"""

import contextvars
import logging
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from assistant.errors import KNOWN_ERRORS, AssistantError, sentence_of
from tuning.errors import reason_of

T = TypeVar("T", bound="BackgroundTask")
MAX_FINISHED = 100  # finished tasks that a registry keeps
log = logging.getLogger(__name__)


def start_thread(name: str, do: Callable[..., Any], *args: Any) -> None:
    """Call `do` in a daemon thread with a copy of the caller's context, such as the language of its page."""
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(do, *args), name=name, daemon=True).start()


@dataclass
class BackgroundTask:
    """One task. Subclasses add fields for what it has achieved so far."""

    # Why it failed, as a sentence for a person.
    error: str = field(default="", kw_only=True)
    stop_event: threading.Event = field(default_factory=threading.Event, repr=False, kw_only=True)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False, kw_only=True)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._ended.is_set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self.stop_event.is_set()

    def stop(self) -> None:
        """Ask it to end early; what was achieved stays."""
        self.stop_event.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end; whether it came within `seconds`."""
        return self._ended.wait(seconds)

    def run(self, do: Callable[[], None]) -> None:
        """Call `do` in this thread; what it raises ends up in `error`."""
        try:
            do()
        except KNOWN_ERRORS as error:
            self.error = sentence_of(error)
        except Exception as error:  # the end of a thread: whatever it was must reach the page
            log.exception("a background task failed")
            self.error = f"This failed unexpectedly: {reason_of(error).rstrip('.')}. The log has more."
        finally:
            self._ended.set()


class TaskRegistry(Generic[T]):
    """The newest task of every key, one running at a time for each; about `MAX_FINISHED` finished ones stay."""

    def __init__(self, busy: str) -> None:
        """`busy` is the message of the error while the task of a key is running."""
        self._busy = busy
        self._lock = threading.Lock()
        self._tasks: dict[Hashable, T] = {}  # in the order in which they were started

    def start(self, key: Hashable, task: T, do: Callable[[], None]) -> T:
        """Run `do` as this task in a thread. Raises AssistantError while the task of `key` is running."""
        with self._lock:
            before = self._tasks.get(key)
            if before is not None and before.running:
                raise AssistantError(self._busy)
            self._tasks.pop(key, None)
            self._evict()
            self._tasks[key] = task
        start_thread(f"background-{key}", task.run, do)
        return task

    def get(self, key: Hashable) -> T | None:
        """The newest task of `key`, running or finished; None where there is none or it was evicted."""
        return self._tasks.get(key)

    def running(self) -> list[T]:
        """All running tasks, under any key."""
        with self._lock:
            return [task for task in self._tasks.values() if task.running]

    def remove(self, key: Hashable) -> None:
        """Remove the task of `key`, if it is finished."""
        with self._lock:
            task = self._tasks.get(key)
            if task is not None and not task.running:
                del self._tasks[key]

    def _evict(self) -> None:
        finished = [key for key, task in self._tasks.items() if not task.running]
        for key in finished[: max(0, len(finished) - MAX_FINISHED)]:
            del self._tasks[key]
