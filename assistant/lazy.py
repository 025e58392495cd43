"""Parts of the process that are imported and opened once, when first needed, whatever thread comes first."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from tuning.process import without_garbage_collection

T = TypeVar("T")


class ImportLock:
    """A lock for one thread at a time, which may take it again; inside, no garbage is collected.

    What is imported stays, and looking through it for what does not takes a sixth of the time of heavy imports.
    """

    def __init__(self) -> None:
        self._lock, self._depth = threading.RLock(), 0
        self._pause = contextlib.ExitStack()

    def __enter__(self) -> None:
        self._lock.acquire()
        self._depth += 1
        if self._depth == 1:
            self._pause.enter_context(without_garbage_collection())

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._pause.close()
        self._lock.release()

    def is_free(self) -> bool:
        """Whether this thread could take the lock now."""
        free = self._lock.acquire(blocking=False)
        if free:
            self._lock.release()
        return free


# Held while torch, transformers and what imports them are imported: the lazy modules of transformers break
# when two threads import them at once.
IMPORT_LOCK = ImportLock()


class LockedCachedProperty(Generic[T]):
    """`functools.cached_property` with a lock per instance: without one, as from Python 3.12 on, two threads
    that come at once would each compute a value, and a second model would be opened."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> "LockedCachedProperty[T]": ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> "LockedCachedProperty[T] | T":
        """The value; it is kept in the instance's dictionary, where later look-ups find it without this method."""
        if instance is None:
            return self
        with self._lock(instance):
            values = vars(instance)
            if self._name not in values:
                values[self._name] = self._compute(instance)
            value: T = values[self._name]
            return value

    def clear(self, instance: object) -> None:
        """Drop the value: the next look-up computes it anew."""
        with self._lock(instance):
            vars(instance).pop(self._name, None)

    def _lock(self, instance: object) -> threading.RLock:
        lock: threading.RLock = vars(instance).setdefault(f"lock of {self._name}", threading.RLock())
        return lock
