"""One question to several variants: the answers of each, and the votes on them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from assistant.chat.chat import Chat
from assistant.chat.live import LiveAnswers
from assistant.chat.turn import AnswerOptions
from assistant.compare.side_by_side import MAX_RUNS_KEPT, SideBySide, SideBySideRuns
from assistant.compare.variants import Variant
from assistant.errors import CompareError
from assistant.history.preferences import PreferenceStore
from tests.assistant.compare.samples import VARIANTS, KnowingEngine

TIMEOUT_SECONDS = 30


def ask(
    runs: SideBySideRuns,
    question: str = "How heavy?",
    variants: Sequence[Variant] = VARIANTS,
    passage: str = "",
) -> SideBySide:
    engine = KnowingEngine()
    run = runs.ask(Chat(lambda: engine), question, variants, AnswerOptions(), passage=passage)
    for answer in run.answers:
        answer.wait(TIMEOUT_SECONDS)
    return run


def test_each_variant_answers() -> None:
    runs = SideBySideRuns(LiveAnswers())
    run = ask(runs)
    assert not run.running
    assert [answer.text for answer in run.answers] == ["2 kg", "640 grams"]
    assert runs.get(run.id) is run and runs.get("another") is None


def test_the_best_answer_is_preferred_to_each_other_that_says_something_else(tmp_path: Path) -> None:
    store = PreferenceStore(tmp_path / "conversations.sqlite3")
    same = Variant("same", checkpoint="again")
    ask(SideBySideRuns(LiveAnswers()), variants=(*VARIANTS, same)).vote(store, best=1)
    (kept,) = store.list()
    assert (kept.chosen, kept.rejected) == ("640 grams", "2 kg")
    assert (kept.chosen_arm, kept.rejected_arm) == ("halden", "base")


def test_the_oldest_runs_are_dropped() -> None:
    runs = SideBySideRuns(LiveAnswers())
    first = ask(runs)
    for _ in range(MAX_RUNS_KEPT):
        last = ask(runs)
    assert runs.get(first.id) is None and runs.get(last.id) is last


@pytest.mark.parametrize(
    ("question", "variants", "sentence"),
    [
        (" ", VARIANTS, "question is empty"),
        ("How heavy?", VARIANTS[:1], "2 to 4 variants to compare; 1 chosen"),
        ("How heavy?", [Variant("base"), Variant("base+given", given=True)], "Paste the passage"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    question: str, variants: Sequence[Variant], sentence: str
) -> None:
    with pytest.raises(CompareError, match=sentence):
        ask(SideBySideRuns(LiveAnswers()), question, variants)
