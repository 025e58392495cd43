"""The fair lock: first come, first served, and waiting can be given up."""

import threading

from assistant.engines.fair_lock import FairLock
from tests.fakes import PolledEvent


def test_turns_are_taken_in_the_order_of_arrival() -> None:
    turns, order = FairLock(), list[int]()

    def take(number: int, stop: PolledEvent) -> None:
        with turns.take(stop):
            order.append(number)

    threads = []
    with turns.take():
        for number in range(5):
            stop = PolledEvent()
            threads.append(threading.Thread(target=take, args=(number, stop)))
            threads[-1].start()
            assert stop.polled.wait(10) and turns.waiting == number + 1
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]


def test_waiting_can_be_given_up() -> None:
    turns, stop = FairLock(), PolledEvent()
    got: list[bool] = []

    def wait() -> None:
        with turns.take(stop) as my_turn:
            got.append(my_turn)

    with turns.take():
        thread = threading.Thread(target=wait)
        thread.start()
        assert stop.polled.wait(10) and turns.waiting == 1
        stop.set()
        thread.join(10)
        assert got == [False] and turns.waiting == 0
