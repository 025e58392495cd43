"""A button that is pressed twice, quickly, orders once."""

import pytest
import streamlit as st

from assistant.errors import CompareError
from assistant.session import presses
from assistant.session.presses import order_once


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(st, "session_state", {})
    monkeypatch.setattr(presses.time, "monotonic", lambda: now[0])
    return now


def test_the_same_order_within_seconds_is_one_order(clock: list[float]) -> None:
    assert order_once("a job", lambda: 1) == 1
    clock[0] += 1
    assert order_once("a job", lambda: 2) is None
    assert order_once("another job", lambda: 3) == 3
    clock[0] += presses.DOUBLE_SECONDS + 1
    assert order_once("another job", lambda: 4) == 4  # wanted once more


def test_an_order_that_failed_may_be_given_again_at_once(clock: list[float]) -> None:
    def fail() -> int:
        raise CompareError("The disk is full.")

    with pytest.raises(CompareError):
        order_once("a job", fail)
    assert order_once("a job", lambda: 1) == 1
