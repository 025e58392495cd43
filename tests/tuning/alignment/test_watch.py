"""Reward hacking: a rising reward is trusted only while the answers stay what they were."""

import re
from pathlib import Path

import pytest

from tuning.alignment.watch import HackingWatch, hacking, repetition

SOUND = {"reward": 0.0, "kl": 0.01, "length": 20.0, "repetition": 0.05, "distinct": 1.0, "ended": 0.9}


def steps_to(**end: float) -> list[dict[str, float]]:
    return [SOUND] * 4 + [SOUND | {"reward": 2.0} | end] * 3


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ({"repetition": 0.6}, r"its answers repeat themselves \(from 5% to 60%\)"),
        ({"ended": 0.1}, r"its answers no longer end \(10% do, from 90%\)"),
        ({"distinct": 0.2}, r"the same answers to everything \(20% differ\)"),
        ({"kl": 0.9}, r"left the model that it began as \(0\.90 nats"),
    ],
)
def test_a_reward_that_is_hacked_is_said(end: dict[str, float], said: str) -> None:
    assert re.search(said, hacking(steps_to(**end)))
    assert "rose from 0.00 to 2.00" in hacking(steps_to(**end))
    assert hacking(steps_to(**end | {"reward": -1.0})) == ""  # it gets worse, and is no hacking


def test_shorter_answers_with_more_reward_are_what_was_wanted() -> None:
    assert hacking(steps_to(length=5.0, kl=0.3)) == ""


def test_a_resumed_watch_knows_what_the_first_saw(tmp_path: Path) -> None:
    first = HackingWatch(tmp_path, is_resumed=False)
    for step, measures in enumerate(steps_to(repetition=0.6)[:-2]):
        assert first.note(step, measures) == ""
    assert not first.is_sound
    again = HackingWatch(tmp_path, is_resumed=True)
    assert "repeat themselves" in again.note(5, steps_to(repetition=0.6)[-1])
    anew = HackingWatch(tmp_path, is_resumed=False)
    assert anew.note(0, SOUND) == ""
    assert anew.is_sound


def test_repetition_counts_what_was_said_before() -> None:
    assert repetition([1, 2, 3, 4, 5]) == 0.0
    assert repetition([1, 2, 3, 1, 2, 3]) == 0.25
    assert repetition([7, 7]) == 0.0
