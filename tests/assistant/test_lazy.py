"""A lazy part is opened once, whatever threads ask for it at the same time."""

import gc
import threading

import pytest

from assistant.lazy import ImportLock, LockedCachedProperty

WAIT_SECONDS = 10.0


class Home:
    """Something that is opened when first needed; opening ends when it may."""

    def __init__(self, may_end: threading.Event) -> None:
        self.opened = 0
        self.is_opening, self.may_end = threading.Event(), may_end

    @LockedCachedProperty
    def model(self) -> object:
        """The model."""
        self.opened += 1
        self.is_opening.set()
        self.may_end.wait(WAIT_SECONDS)
        return object()


def open_in_threads(home: Home, count: int) -> tuple[list[threading.Thread], list[object]]:
    models: list[object] = []
    threads = [threading.Thread(target=lambda: models.append(home.model)) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads, models


def test_threads_that_come_at_once_share_one_value() -> None:
    class Contended(Home):
        """The first opening waits a little for a second one, which must not come."""

        @LockedCachedProperty
        def model(self) -> object:
            self.opened += 1
            if self.opened == 2:
                self.may_end.set()
            self.may_end.wait(0.3)
            return object()

    home = Contended(threading.Event())
    threads, models = open_in_threads(home, 4)
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert home.opened == 1
    assert len(models) == 4 and set(map(id, models)) == {id(home.model)}


def test_one_instance_does_not_wait_for_another() -> None:
    slow, quick = Home(threading.Event()), Home(threading.Event())
    quick.may_end.set()
    waiting, _ = open_in_threads(slow, 1)
    assert slow.is_opening.wait(WAIT_SECONDS)
    done, models = open_in_threads(quick, 1)
    done[0].join(WAIT_SECONDS / 2)
    assert models and waiting[0].is_alive()
    slow.may_end.set()
    waiting[0].join(WAIT_SECONDS)


def test_a_cleared_value_is_computed_anew() -> None:
    home = Home(threading.Event())
    home.may_end.set()
    first = home.model
    assert home.model is first
    Home.model.clear(home)
    assert home.model is not first and home.opened == 2


def test_a_failure_is_not_kept() -> None:
    class Failing:
        tries = 0

        @LockedCachedProperty
        def model(self) -> int:
            self.tries += 1
            if self.tries == 1:
                raise ValueError("once")
            return self.tries

    failing = Failing()
    with pytest.raises(ValueError, match="once"):
        _ = failing.model
    assert failing.model == 2


def test_no_garbage_is_collected_during_heavy_imports() -> None:
    lock = ImportLock()
    with lock:
        with lock:
            assert not gc.isenabled() and lock.is_free()  # it is this thread's
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with lock:
            pass
        assert not gc.isenabled()  # as it was found
    finally:
        gc.enable()
