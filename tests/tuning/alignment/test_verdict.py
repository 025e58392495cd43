"""A checkpoint that learned preferences passes when it learned them and lost nothing."""

from typing import Any

import pytest

from tuning.alignment.verdict import judge_policy, judge_reward


def evaluation(**changes: Any) -> dict[str, Any]:
    return {
        "preferences": {"implicit": {"after": 0.95, "n": 40}, "judged": {"after": 0.0, "n": 0}},
        "retention": {"kept": 0.97},
        "reading": {"before": 0.5, "after": 0.5},
        "earlier": {"before": 0.9, "after": 0.9},
    } | changes


@pytest.mark.parametrize(
    ("changes", "problems", "suggestion"),
    [
        ({}, (), None),
        ({"preferences": {"implicit": {"after": 0.5, "n": 40}}}, ("learned little",), "stronger"),
        ({"preferences": {"implicit": {"after": 0.0, "n": 0}, "judged": {"after": 0.9, "n": 9}}}, (), None),
        ({"retention": {"kept": 0.7}}, ("forgot much",), "gentler"),
        ({"earlier": {"before": 0.9, "after": 0.6}}, ("forgot much",), "gentler"),
        ({"earlier": {"before": 0.1, "after": 0.1}}, (), None),
        ({"reading": {"before": 0.5, "after": 0.2}}, ("reads worse",), "gentler"),
    ],
)
def test_what_was_not_learned_or_lost_is_a_problem(
    changes: dict[str, Any], problems: tuple[str, ...], suggestion: str | None
) -> None:
    found = judge_policy(evaluation(**changes), strength="normal")
    assert (found.problems, found.suggestion) == (problems, suggestion)


def test_a_reward_model_must_tell_votes_apart() -> None:
    assert judge_reward({"pairs": {"after": 0.9}}).passed
    assert judge_reward({"pairs": {"after": 0.5}}).suggestion == "more examples"
