"""Follow-up questions: those that need the turn before are known, and rewritten where a rule can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.curation.followups import needs_context, stand_alone

NAMES = st.sampled_from(["Heron", "Skerrin", "Tolva", "Osprey", "Lady Ardent"])
FOLLOW_UPS = st.sampled_from(["How heavy is it?", "And what does it cost?", "Where is it made?"])


@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("And how heavy is it?", True),
        ("What about the Osprey?", True),
        ("它有多重？", True),
        ("那鹭呢？", True),
        ("How heavy is the Heron?", False),
        ("What is the Heron and how heavy is it?", False),
        ("What time is it?", False),
        ("托尔瓦有多重？", False),
    ],
)
def test_a_question_that_leans_on_the_turn_before_is_known(question: str, leans: bool) -> None:
    assert needs_context(question) is leans


@given(NAMES, FOLLOW_UPS)
def test_a_pronoun_is_resolved_to_the_only_name_of_the_question_before(name: str, question: str) -> None:
    rewritten = stand_alone(question, [(f"How far does the {name} fly?", "38 kilometres.")])
    assert rewritten is not None and name in rewritten
    assert not needs_context(rewritten)


def test_a_pronoun_that_may_mean_two_names_is_left_to_the_context() -> None:
    assert stand_alone("How heavy is it?", [("Is the Heron larger than the Osprey?", "Yes.")]) is None
