"""Evaluations in the background: progress, the time left, one at a time."""

import threading
from pathlib import Path

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions
from assistant.compare.evaluations import Evaluations
from assistant.compare.running import EvaluationRuns, EvaluationTask
from assistant.errors import AssistantError
from tests.assistant.compare.samples import VARIANTS, KnowingEngine, numbered, plan_of

TIMEOUT_SECONDS = 30


def test_an_evaluation_runs_to_its_result(tmp_path: Path) -> None:
    store, engine, runs = Evaluations(tmp_path), KnowingEngine(), EvaluationRuns()
    plan = store.create("x", VARIANTS, numbered(3), AnswerOptions())
    task = runs.start(plan, store, Chat(lambda: engine), engine, costs=False)
    assert task.wait(TIMEOUT_SECONDS) and task.is_complete and not task.error
    assert (task.done, task.total, task.variant) == (6, 6, "halden")
    assert store.get(plan.id).done == 6 and store.result(plan.id).variants["halden"].accuracy == 1.0


def test_only_one_evaluation_runs_at_a_time(tmp_path: Path) -> None:
    store, engine, runs = Evaluations(tmp_path), KnowingEngine(), EvaluationRuns()
    plan = store.create("x", VARIANTS, numbered(1), AnswerOptions())
    go_on = threading.Event()

    def before_piece(number: int) -> None:
        go_on.wait(TIMEOUT_SECONDS)

    engine.before_piece = before_piece
    first = runs.start(plan, store, Chat(lambda: engine), engine, costs=False)
    with pytest.raises(AssistantError, match="still running"):
        runs.start(plan, store, Chat(lambda: engine), engine)
    go_on.set()
    assert first.wait(TIMEOUT_SECONDS) and runs.newest is first


def test_the_time_left_ignores_what_came_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.compare.running.time.monotonic", lambda: 120.0)
    plan = plan_of(numbered(50))
    task = EvaluationTask(plan, plan.total, done=60, cached=40, began=100.0)
    assert task.seconds_left == 40  # a second an answer, and forty are left
    assert EvaluationTask(plan, plan.total, done=40, cached=40, began=100.0).seconds_left is None
    assert EvaluationTask(plan, plan.total, done=60, began=100.0, phase="judging").seconds_left is None
