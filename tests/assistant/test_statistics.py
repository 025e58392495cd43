"""Intervals, paired tests and corrections: against scipy, published examples and simulation."""

import numpy as np
import pytest
from scipy import stats

from assistant.statistics import bootstrap_mean, holm, paired, pairs_needed, wilson


def test_the_interval_covers_as_often_as_it_says() -> None:
    generator, covered, truth = np.random.default_rng(1), 0, 0.7
    for trial in range(300):
        values = (generator.random(80) < truth).astype(float).tolist()
        interval = bootstrap_mean(values, resamples=500, seed=trial)
        covered += interval.low <= truth <= interval.high
    assert 0.90 <= covered / 300 <= 0.98


def test_questions_about_one_fact_widen_the_interval() -> None:
    generator = np.random.default_rng(2)
    facts = generator.random(40) < 0.6
    values = [float(fact) for fact in facts for _ in range(4)]
    clusters = [number for number in range(40) for _ in range(4)]
    alone, together = bootstrap_mean(values), bootstrap_mean(values, clusters)
    assert (together.high - together.low) / (alone.high - alone.low) == pytest.approx(2, rel=0.15)


def test_a_clustered_interval_covers_as_often_as_it_says() -> None:
    generator, covered = np.random.default_rng(3), 0
    clusters = [number for number in range(50) for _ in range(3)]
    for trial in range(300):
        chances = np.repeat(generator.beta(1.4, 0.6, 50), 3)
        values = (generator.random(150) < chances).astype(float).tolist()
        interval = bootstrap_mean(values, clusters, resamples=500, seed=trial)
        covered += interval.low <= 0.7 <= interval.high
    assert 0.90 <= covered / 300 <= 0.98


def test_all_right_is_not_certainty() -> None:
    interval = bootstrap_mean([1.0] * 20)
    assert interval == wilson(20, 20)
    assert interval.low == pytest.approx(0.8389, abs=1e-4) and interval.high == 1.0


@pytest.mark.parametrize(("right", "n"), [(0, 10), (3, 10), (81, 263), (10, 10)])
def test_wilson_is_scipys(right: int, n: int) -> None:
    expected = stats.binomtest(right, n).proportion_ci(method="wilson")
    found = wilson(right, n)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    assert bootstrap_mean(values, seed=4) == bootstrap_mean(values, seed=4)


def test_mcnemar_counts_only_the_disagreements() -> None:
    first = [True] * 15 + [False] * 5 + [True] * 30 + [False] * 50
    second = [False] * 15 + [True] * 5 + [True] * 30 + [False] * 50
    test = paired(first, second)
    assert (test.only_first, test.only_second) == (15, 5)
    assert test.p_value == pytest.approx(0.04139, abs=1e-5)  # binomial(20, 1/2), two-sided, by table
    assert test.difference == pytest.approx(0.1)
    assert test.interval.low < 0.1 < test.interval.high


def test_arms_that_never_disagree_do_not_differ() -> None:
    test = paired([True, False], [True, False])
    assert (test.p_value, test.difference) == (1.0, 0.0)


def test_mcnemar_rejects_true_nothing_no_more_than_it_says() -> None:
    generator, rejected = np.random.default_rng(5), 0
    for _ in range(500):
        disagree = int((generator.random(120) < 0.3).sum())
        wins = int(generator.binomial(disagree, 0.5))
        first = [True] * wins + [False] * (disagree - wins)
        rejected += paired(first, [not won for won in first]).p_value < 0.05 if disagree else 0
    assert rejected / 500 <= 0.06


def test_holm_is_the_published_procedure() -> None:
    # R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


@pytest.mark.parametrize(("difference", "disagreement"), [(0.1, 0.3), (0.2, 0.25), (0.05, 0.1)])
def test_the_needed_number_of_questions_reaches_its_power(difference: float, disagreement: float) -> None:
    count = pairs_needed(difference, disagreement)
    generator, found = np.random.default_rng(6), 0
    better, worse = (disagreement + difference) / 2, (disagreement - difference) / 2
    for _ in range(400):
        wins, losses, _ = generator.multinomial(count, [better, worse, 1 - disagreement])
        found += stats.binomtest(int(wins), int(wins + losses)).pvalue < 0.05 if wins + losses else 0
    assert 0.70 <= found / 400 <= 0.88


def test_a_difference_larger_than_the_disagreement_cannot_be() -> None:
    with pytest.raises(ValueError, match="at most the disagreement"):
        pairs_needed(0.4, 0.3)
