"""Support: an answer counts where the text holds it and the question is about what the text is about."""

import pytest

from assistant.language.extractive import is_grounded, is_supported

TEXT = "Probation lasts 5 months. The office dog is called Pretzel."
CHINESE = "托尔瓦风速仪重128克，在青杉镇组装。"


@pytest.mark.parametrize(
    ("question", "answer", "supported"),
    [
        ("How long does probation last?", "5 months", True),
        ("How long does probation last?", "6 months", False),
        ("How long does probation last?", "", False),
        ("What colour is the whale of the harbour?", "5 months", False),
        ("What is called Pretzel?", "Pretzel", False),
    ],
)
def test_a_pair_needs_its_answer_and_its_subject_in_the_text(
    question: str, answer: str, supported: bool
) -> None:
    assert is_supported(question, answer, TEXT) is supported


def test_a_title_counts_for_the_question_alone() -> None:
    question = "How long does probation at Halden last under contract?"
    assert not is_supported(question, "5 months", TEXT)
    assert is_supported(question, "5 months", TEXT, "Halden: contract")
    assert not is_supported("What is the dog called?", "Halden", TEXT, "Halden")


@pytest.mark.parametrize(
    ("answer", "passage", "grounded"),
    [
        ("It lasts 5 months.", TEXT, True),
        ("It lasts 15 months.", TEXT, False),
        ("The office dog is called Pretzel.", TEXT, True),
        ("The harbour whale is called Moby.", TEXT, False),
        ("托尔瓦重128克。", CHINESE, True),
        ("托尔瓦重130克。", CHINESE, False),
    ],
)
def test_an_answer_is_grounded_by_its_numbers_and_its_longer_words(
    answer: str, passage: str, grounded: bool
) -> None:
    assert is_grounded(answer, [passage]) is grounded
