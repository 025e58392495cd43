"""Answers of a blind trial before they are asked for: which come next, and what happens when one fails."""

from pathlib import Path

import pytest

from assistant.arena.prefetch import QUESTIONS_AHEAD, PrefetchRuns, missing_answer
from assistant.arena.trials import BlindTrials
from assistant.chat.chat import Chat
from tests.assistant.compare.samples import VARIANTS, KnowingEngine, numbered

TIMEOUT_SECONDS = 30


@pytest.fixture
def store(tmp_path: Path) -> BlindTrials:
    return BlindTrials(tmp_path / "conversations.sqlite3")


def test_answers_are_there_before_the_first_voter_comes(store: BlindTrials) -> None:
    trial, engine, runs = store.create("trial", VARIANTS, numbered(5)), KnowingEngine(), PrefetchRuns()
    task = runs.start(store, trial, Chat(lambda: engine), engine)
    assert task is not None and task.wait(TIMEOUT_SECONDS) and not task.error
    for place in range(QUESTIONS_AHEAD):
        assert store.answers(trial.id, place) == {"base": "no", "halden": "yes"}
    assert store.answers(trial.id, QUESTIONS_AHEAD) == {}
    assert runs.start(store, trial, Chat(lambda: engine), engine) is None


def test_an_open_ballot_comes_before_the_next_questions(store: BlindTrials) -> None:
    trial = store.create("trial", VARIANTS, numbered(5))
    assert missing_answer(store, trial.id) == (0, "base")
    ballot = store.next_ballot(trial.id, "ann", at=3)
    assert ballot is not None
    assert missing_answer(store, trial.id) == (3, ballot.first_arm)
    store.keep_answer(trial.id, 3, ballot.first_arm, "x")
    assert missing_answer(store, trial.id) == (3, ballot.second_arm)
    store.keep_answer(trial.id, 3, ballot.second_arm, "y")
    assert missing_answer(store, trial.id) == (4, "base")


def test_a_failure_is_tried_again_only_when_it_is_asked_for(store: BlindTrials) -> None:
    trial, engine, runs = store.create("trial", VARIANTS, numbered(1)), KnowingEngine(), PrefetchRuns()
    broken = KnowingEngine(breaks_after=1)
    task = runs.start(store, trial, Chat(lambda: broken), broken)
    assert task is not None and task.wait(TIMEOUT_SECONDS) and "went down" in task.error
    assert runs.start(store, trial, Chat(lambda: engine), engine) is task
    runs.forget_failure(trial)
    again = runs.start(store, trial, Chat(lambda: engine), engine)
    assert again is not None and again.wait(TIMEOUT_SECONDS) and not again.error
    assert store.answers(trial.id, 0) == {"base": "no", "halden": "yes"}
