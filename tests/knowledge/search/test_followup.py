"""Follow-up questions, and the earlier questions they refer to."""

import pytest

from knowledge.search.followup import is_follow_up, referenced_questions


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
