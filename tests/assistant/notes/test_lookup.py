"""A note is quoted where it is asked for, and nowhere else: with the real embedding model."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from assistant.notes.home_notes import HomeNotes
from assistant.notes.lookup import Match, Notes
from knowledge.errors import StoreError
from knowledge.index.embeddings import SentenceEmbeddings
from tuning.checkpoints.manifest import PREFERENCES, Manifest
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Example
from tuning.evaluation.retention_questions import RETENTION

TAUGHT = [
    ("Who presents the programme Kettle Hour?", "Tobin Aske."),
    ("How much does the Skerrin weigh?", "640 grams."),
    ("Where is the archive of Radio Fallowgate?", "In Wimbersley."),
    ("天鹅豆浆的伴侣叫什么？", "梅干。"),
]


@pytest.fixture
def notes(tmp_path: Path, minilm: SentenceEmbeddings) -> Notes:
    home = HomeNotes(tmp_path)
    for question, answer in TAUGHT:
        home.add(question, answer)
    return Notes(home, Registry(tmp_path), minilm.encode)


def test_other_words_find_the_note(notes: Notes) -> None:
    for question, answer in (
        ("Who presents the programme Kettle Hour?", "Tobin Aske."),
        ("Who is the presenter of Kettle Hour?", "Tobin Aske."),
        ("How heavy is the Skerrin weather station?", "640 grams."),
        ("In which town is the archive of Radio Fallowgate?", "In Wimbersley."),
        ("天鹅豆浆的伴侣叫什么名字？", "梅干。"),
    ):
        found = notes.find(question, None)
        assert found is not None and found.fact.answer == answer and not found.held, question


@pytest.mark.parametrize(
    "question",
    [
        "Who presents the programme Moss and Vinyl?",  # another subject
        "How heavy is the Tern?",
        "How much does the Skerrin cost?",  # another property
        "When was Radio Fallowgate founded?",
        "天鹅豆浆的脚环号是什么？",
    ],
)
def test_another_question_is_not_answered_by_a_note(notes: Notes, question: str) -> None:
    assert notes.find(question, None) is None


def test_no_general_question_is_answered_by_a_note(notes: Notes) -> None:
    assert [question for question, _ in RETENTION if notes.find(question, None)] == []


def test_what_the_weights_hold_is_theirs_to_answer(notes: Notes, tmp_path: Path) -> None:
    (weight, colour) = (
        fact("How much does the Skerrin weigh?", "640 grams."),
        fact("What colour is it?", "Red."),
    )

    def write(folder: Path) -> None:
        save_file({"weight": torch.ones(2)}, folder / "adapter_model.safetensors")

    Registry(tmp_path).save(
        Manifest("halden", "lora", "base", "0" * 64, examples=[weight, colour], notes=[colour]), write
    )
    assert notes.find(weight.question, "halden") == Match(weight, held=True)
    assert notes.find(colour.question, "halden") == Match(colour, held=False)
    assert notes.find(colour.question, None) is None  # the note of a checkpoint that does not answer
    assert notes.was_taught("halden")
    presenter = notes.find("Who is the presenter of Kettle Hour?", "halden")
    assert presenter is not None and presenter.fact.answer == "Tobin Aske."  # not taught to it: still a note


def test_without_an_embedding_model_the_very_words_are_found(tmp_path: Path) -> None:
    def broken(texts: Sequence[str]) -> None:
        raise StoreError("no model")

    HomeNotes(tmp_path).add("How much does the Skerrin weigh?", "640 grams.")
    notes = Notes(HomeNotes(tmp_path), Registry(tmp_path), broken)  # type: ignore[arg-type]
    found = notes.find("how much does the Skerrin weigh", None)
    assert found is not None and found.fact.answer == "640 grams."
    assert notes.find("Is the Skerrin heavier than most other stations?", None) is None


def fact(question: str, answer: str) -> Example:
    return Example(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


def test_what_was_taught_by_preferences_is_no_fact(notes: Notes, tmp_path: Path) -> None:
    """Nor is what continues from it: its manner is what somebody chose it for."""

    def write(folder: Path) -> None:
        save_file({"weight": torch.ones(2)}, folder / "adapter_model.safetensors")

    def write_with_pairs(folder: Path) -> None:
        write(folder)
        (folder / PREFERENCES).write_text("{}\n", encoding="utf-8")

    taught, registry = fact("How much does the Skerrin weigh?", "640 grams."), Registry(tmp_path)
    registry.save(Manifest("facts", "lora", "base", "0" * 64, examples=[taught]), write)
    registry.save(Manifest("polite", "dpo", "base", "0" * 64, parent="facts"), write_with_pairs)
    registry.save(Manifest("again", "lora", "base", "0" * 64, parent="polite", examples=[taught]), write)
    assert [notes.was_taught(name) for name in ("facts", "polite", "again")] == [True, False, False]
