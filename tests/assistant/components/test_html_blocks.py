"""Small pieces of HTML: everything is escaped, and the words of a question are marked."""

import pytest

from assistant.components import html_blocks
from knowledge.grounding.citations import Citation


def test_marks_are_escaped() -> None:
    assert "<script>" not in html_blocks.badge("<script>alert(1)</script>")
    assert "<b>" not in html_blocks.passage("<b>bold</b>", "x")


@pytest.mark.parametrize(
    ("text", "question", "marked"),
    [
        ("The battery lasts 95 days.", "How long does the battery last?", ["battery", "lasts"]),
        ("电池可以使用九天。", "电池能用多久？", ["电池"]),
        ("Nothing here.", "the and of", []),
    ],
)
def test_words_of_the_question_are_marked(text: str, question: str, marked: list[str]) -> None:
    found = [part.split("</mark>")[0] for part in html_blocks.highlighted(text, question).split("<mark>")[1:]]
    assert found == marked


def test_an_answer_that_is_a_number_with_a_full_stop_is_no_list() -> None:
    assert html_blocks.prose("1974.") == "1974\\."
    assert html_blocks.prose("1. 2. 3. 4.").startswith("1\\. 2.")  # no lists within lists
    assert html_blocks.prose("1. One\n2. Two") == "1. One\n2. Two"
    whole = Citation(0, 5, "1974.", 1, (0, 5), 1.0)
    assert html_blocks.cited("1974.", [whole], 3) == "1974\\. [:green-badge[1]](#cite-3-0)"
    assert html_blocks.prose("1. one\n2. two") == "1. one\n2. two"
