"""A follow-up in words that stand alone: what the model writes is used only where it can be."""

from collections.abc import Iterator

import pytest

from assistant.chat.retrieval import Found, Retrieval
from assistant.chat.rewriting import rewritten
from assistant.chat.turn import AnswerOptions
from tests.assistant.chat.conftest import Shelf
from tests.fakes import ScriptedEngine

HISTORY = (
    {"role": "user", "content": "How heavy is the Skerrin?"},
    {"role": "assistant", "content": "The Skerrin weighs 640 grams."},
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("knowledge")
    (folder / "a.md").write_text("The Skerrin costs 1480 euros.", encoding="utf-8")
    with Shelf(folder) as opened:
        opened.add([folder / "a.md"])
        yield opened


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "And how much does it cost?",  # nothing is added
        "How heavy is the Skerrin?",  # the question before it
        "Is the Skerrin orange?",  # something else
        "How much does the Falcon of Acme cost in Berlin on Monday?",  # words that nobody said
        "How much does the Skerrin cost?\nIt costs 12 euros.",
        "I do not know what it is.",
        "Skerrin " * 80,
    ],
)
def test_what_cannot_be_used_is_not(reply: str) -> None:
    assert rewritten("And how much does it cost?", HISTORY, ScriptedEngine(reply)) == ""


def test_what_stands_alone_is_used_without_its_reasoning() -> None:
    engine = ScriptedEngine("<think>it is the Skerrin</think>How much does the Skerrin cost?")
    assert rewritten("And how much does it cost?", HISTORY, engine) == "How much does the Skerrin cost?"
    assert rewritten("And how much does it cost?", (), engine) == ""


def asked(shelf: Shelf, engine: ScriptedEngine, question: str) -> Found:
    shelf.asked = []
    retrieval = Retrieval(lambda name: shelf, lambda: engine, lambda: engine.capability)
    return retrieval.find(question, AnswerOptions("documents"), HISTORY)


def test_a_capable_model_is_asked_for_follow_ups_alone(shelf: Shelf) -> None:
    engine = ScriptedEngine("How much does the Skerrin cost?")
    engine.capability = "capable"
    found = asked(shelf, engine, "And how much does it cost?")
    assert found.searched == "How much does the Skerrin cost?" and "1480" in found.passages[0].text
    assert shelf.asked == [("How much does the Skerrin cost?", ())]
    engine.prompts.clear()
    assert asked(shelf, engine, "What does the Skerrin weather station cost in Norway?").searched == ""
    assert engine.prompts == []


def test_for_a_small_model_the_rules_read_the_history(shelf: Shelf) -> None:
    engine = ScriptedEngine("How much does the Skerrin cost?")
    found = asked(shelf, engine, "And how much does it cost?")
    assert found.searched == "" and "1480" in found.passages[0].text
    assert shelf.asked == [("And how much does it cost?", HISTORY)] and engine.prompts == []
