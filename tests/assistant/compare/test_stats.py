"""Intervals, paired tests and corrections: against scipy, published examples and simulation."""

import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from assistant.compare.stats import bootstrap_mean, holm, paired, pairs_needed, sign_flip, wilson

pytestmark = pytest.mark.slow


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


def test_variants_that_never_disagree_do_not_differ() -> None:
    test = paired([True, False], [True, False])
    assert (test.p_value, test.difference) == (1.0, 0.0)


def test_mcnemar_rejects_true_nothing_no_more_than_it_says() -> None:
    generator, rejected = np.random.default_rng(5), 0
    for _ in range(500):
        disagree = int((generator.random(120) < 0.3).sum())
        wins = int(generator.binomial(disagree, 0.5))
        first = [True] * wins + [False] * (disagree - wins)
        rejected += paired(first, [not won for won in first]).p_value < 0.05 if disagree else 0
    assert 0.02 <= rejected / 500 <= 0.06


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


def test_mcnemar_is_that_of_statsmodels() -> None:
    first = [True] * 40 + [True] * 15 + [False] * 5 + [False] * 20
    second = [True] * 40 + [False] * 15 + [True] * 5 + [False] * 20
    expected = mcnemar([[40, 15], [5, 20]], exact=True)
    assert paired(first, second).p_value == pytest.approx(expected.pvalue)


def test_the_correction_is_that_of_statsmodels() -> None:
    p_values = np.random.default_rng(1).random(12).tolist()
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1].tolist())


def test_the_test_by_cluster_is_scipys_for_lone_questions_and_counts_all_signs_else() -> None:
    differences = [1.0] * 9 + [-1.0] * 2 + [0.0] * 7
    assert sign_flip(differences) == pytest.approx(stats.binomtest(9, 11).pvalue)
    sums = np.array([3.0, 2.0, 2.0, -1.0, 4.0, 1.0])
    clusters = [number for number, total in enumerate(sums) for _ in range(int(abs(total)))]
    values = [float(np.sign(sums[number])) for number in clusters]
    exact = stats.permutation_test(
        (sums,), lambda x, axis: np.abs(np.sum(x, axis)), permutation_type="samples", alternative="greater"
    )
    assert sign_flip(values, clusters) == pytest.approx(exact.pvalue)


def test_drawn_signs_agree_with_all_of_them() -> None:
    generator = np.random.default_rng(8)
    clusters = np.repeat(np.arange(13), 3)
    values = generator.normal(0.3, 1, 39)
    exact = sign_flip(values.tolist(), clusters.tolist())
    more = [*values.tolist(), *np.repeat(1e-9, 4)]  # four clusters that decide nothing, and too many to count
    drawn = sign_flip(more, [*clusters.tolist(), 100, 101, 102, 103])
    assert drawn == pytest.approx(exact, abs=0.02)


def simulated_rejections(trials: int, effect: float) -> tuple[float, float]:
    """How often variants of equal strength are told apart where whole documents suit one or the other."""
    generator, by_question, by_cluster = np.random.default_rng(11), 0, 0
    clusters = np.repeat(np.arange(20), 10)
    for trial in range(trials):
        lean = np.repeat(generator.normal(0, 0.25, 20), 10)
        first = generator.random(200) < 0.5 + effect + lean / 2
        second = generator.random(200) < 0.5 - lean / 2
        differences = first.astype(float) - second.astype(float)
        wins, losses = int((differences > 0).sum()), int((differences < 0).sum())
        by_question += stats.binomtest(wins, wins + losses).pvalue < 0.05
        by_cluster += sign_flip(differences.tolist(), clusters.tolist(), draws=999, seed=trial) < 0.05
    return by_question / trials, by_cluster / trials


def test_the_test_by_cluster_keeps_its_promise_where_mcnemar_does_not() -> None:
    by_question, by_cluster = simulated_rejections(1000, effect=0.0)
    assert 0.03 <= by_cluster <= 0.07
    assert by_question > 0.1


def test_the_test_by_cluster_finds_what_is_there() -> None:
    assert simulated_rejections(100, effect=0.3)[1] > 0.85


@pytest.mark.parametrize("count", [8, 12])
def test_intervals_over_few_documents_are_not_too_short(count: int) -> None:
    generator, covered, trials = np.random.default_rng(12), 0, 400
    clusters = np.repeat(np.arange(count), 20).tolist()
    for trial in range(trials):
        chances = np.repeat(generator.beta(2, 2, count), 20)
        values = (generator.random(len(chances)) < chances).astype(float).tolist()
        interval = bootstrap_mean(values, clusters, resamples=600, seed=trial)
        covered += interval.low <= 0.5 <= interval.high
    assert 0.91 <= covered / trials <= 0.98


def test_many_variants_that_are_alike_are_rarely_told_apart() -> None:
    """Four equal variants, six pairs: after Holm, one false alarm in at most twenty comparisons."""
    generator, alarms, trials = np.random.default_rng(13), 0, 500
    for _ in range(trials):
        right = generator.random((4, 120)) < 0.5
        p_values = [
            float(stats.binomtest(int((a & ~b).sum()), int((a ^ b).sum())).pvalue)
            for a, b in itertools.combinations(right, 2)
        ]
        alarms += min(holm(p_values)) < 0.05
    assert 0.01 <= alarms / trials <= 0.07
