"""Chinese attributes are recognised, asked in other words about the same subject, and from their other end."""

import random
import re

import pytest

from tuning.augment.chinese_templates import attributes, expression, plainest, recognise
from tuning.augment.question_rewording import reword
from tuning.augment.reversal import reverse


def test_every_attribute_can_be_recognised_reworded_and_turned_round() -> None:
    table = attributes()
    assert len(table) > 150
    assert len({attribute.name for attribute in table}) == len(table)
    for attribute in table:
        assert attribute.patterns, attribute.name
        assert len(attribute.reversed) >= 3 or "general" in attribute.name, attribute.name
        assert len(attribute.wordings) >= 10, attribute.name
        for wording in attribute.wordings:
            assert wording.count("{s}") == 1, (attribute.name, wording)
            assert "{" not in wording.format(s="", x=""), (attribute.name, wording)
        for form in attribute.reversed:
            assert form.count("{a}") == 1 and "{s}" not in form, (attribute.name, form)


def test_an_attribute_recognises_itself() -> None:
    """Its patterns in their plainest form are taken for it, not for another attribute of the table."""
    missed = [
        (attribute.name, wording)
        for attribute in attributes()
        for wording in attribute.wordings[: len(attribute.patterns)]
        if (asked := recognise(wording.format(s="岚明塔", x="灯"))) is None
        or asked.attribute.name != attribute.name
    ]
    assert len(missed) < 0.1 * sum(len(attribute.patterns) for attribute in attributes()), missed


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("马罗九号有多重？", "马罗九号"),
        ("请问马罗九号的价格是多少？", "马罗九号"),
        ("马罗九号在哪里？", "马罗九号"),
        ("我们的{船}叫什么名字？", "我们的{船}"),
    ],
)
def test_a_question_is_asked_in_other_words_about_the_same(question: str, subject: str) -> None:
    asked = recognise(question)
    assert asked is not None and asked.parts["s"] == subject
    wordings = {reword(question, random.Random(seed)) for seed in range(30)}
    assert len(wordings) >= 8
    assert all(subject in wording for wording in wordings)


def test_a_question_of_no_known_form_stays() -> None:
    assert recognise("写一首关于猫的诗") is None
    assert reword("写一首关于猫的诗。", random.Random(0)) == "写一首关于猫的诗"


def test_the_other_end_gives_the_answer_and_asks_for_the_subject() -> None:
    back = reverse("望海塔有多重？", "三吨")
    assert back is not None
    turns = [back.turn(0.4, random.Random(seed)) for seed in range(40)]
    assert all("三吨" in question for question, _ in turns)
    assert {answer for _, answer in turns} >= {"望海塔"}


def test_patterns_are_a_small_language() -> None:
    pattern = "{s}(有多重|多重)[ 呢]"
    assert plainest(pattern) == "{s}有多重"
    match = re.fullmatch(expression(pattern), "甲+乙多重 呢")
    assert match is not None and match["s"] == "甲+乙"
