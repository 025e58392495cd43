"""Where answers to one question differ."""

import pytest

from assistant.compare.differences import differences


def test_what_one_answer_alone_says_is_marked() -> None:
    first, second = differences(["It weighs 640 grams.", "It weighs about 2 kg."])
    assert first == [("It weighs", False), (" 640 grams.", True)]
    assert second == [("It weighs", False), (" about 2 kg.", True)]


def test_what_any_other_answer_says_too_is_not_marked() -> None:
    texts = ["It is teal.", "It is teal.", "It is brown."]
    assert [any(own for _, own in pieces) for pieces in differences(texts)] == [False, False, True]


@pytest.mark.parametrize(
    "texts", [["它重640克。", "它重2公斤"], ["a  b\n\nc ", "a c"], ["", "x"], ["alone"], ["", ""]]
)
def test_the_pieces_are_the_text(texts: list[str]) -> None:
    assert ["".join(text for text, _ in pieces) for pieces in differences(texts)] == texts


def test_one_answer_alone_has_no_differences() -> None:
    assert differences(["It is teal.", ""])[0] == [("It is teal.", False)]
