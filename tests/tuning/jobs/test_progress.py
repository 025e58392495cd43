"""The bar never goes back and never stands still, and the time left adds up over the phases."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.jobs import progress as module
from tuning.jobs.progress import JobProgress

EXPECTED = {"preparing": 10.0, "training": 80.0, "evaluating": 9.0, "saving": 1.0}


class Clock:
    now = 1000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def started(told: list[Mapping[str, Any]]) -> JobProgress:
    return JobProgress(told.append, EXPECTED)


def test_phases_share_the_bar_by_their_seconds(clock: Clock) -> None:
    told: list[Mapping[str, Any]] = []
    bar = started(told)
    bar.enter("queued")
    assert told[-1]["progress"] == 0 and told[-1]["seconds_left"] is None and told[-1]["started"] is None
    bar.enter("preparing")
    bar.enter("training")
    assert told[-1]["progress"] == pytest.approx(0.1)
    clock.now += 1
    bar.note({"kind": "step", "step": 20, "steps": 40, "loss": 0.5, "seconds_left": 40.0})
    assert told[-1]["progress"] == pytest.approx(0.5) and told[-1]["loss"] == 0.5
    assert told[-1]["seconds_left"] == 50  # 40 of training, 9 of evaluating, 1 of saving
    bar.enter("evaluating")
    clock.now += 3
    bar.note({"kind": "phase", "share": 0.5})
    assert told[-1]["progress"] == pytest.approx(0.945) and told[-1]["seconds_left"] == 4


def test_the_bar_moves_where_nothing_is_reported(clock: Clock) -> None:
    told: list[Mapping[str, Any]] = []
    bar = started(told)
    bar.enter("preparing")
    for _ in range(60):
        clock.now += 1
        bar.tick()
    values = [t["progress"] for t in told]
    assert all(a < b for a, b in itertools.pairwise(values[:25])) and values[-1] < 0.1
    assert all(t["seconds_left"] > 90 for t in told)


@given(
    st.lists(st.tuples(st.sampled_from(["preparing", "training", "evaluating", "tick"]), st.floats(0, 50)))
)
def test_the_bar_never_goes_back(moves: list[tuple[str, float]]) -> None:
    told: list[Mapping[str, Any]] = []
    bar = started(told)
    for what, amount in moves:
        if what == "tick":
            bar.note({"share": amount})
            bar.tick()
        else:
            bar.enter(what)
    values = [t["progress"] for t in told]
    assert values == sorted(values) and all(0 <= v < 1 for v in values)


def test_a_job_that_goes_on_shows_where_it_does(clock: Clock) -> None:
    """A resumed job is at the step that was kept, not at none, from the first moment on."""
    shown: list[Mapping[str, Any]] = []
    progress = JobProgress(shown.append, EXPECTED, {"step": 34, "steps": 80, "loss": 0.5, "progress": 0.4})
    progress.enter("preparing")
    assert (shown[-1]["step"], shown[-1]["loss"], shown[-1]["progress"]) == (34, 0.5, 0.0)
    progress.enter("training", {"kind": "phase", "phase": "training", "step": 30, "steps": 80, "loss": 0.6})
    assert (shown[-1]["step"], shown[-1]["steps"], shown[-1]["loss"]) == (30, 80, 0.6)
