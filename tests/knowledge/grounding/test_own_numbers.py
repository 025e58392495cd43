"""Numbers that an answer names itself: taken out of its text, and preferred where they are right."""

import pytest

from knowledge.grounding.citations import cite
from knowledge.grounding.own_numbers import NumberedAnswer, without_numbers

PASSAGES = [
    "The Skerrin weighs 640 grams.",
    "The Skerrin is orange.",
    "The Skerrin weighs 640 grams and floats.",
]


@pytest.mark.parametrize(
    ("answer", "text", "named"),
    [
        ("It weighs 640 grams [1].", "It weighs 640 grams.", ((19, (1,)),)),
        (
            "It weighs 640 grams.[1] It floats. [3]",
            "It weighs 640 grams. It floats.",
            ((20, (1,)), (31, (3,))),
        ),
        (
            "[1] It weighs 640 grams.\n[3] It floats.",
            "It weighs 640 grams.\nIt floats.",
            ((1, (1,)), (22, (3,))),
        ),
        ("Both [1, 2] say so【3】。", "Both say so。", ((4, (1, 2)), (11, (3,)))),
        ("See item [12] of 2024 [a].", "See item [12] of 2024 [a].", ()),
    ],
)
def test_numbers_of_passages_leave_the_text(
    answer: str, text: str, named: tuple[tuple[int, tuple[int, ...]], ...]
) -> None:
    assert without_numbers(answer, 3) == NumberedAnswer(text, named)


def test_a_named_passage_is_taken_where_it_supports_and_only_there() -> None:
    read = without_numbers("The Skerrin weighs 640 grams [3]. The Skerrin is orange [1].", 3)
    assert [one.passage for one in cite(read, PASSAGES)] == [3, 2]
    read = without_numbers("[3] The Skerrin weighs 640 grams.\n[2] The Skerrin is orange.", 3)
    assert [one.passage for one in cite(read, PASSAGES)] == [3, 2]
    assert [
        one.passage for one in cite(without_numbers("The Skerrin weighs 640 grams. [1]", 3), PASSAGES)
    ] == [1]


def test_a_named_passage_does_not_support_what_it_does_not_say() -> None:
    (found,) = cite(without_numbers("The Skerrin weighs 700 grams [1].", 3), PASSAGES)
    assert not found.supported
