"""A small window forgets what fell out of it, and a checkpoint does not."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assistant.engines.local import LocalEngine
from assistant.errors import AssistantError
from assistant.insight.window_demo import EXAMPLE, DemoFact, SmallChat, SmallChatTask, taught_facts
from tests.fakes import ScriptedEngine
from tests.saved_checkpoints import save_prefix
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Message

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

TAUGHT = DemoFact("The Skerrin weighs 640 grams.", "How much does the Skerrin weigh?", "640 grams", "skerrin")


def reader(messages: list[Message]) -> str:
    """Knows the password while it stands in the prompt, and nothing else."""
    told = any("raven" in message["content"] for message in messages)
    asked = messages[-1]["content"] == EXAMPLE.question
    return "It is raven." if told and asked else "I do not know " + "word " * 12


def tour(engine: ScriptedEngine, window: int = 128, fact: DemoFact = EXAMPLE) -> SmallChatTask:
    talk = SmallChatTask(SmallChat(window, fact), engine)
    talk.run_tour()
    return talk


def test_the_tour_ends_when_the_fact_has_fallen_out() -> None:
    engine = ScriptedEngine(reader)
    chat = tour(engine).chat
    kinds = [turn.kind for turn in chat.turns]
    assert kinds[:2] == ["told", "asked"] and kinds[-1] == "again"
    assert set(kinds[2:-1]) == {"talk"}
    asked, again = chat.last("asked"), chat.last("again")
    assert asked and asked.right
    assert again and again.right is False
    assert "raven" not in str(engine.prompts[-1])
    assert {0, 1} <= chat.forgotten


@pytest.mark.parametrize("window", [128, 192, 384])
def test_what_is_sent_and_answered_never_exceeds_the_window(window: int) -> None:
    engine = ScriptedEngine(reader)
    talk = tour(engine, window)
    assert max(engine.count_tokens(prompt) for prompt in engine.prompts) + talk.chat.reserve <= window
    assert talk.chat.used <= window


def test_the_checkpoint_meets_the_same_window_without_the_wrong_answer() -> None:
    engine = ScriptedEngine(reader)
    chat = tour(engine, fact=DemoFact(EXAMPLE.statement, EXAMPLE.question, EXAMPLE.answer, "boats")).chat
    assert engine.checkpoints_asked[-1] == "boats" and set(engine.checkpoints_asked[:-1]) == {None}
    assert engine.prompts[-1] == engine.prompts[-2]
    assert chat.turns[-2].kind == "again" and chat.excluded == {len(chat.turns) - 2}


def test_a_tour_that_is_stopped_keeps_what_was_said() -> None:
    engine = ScriptedEngine(reader)
    talk = SmallChatTask(SmallChat(128, EXAMPLE), engine)
    engine.before_piece = lambda number: talk.stop() if len(engine.prompts) == 3 else None
    talk.run_tour()
    assert [turn.kind for turn in talk.chat.turns] == ["told", "asked", "talk"]


def test_ones_own_words_fill_the_window_too() -> None:
    talk = SmallChatTask(SmallChat(128, EXAMPLE), ScriptedEngine("Yes. " + "word " * 20))
    used = []
    for _ in range(8):
        talk.ask("Tell me more.")
        used.append(talk.chat.used)
    assert used[1] > used[0] and max(used) <= 128
    assert (
        talk.chat.forgotten == frozenset(range(max(talk.chat.forgotten) + 1)) and len(talk.chat.forgotten) > 3
    )


def test_what_cannot_be_said_is_refused() -> None:
    talk = SmallChatTask(SmallChat(128, EXAMPLE), ScriptedEngine())
    with pytest.raises(AssistantError, match="nothing to say yet"):
        talk.ask("  ")
    with pytest.raises(AssistantError, match="window of 128"):
        talk.ask("word " * 200)
    assert talk.chat.turns == []


def test_taught_facts_are_those_that_only_the_checkpoint_knows(
    base_model: "BaseModel", tmp_path: Path
) -> None:
    def row(question: str, before: bool, after: bool, phrasing: str = "training") -> dict[str, object]:
        return {
            "question": question,
            "answer": "640 grams",
            "phrasing": phrasing,
            "correct_before": before,
            "correct_after": after,
        }

    facts = [
        row("new", False, True),
        row("new", False, True, "rephrased"),
        row("old", True, True),
        row("missed", False, False),
    ]
    stored = save_prefix(base_model, Registry(tmp_path), "skerrin", evaluation={"facts": facts})
    assert taught_facts(stored) == [
        DemoFact("The answer to “new?” is: 640 grams.", "new", "640 grams", "skerrin")
    ]


@pytest.fixture
def engine(base_model: "BaseModel", tmp_path: Path) -> Iterator[LocalEngine]:
    registry = Registry(tmp_path)
    # With the question in it no rounding of another processor changes the answer.
    save_prefix(base_model, registry, "skerrin", f"{TAUGHT.statement} {TAUGHT.question} {TAUGHT.answer}.")
    yield LocalEngine(base_model, registry)
    base_model.unload("skerrin")


def test_the_real_model_forgets_and_its_checkpoint_does_not(engine: LocalEngine) -> None:
    talk = SmallChatTask(SmallChat(128, TAUGHT), engine)
    talk.run_tour()
    asked, again, weights = (talk.chat.last(kind) for kind in ("asked", "again", "checkpoint"))
    assert asked and asked.right
    assert again and again.right is False
    assert weights and weights.right
    assert talk.chat.used <= 128
