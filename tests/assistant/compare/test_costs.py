"""What an answer costs, and when training has paid for itself."""

import threading
from collections.abc import Sequence

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions
from assistant.compare.costs import Cost, break_even, measure
from assistant.compare.questions import spread
from assistant.compare.variants import Variant
from assistant.errors import CompareError
from tests.assistant.compare.samples import VARIANTS, FakeCheckpoint, KnowingEngine, numbered

MEMORIES = [Variant("rag", documents=True), Variant("halden", checkpoint="halden")]


def costs_of(*values: tuple[str, float, float]) -> list[Cost]:
    return [Cost(name, tokens, 5, seconds, 0.1, 6) for name, tokens, seconds in values]


def test_training_is_paid_back_after_so_many_questions() -> None:
    costs = costs_of(("rag", 300, 2.0), ("halden", 40, 0.5))
    (even,) = break_even(costs, MEMORIES, [FakeCheckpoint("halden", seconds=300.0)])
    assert (even.questions, even.tokens_saved, even.seconds_saved) == (200, 260, 1.5)
    assert (even.with_documents, even.without, even.checkpoint) == ("rag", "halden", "halden")


def test_training_that_saves_no_time_is_never_paid_back() -> None:
    costs = costs_of(("rag", 300, 0.3), ("halden", 40, 0.5))
    (even,) = break_even(costs, MEMORIES, [FakeCheckpoint("halden", seconds=300.0)])
    assert even.questions is None


@pytest.mark.parametrize(
    "stored",
    [[], [FakeCheckpoint("halden")], [FakeCheckpoint("other", seconds=3.0)]],
    ids=["no checkpoint", "no seconds", "another checkpoint"],
)
def test_without_the_seconds_of_training_nothing_is_said(stored: Sequence[FakeCheckpoint]) -> None:
    assert break_even(costs_of(("rag", 300, 2.0), ("halden", 40, 0.5)), MEMORIES, stored) == []


def test_a_stopped_timing_leaves_the_evaluation_open() -> None:
    stop, engine = threading.Event(), KnowingEngine()
    stop.set()
    with pytest.raises(CompareError, match="timing of single answers was stopped"):
        measure(Chat(lambda: engine), numbered(20), VARIANTS, AnswerOptions(), stop=stop)
    assert engine.prompts == []


def test_some_of_a_set_are_taken_from_all_of_it() -> None:
    kinds = [*numbered(30, slice="a"), *numbered(10, slice="b")]
    assert [one.slice for one in spread(kinds, 8)].count("b") == 2
    assert spread(kinds, 40) == spread(kinds, 50) == kinds


def test_each_question_is_timed_alone_and_the_first_only_warms_up() -> None:
    engine = KnowingEngine()
    costs = measure(Chat(lambda: engine), numbered(20), VARIANTS, AnswerOptions(), count=4)
    assert [(one.variant, one.n) for one in costs] == [("base", 4), ("halden", 4)]
    assert len(engine.prompts) == 2 * 5
