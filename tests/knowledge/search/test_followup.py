"""Follow-up questions, and the earlier questions they refer to."""

import pytest

from knowledge.search.followup import is_about_earlier, is_follow_up, referenced_questions


@pytest.mark.parametrize(
    "question", ["and how heavy is it?", "What about the colour?", "它有多重？", "那颜色呢？", "Why?"]
)
def test_a_question_that_points_back_is_known(question: str) -> None:
    assert is_follow_up(question)


@pytest.mark.parametrize(
    "question", ["Who designed the Zephyr kettle?", "图书馆的馆长是谁？", "What does the ferry cost?"]
)
def test_a_question_that_stands_alone_is_known(question: str) -> None:
    assert not is_follow_up(question)


def test_the_conversation_is_followed_back_to_a_question_that_stands_alone() -> None:
    said = ["Where is Orrin?", "Who designed the Zephyr kettle?", "And when?"]
    history = [{"role": "user", "content": text} for text in said]
    assert referenced_questions("And how heavy is it?", history) == [
        "And when?",
        "Who designed the Zephyr kettle?",
    ]
    assert referenced_questions("What does the ferry cost?", history) == []


def test_an_unrelated_question_is_not_about_what_was_said() -> None:
    said = [
        {"role": "user", "content": "How many days of paid leave do I have?"},
        {"role": "assistant", "content": "You have 27 days of paid leave a year."},
    ]
    assert not is_about_earlier("What does a parking permit cost?", said)
    assert is_about_earlier("May paid leave be carried over?", said)
    assert is_about_earlier("And on Saturday?", said)
    assert not is_about_earlier("How many days of paid leave do I have?", ())
