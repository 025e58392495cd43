"""Where answers to one question differ."""

import pytest

from assistant.compare.differences import differences, differs_throughout


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


@pytest.mark.parametrize(
    ("text", "throughout"),
    [
        ("It is a legendary creature that lives in the far north and weighs twenty tonnes.", True),
        ("它是一种生活在遥远北方的传说生物，重达二十吨。", True),
        ("It weighs 640 grams, and not one more.", False),
        ("2 kg.", False),  # short enough to be read with its mark
    ],
)
def test_an_answer_that_differs_throughout_is_said_so_in_place_of_marks(text: str, throughout: bool) -> None:
    assert differs_throughout(differences([text, "It weighs 640 grams."])[0]) is throughout
