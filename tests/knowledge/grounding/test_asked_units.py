"""An answer in other units of time than were asked for is no answer, where the passages count the asked ones."""

import pytest

from knowledge.grounding.asked_units import counts_otherwise
from knowledge.grounding.citations import cite

LEAVE = "Every employee has 27 days of paid leave a year. Leave is requested at least four weeks ahead."
LEAVE_ZH = "每位员工每年有 27 天带薪年假。休假须至少提前四周申请。"


@pytest.mark.parametrize(
    ("sentence", "question", "passage", "otherwise"),
    [
        ("four weeks.", "How many days of paid leave do I have?", LEAVE, True),
        ("You have 27 days of paid leave.", "How many days of paid leave do I have?", LEAVE, False),
        ("Every employee has 27.", "How many days of paid leave do I have?", LEAVE, False),
        ("Four weeks ahead.", "When must leave be requested?", LEAVE, False),
        ("It takes two weeks.", "How many days does it take?", "It takes two weeks.", False),
        ("四周。", "每年有多少天带薪年假？", LEAVE_ZH, True),
        ("27 天。", "每年有多少天带薪年假？", LEAVE_ZH, False),
    ],
)
def test_another_unit_is_told_where_the_asked_one_is_counted(
    sentence: str, question: str, passage: str, otherwise: bool
) -> None:
    assert counts_otherwise(sentence, question, [passage]) is otherwise


def test_weeks_are_not_cited_for_days() -> None:
    question = "How many days of paid leave do I have?"
    assert [one.supported for one in cite("four weeks.", [LEAVE], question=question)] == [False]
    assert [one.supported for one in cite("27 days of paid leave.", [LEAVE], question=question)] == [True]
