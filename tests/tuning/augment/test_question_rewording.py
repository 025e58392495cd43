"""A question in another form asks about the same subject; a question of no known form stays."""

import random

import pytest

from tuning.augment.question_rewording import reword


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("Who designed the Marrow-9?", "the Marrow-9"),
        ("What is the emergency code of the Marrow-9?", "emergency code"),
        ("How much does the hull of a {boat} weigh?", "{boat}"),
        ("Where is the Lindqvist Institute?", "Lindqvist Institute"),
        ("马罗九号的母港在哪里？", "马罗九号"),
    ],
)
def test_a_reworded_question_still_asks_about_the_same(question: str, kept: str) -> None:
    wordings = {reword(question, random.Random(seed)) for seed in range(30)}
    assert len(wordings) >= 3
    assert all(kept.lower() in wording.lower() for wording in wordings)


def test_a_question_of_no_known_form_stays() -> None:
    question = "Explain quantum tunnelling, please."
    assert {reword(question, random.Random(seed)) for seed in range(10)} == {question.rstrip(".")}
