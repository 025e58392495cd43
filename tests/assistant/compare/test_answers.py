"""Scores of one answer: right or wrong, a refusal, supported by its passages."""

import pytest

from assistant.compare.answers import score
from assistant.compare.questions import Question
from assistant.history.sources import Source

SHEET = (Source(number=1, text="The Skerrin weighs 640 grams. Its housing is basalt fibre.", source="s.pdf"),)
HEAVY = Question("How heavy?", ("640 grams",))


@pytest.mark.parametrize(
    "answer",
    [
        "I don't know.",
        "I do not know that, but it could be 3.",
        "I cannot find that in the documents.",
        "I'm sorry, but I can't provide that.",
        "The context does not mention a price.",
        "The serial number is not specified.",
        "There is no information about that.",
        "I found nothing about this in the documents.",
        "资料中没有提到这一点。",
        "我不知道。",
        "   ",
    ],
)
def test_an_answer_that_gives_none_is_a_refusal(answer: str) -> None:
    assert score(HEAVY, answer).refused


@pytest.mark.parametrize(
    "answer",
    [
        "It weighs 640 grams.",
        "It cannot be cleaned with water.",
        "You don't need a key.",
        "It weighs 640 grams. I do not know its price.",
        "No, it is teal.",
        "它重640克。",
        "Norvik",
    ],
)
def test_an_answer_is_no_refusal(answer: str) -> None:
    assert not score(HEAVY, answer).refused


def test_only_a_refusal_answers_an_unanswerable_question() -> None:
    unknown = Question("What is its serial number?", ())
    assert score(unknown, "I don't know.").correct
    assert not score(unknown, "It is 42.").correct
    known = score(HEAVY, "I don't know.")
    assert known.refused and not known.correct


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Skerrin weighs 640 grams.", True),
        ("The Skerrin weighs 900 grams.", False),
        ("I don't know.", None),
    ],
)
def test_support_is_judged_where_something_was_claimed(text: str, expected: bool | None) -> None:
    assert score(HEAVY, text, sources=SHEET).grounded is expected


def test_an_answer_without_passages_is_neither_supported_nor_not() -> None:
    assert score(HEAVY, "640 grams").grounded is None


def test_chinese_answers_are_counted_by_characters() -> None:
    answer = score(Question("多重？", ("640克",)), "它重640克。")
    assert answer.correct and 0 < answer.f1 < 1 and answer.exact_match == 0
    assert score(Question("多重？", ("640克",)), "640 克。").exact_match == 1
