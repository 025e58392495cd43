"""Votes between answers: who wins, how surely, and the ranking."""

import itertools
import math

import numpy as np
import pytest
from scipy.optimize import minimize

from assistant.records import StoredPreference
from assistant.votes import bradley_terry, tally, votes_of


def test_votes_are_counted_for_each_two_arms() -> None:
    counted = tally([("rag", "base")] * 9 + [("base", "rag")])
    (duel,) = counted.duels
    assert (duel.first, duel.first_wins, duel.second_wins, duel.share) == ("rag", 9, 1, 0.9)
    assert duel.p_value == pytest.approx(22 / 1024)
    assert duel.interval.low < 0.9 < duel.interval.high
    assert [rank.arm for rank in counted.ranking] == ["rag", "base"]


def test_p_values_are_adjusted_for_the_number_of_duels() -> None:
    votes = [("a", "b")] * 9 + [("b", "a")] + [("b", "c")] * 5 + [("a", "c")] * 6
    duels = tally(votes).duels
    assert len(duels) == 3
    assert all(duel.p_value_holm >= duel.p_value for duel in duels)
    assert min(duels, key=lambda duel: duel.p_value).p_value_holm == pytest.approx(
        3 * min(duel.p_value for duel in duels)
    )


def test_the_ranking_is_the_maximum_of_the_likelihood() -> None:
    arms, generator = ["a", "b", "c", "d"], np.random.default_rng(1)
    truth = {"a": 1.2, "b": 0.3, "c": -0.5, "d": -1.0}
    votes = []
    for first, second in itertools.combinations(arms, 2):
        for _ in range(60):
            chance = 1 / (1 + math.exp(truth[second] - truth[first]))
            votes.append((first, second) if generator.random() < chance else (second, first))

    def loss(free: np.ndarray) -> float:
        skill = dict(zip(arms, [*free, -free.sum()], strict=True))
        drawn = [(pair, 0.5) for pair in itertools.permutations(arms, 2)]
        weighted = [(pair, 1.0) for pair in votes] + drawn
        return sum(weight * math.log1p(math.exp(skill[b] - skill[a])) for (a, b), weight in weighted)

    best = minimize(loss, np.zeros(3), tol=1e-10).x
    expected = {
        arm: 1 / (1 + math.exp(-skill)) for arm, skill in zip(arms, [*best, -best.sum()], strict=True)
    }
    assert bradley_terry(votes, arms) == pytest.approx(expected, abs=1e-4)


def test_an_arm_that_never_lost_is_strong_and_not_infinite() -> None:
    strengths = bradley_terry([("a", "b")] * 5, ["a", "b"])
    assert strengths["b"] + strengths["a"] > 0.5 and strengths["a"] < 1


def test_arms_that_never_met_are_ranked_through_others() -> None:
    votes = [("a", "b")] * 8 + [("b", "a")] * 2 + [("b", "c")] * 8 + [("c", "b")] * 2
    assert [rank.arm for rank in tally(votes).ranking] == ["a", "b", "c"]


def test_no_vote_is_no_ranking() -> None:
    counted = tally([])
    assert (counted.duels, counted.ranking, counted.votes) == ((), (), 0)


def test_kept_preferences_without_arms_are_no_votes() -> None:
    def kept(chosen: str, rejected: str) -> StoredPreference:
        return StoredPreference(1, (), "x", "y", chosen, rejected, 0.0)

    assert votes_of([kept("rag", "base"), kept("", ""), kept("base", "base")]) == [("rag", "base")]
