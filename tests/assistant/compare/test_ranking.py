"""Votes between answers: who wins, how surely, the ranking, the place on the page."""

import itertools
import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.descriptivestats import sign_test

from assistant.compare.ranking import bradley_terry, sign_test_of_questions, tally
from assistant.compare.stats import holm
from assistant.compare.votes import OUTCOMES, Outcome, Vote

pytestmark = pytest.mark.slow


def votes(first: str, second: str, *outcomes: Outcome) -> list[Vote]:
    """One vote a question."""
    return [Vote(f"{first}{second}{n}", first, second, outcome) for n, outcome in enumerate(outcomes)]


def test_votes_are_counted_for_each_two_variants() -> None:
    counted = tally(votes("rag", "base", *["first"] * 9, "second", "tie", "bad"))
    (pair,) = counted.pairs
    assert (pair.first_wins, pair.second_wins, pair.ties, pair.both_bad) == (9, 1, 1, 1)
    assert pair.share == pytest.approx((9 + 2 * 0.5) / 12)
    assert pair.p_value == pytest.approx(22 / 1024)  # 9 of 10 decided
    assert pair.interval.low < pair.share < pair.interval.high
    assert [rank.variant for rank in counted.ranking] == ["rag", "base"]


def test_the_side_does_not_matter_for_who_won() -> None:
    straight = tally(votes("a", "b", "first", "first", "second"))
    turned = tally([Vote(f"ab{n}", "b", "a", o) for n, o in enumerate(("second", "second", "first"))])
    assert {(rank.variant, round(rank.strength, 9)) for rank in straight.ranking} == {
        (rank.variant, round(rank.strength, 9)) for rank in turned.ranking
    }
    assert (straight.position.left, turned.position.left) == (2, 1)


def test_the_sign_test_is_that_of_statsmodels() -> None:
    outcomes: list[Outcome] = ["first"] * 13 + ["second"] * 4 + ["tie"] * 3
    (pair,) = tally(votes("a", "b", *outcomes)).pairs
    _, expected = sign_test([1] * 13 + [-1] * 4 + [0] * 3)
    assert pair.p_value == pytest.approx(expected)


def test_two_people_on_one_question_are_one_observation() -> None:
    one = tally(votes("a", "b", *["first"] * 6))
    twice = tally(votes("a", "b", *["first"] * 6) * 2)
    assert one.pairs[0].p_value == twice.pairs[0].p_value
    split = [Vote("q", "a", "b", "first", "ann"), Vote("q", "a", "b", "second", "bob")]
    assert tally(split).pairs[0].p_value == 1.0


def test_p_values_are_adjusted_for_the_number_of_pairs() -> None:
    cast = votes("a", "b", *["first"] * 9, "second") + votes("b", "c", *["first"] * 5)
    pairs = tally(cast + votes("a", "c", *["first"] * 6)).pairs
    assert len(pairs) == 3
    assert all(pair.p_value_holm >= pair.p_value for pair in pairs)
    assert min(pairs, key=lambda pair: pair.p_value).p_value_holm == pytest.approx(
        3 * min(pair.p_value for pair in pairs)
    )


def simulated(strengths: dict[str, float], count: int, seed: int, left: float = 0.0) -> list[Vote]:
    """Votes by Bradley and Terry's law; `left` is what the left side adds."""
    generator = np.random.default_rng(seed)
    cast = []
    for first, second in itertools.combinations(strengths, 2):
        for number in range(count):
            a, b = (first, second) if number % 2 else (second, first)
            chance = 1 / (1 + math.exp(strengths[b] - strengths[a] - left))
            won: Outcome = "first" if generator.random() < chance else "second"
            cast.append(Vote(f"{first}{second}{number}", a, b, won))
    return cast


def test_the_ranking_is_that_of_a_logistic_regression() -> None:
    variants = ["a", "b", "c", "d"]
    cast = simulated({"a": 1.2, "b": 0.3, "c": -0.5, "d": -1.0}, 60, seed=1)
    drawn = [
        (pair, 0.5) for pair in itertools.permutations(variants, 2)
    ]  # the imagined game of every two variants
    games = [((vote.winner, vote.second if vote.winner == vote.first else vote.first), 1.0) for vote in cast]
    rows, weights = [], []
    for (winner, loser), weight in games + drawn:
        rows.append([float(winner == variant) - float(loser == variant) for variant in variants[1:]])
        weights.append(weight)
    model = sm.GLM(np.ones(len(rows)), np.array(rows), family=sm.families.Binomial(), freq_weights=weights)
    fitted = np.array([0.0, *model.fit().params])
    expected = dict(zip(variants, 1 / (1 + np.exp(-(fitted - fitted.mean()))), strict=True))
    assert bradley_terry(cast, variants) == pytest.approx(expected, abs=1e-6)


def test_the_intervals_of_strengths_cover_the_truth() -> None:
    truth = {"a": 0.8, "b": 0.0, "c": -0.8}
    covered = total = 0
    for seed in range(120):
        for rank in tally(simulated(truth, 40, seed), seed=seed).ranking:
            covered += rank.interval.low <= 1 / (1 + math.exp(-truth[rank.variant])) <= rank.interval.high
            total += 1
    assert 0.89 <= covered / total <= 0.98


def test_variants_that_are_alike_are_called_different_in_at_most_one_trial_of_twenty() -> None:
    """Three variants of the same strength, some votes undecided: a pair under 5 % after Holm is a false alarm."""
    generator, false_alarms, trials = np.random.default_rng(7), 0, 1000
    for _ in range(trials):
        cast = [
            Vote(f"{pair}{number}", *pair, OUTCOMES[generator.choice(4, p=[0.4, 0.4, 0.1, 0.1])])
            for pair in itertools.combinations("abc", 2)
            for number in range(30)
        ]
        p_values = [
            sign_test_of_questions(pair[0], [vote for vote in cast if (vote.first, vote.second) == pair])
            for pair in itertools.combinations("abc", 2)
        ]
        false_alarms += min(holm(p_values)) < 0.05
    assert 0.01 <= false_alarms / trials <= 0.065


def test_a_preference_for_the_left_is_found() -> None:
    biased = tally(simulated({"a": 0.0, "b": 0.0}, 200, seed=3, left=1.0)).position
    assert biased.share > 0.6 and biased.p_value < 0.001
    assert biased.p_value == pytest.approx(stats.binomtest(biased.left, 200).pvalue)


def test_fair_votes_are_called_biased_about_one_time_in_twenty() -> None:
    found = sum(
        tally(simulated({"a": 0.5, "b": 0.0}, 100, seed=seed)).position.p_value < 0.05 for seed in range(200)
    )
    assert 0 < found / 200 <= 0.09


def test_the_place_does_not_move_the_ranking_of_balanced_votes() -> None:
    strengths = bradley_terry(simulated({"a": 0.0, "b": 0.0}, 2000, seed=4, left=2.0), ["a", "b"])
    assert strengths["a"] == pytest.approx(0.5, abs=0.03)


def test_a_variant_that_never_lost_is_strong_and_not_infinite() -> None:
    strengths = bradley_terry(votes("a", "b", *["first"] * 5), ["a", "b"])
    # Five wins, and one draw that is added: the odds between the two are 5.5 to 0.5.
    expected = 1 / (1 + math.exp(-math.log(5.5 / 0.5) / 2))
    assert strengths == pytest.approx({"a": expected, "b": 1 - expected})


def test_variants_that_never_met_are_ranked_through_others() -> None:
    cast = votes("a", "b", *["first"] * 8, *["second"] * 2) + votes("b", "c", *["first"] * 8, *["second"] * 2)
    assert [rank.variant for rank in tally(cast).ranking] == ["a", "b", "c"]


def test_no_vote_is_no_ranking() -> None:
    counted = tally([])
    assert (counted.pairs, counted.ranking, counted.votes) == ((), (), 0)
    assert counted.position.p_value == 1.0


def test_a_variant_against_itself_is_no_vote() -> None:
    assert tally([Vote("q", "a", "a", "first")]).votes == 0
