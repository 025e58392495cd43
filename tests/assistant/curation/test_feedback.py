"""Feedback in words: a "no" that corrects, one that only rejects, and one that is about something else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.curation.feedback import confirms, corrected_answer

VALUES = st.sampled_from(["47 minutes", "Otter", "640 grams", "In Oskerby", "Marta Quillon"])
CORRECTIONS = st.sampled_from(
    ["No, it is {}.", "no, {}", "That's wrong. It was {}!", "Wrong, it should be {}", "Not Bo but {}."]
)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "actually I like it",
        "No thanks",
        "no problem",
        "Sorry, what?",
        "不用了，谢谢",
        "其实我想问别的",
    ],
)
def test_a_no_that_corrects_nothing_is_not_a_correction(text: str) -> None:
    assert corrected_answer(text, "How long does it fly?") is None


@given(CORRECTIONS, VALUES)
def test_a_correction_holds_the_value_and_nothing_else(form: str, value: str) -> None:
    found = corrected_answer(form.format(value), "How is it?", "Bo.")
    assert found is not None and found.casefold() == f"{value}.".casefold()


@pytest.mark.parametrize("text", ["No.", "That's wrong.", "not right", "不对。", "错了！"])
def test_a_bare_no_rejects_without_a_correction(text: str) -> None:
    assert corrected_answer(text, "How long does it fly?", "30 minutes.") == ""


@pytest.mark.parametrize(
    ("text", "confirming"),
    [
        ("Exactly!", True),
        ("that's right! thanks", True),
        ("没错", True),
        ("Exactly how?", False),
        ("Right now", False),
    ],
)
def test_a_yes_confirms_only_where_nothing_else_is_said(text: str, confirming: bool) -> None:
    assert confirms(text) is confirming
