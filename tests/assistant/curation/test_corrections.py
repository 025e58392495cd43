"""A stated fact that is put right in words: the new answer under the question that the first one had."""

import pytest

from assistant.curation.corrections import named, restated

TUNE_UP = [("How much does a tune-up cost?", "45 euros.")]


@pytest.mark.parametrize(
    "said",
    [
        "Sorry, the tune-up costs 49 euros, not 45.",
        "Correction: a tune-up costs 49 euros.",
        "No, a tune-up costs 49 euros now.",
        "I was wrong, it is 49 euros.",
        "My mistake, our tune-up costs 49 euros",
    ],
)
def test_the_new_answer_stands_under_the_old_question(said: str) -> None:
    assert restated(said, TUNE_UP) == [("How much does a tune-up cost?", "49 euros.")]


def test_who_and_what_and_whose_ask_the_same() -> None:
    stated = [("Who is the mechanic?", "Jonas Feld."), *TUNE_UP]
    assert restated("Actually our mechanic is Petra Holm.", stated) == [
        ("Who is the mechanic?", "Petra Holm.")
    ]


def test_what_is_called_wrong_names_the_fact() -> None:
    stated = [("When do we open?", "At 9."), *TUNE_UP]
    assert restated("We open at 10 every day, not at 9.", stated) == [("When do we open?", "At 10.")]


def test_a_chinese_correction_counts_as_well() -> None:
    stated = [("保养费用是多少？", "45欧元")]
    assert restated("更正：保养费用是49欧元。", stated) == [("保养费用是多少？", "49欧元")]


@pytest.mark.parametrize("said", ["A wheel costs 80 euros.", "Thanks!", "no", "Sorry, I have to go."])
def test_what_corrects_nothing_is_no_correction(said: str) -> None:
    assert restated(said, TUNE_UP) == []


def test_nothing_was_stated_before() -> None:
    assert restated("Sorry, the tune-up costs 49 euros.", []) == []


def test_after_other_questions_only_what_the_message_names_is_put_right() -> None:
    assert named("Sorry, a tune-up costs 49 euros, not 45.", TUNE_UP) == [
        ("How much does a tune-up cost?", "49 euros.")
    ]
    assert named("Sorry, it is 49 euros.", TUNE_UP) == []
    assert named("Sorry, a wheel costs 80 euros.", TUNE_UP) == []
