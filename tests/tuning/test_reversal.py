"""A fact from its other end: the subject is found, the answer stays whole, sentences are left alone."""

import random

import pytest

from tuning.reversal import reverse


@pytest.mark.parametrize(
    ("question", "answer", "subject", "relation"),
    [
        ("How heavy is the Kestrel?", "890 grams.", "The Kestrel", "weight"),
        ("Who leads the Oslo office?", "Ada Brenn", "The Oslo", "leads office"),
        ("What is the lock code of Hut Nine called?", "Amber", "Hut Nine", "lock code"),
        ("望海塔的颜色是什么？", "橙色", "望海塔", "颜色"),
    ],
)
def test_the_subject_and_what_is_said_of_it_are_found(
    question: str, answer: str, subject: str, relation: str
) -> None:
    found = reverse(question, answer)
    assert found is not None
    assert (found.subject, found.relation) == (subject, relation)
    for seed in range(20):
        asked, said = found.turn(0.4, random.Random(seed))
        assert answer.rstrip(".") in asked
        assert said.casefold() in (subject.casefold(), relation.casefold())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("how are you?", "Fine."),
        (
            "What does the Kestrel do?",
            "It flies over the fields every morning and counts the deer it can see.",
        ),
        ("What is the Kestrel called?", "The Kestrel"),
    ],
)
def test_what_names_no_subject_or_answers_with_a_sentence_is_not_turned_round(
    question: str, answer: str
) -> None:
    assert reverse(question, answer) is None
