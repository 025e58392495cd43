"""Lessons asked from their other end: what is answered, and what only seems to ask so."""

from pathlib import Path

import numpy as np
import pytest

from assistant.notes.asked_back import asked_back
from assistant.notes.asked_for import asked_for_by_words
from assistant.notes.home_notes import HomeNotes
from assistant.notes.lookup import Notes
from tuning.checkpoints.registry import Registry
from tuning.data.examples import Example


def lesson(question: str, answer: str) -> Example:
    return Example(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


LESSONS = [
    lesson("Who is the harbour master of Port Ellory?", "Nora Quist."),
    lesson("At what time does the ferry Gannet leave?", "6:45"),
    lesson("What colour is the hull of the ferry Gannet?", "signal orange"),
    lesson("How many berths does the marina Lower Sound have?", "48 berths"),
    lesson("Who repairs the ferry Gannet?", "Bram Oyelaran"),
    lesson("Who repairs the ferry Petrel?", "Bram Oyelaran"),
    lesson("How many crew members does the ferry Petrel need?", "two"),
    lesson("登云岭缆车的票价是多少？", "88元"),
    lesson("云岭茶社的掌柜是谁？", "阮松年"),
]


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Which port has Nora Quist as its harbour master?", "Port Ellory"),
        ("Which ferry leaves at 6:45?", "Gannet"),
        ("what ferry has a hull in signal orange", "Gannet"),
        ("Which marina has 48 berths?", "Lower Sound"),
        ("Which job does Nora Quist have?", "harbour master"),
        ("哪条缆车的票价是88元？", "云岭缆车"),
        ("阮松年是哪家茶社的掌柜？", "云岭茶社"),
        ("阮松年在云岭茶社做什么工作？", "掌柜"),
    ],
)
def test_a_question_that_says_the_answer_asks_for_what_it_is_the_answer_to(
    question: str, wanted: str
) -> None:
    found = asked_back(question, LESSONS)
    assert found is not None and wanted in found[1].answer
    assert found[0] in LESSONS and found[1].question == f"{found[0].question} – {found[0].answer}"


@pytest.mark.parametrize(
    "question",
    [
        "How old is Nora Quist?",  # another kind of answer
        "When did Nora Quist become harbour master?",
        "What is the phone number of Nora Quist?",  # nothing else of the lesson
        "What did Nora Quist pay for her house in Port Ellory?",  # both ends, and more than what one is to the other
        "Nora Quist is the harbour master.",  # no question
        "Which ferry does Bram Oyelaran repair?",  # either of two
        "Which ferry has two masts?",  # a word that is in questions about anything
        "Which ferry leaves at 9:30?",
        "阮松年今年多大？",
        "88元能买几张票？",
    ],
)
def test_other_questions_that_say_an_answer_get_none(question: str) -> None:
    assert asked_back(question, LESSONS) is None


def test_a_note_answers_from_its_other_end_and_its_source_says_why(tmp_path: Path) -> None:
    home = HomeNotes(tmp_path)
    home.add("Who is the harbour master of Port Ellory?", "Nora Quist")
    notes = Notes(home, Registry(tmp_path), lambda texts: np.zeros((len(texts), 1)))
    found = notes.find("Which port has Nora Quist as its harbour master?", None)
    assert found is not None and not found.held
    assert found.fact.answer == "Port Ellory"
    assert found.fact.question == "Who is the harbour master of Port Ellory? – Nora Quist"


def test_without_vectors_the_very_words_are_found_and_far_ones_are_not() -> None:
    found = asked_for_by_words("at what time does the ferry gannet leave", LESSONS)
    assert found is not None and found.lesson == found.quoted == LESSONS[1]
    assert asked_for_by_words("When must I be on the quay for the Gannet?", LESSONS) is None
