"""What a person asked to be remembered."""

from pathlib import Path

import pytest

from assistant.errors import NoteError
from assistant.notes.home_notes import HomeNotes


def test_a_note_stays_until_it_is_deleted(tmp_path: Path) -> None:
    note = HomeNotes(tmp_path).add("How heavy is the Skerrin?", " 640 grams. ")
    assert [(one.question, one.answer) for one in HomeNotes(tmp_path).list()] == [
        ("How heavy is the Skerrin?", "640 grams.")
    ]
    assert HomeNotes(tmp_path).remove(note.key[:8]) == note
    assert HomeNotes(tmp_path).list() == []


def test_a_later_answer_to_the_same_question_replaces_the_earlier(tmp_path: Path) -> None:
    notes = HomeNotes(tmp_path)
    notes.add("What does it cost?", "480 euros.")
    notes.add("what does it cost", "520 euros.")
    assert [note.answer for note in notes.list()] == ["520 euros."]


@pytest.mark.parametrize(("question", "answer"), [("", "Yes."), ("Is it?", " ")])
def test_half_a_note_is_refused(tmp_path: Path, question: str, answer: str) -> None:
    with pytest.raises(NoteError, match="needs a question and its answer"):
        HomeNotes(tmp_path).add(question, answer)
    assert not (tmp_path / "notes.jsonl").exists()


def test_a_note_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoteError, match=r"No notes begin with 'abc'\. There are: none"):
        HomeNotes(tmp_path).remove("abc")
