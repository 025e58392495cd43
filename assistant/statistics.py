"""What figures over questions are worth: intervals, paired tests, corrections. Pure arithmetic over numbers.

Questions about one fact are not independent: intervals resample whole clusters.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

RESAMPLES = 10_000
_AT_ONCE = 1_000_000  # numbers drawn at a time, so that memory stays small


@dataclass(frozen=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float


@dataclass(frozen=True)
class PairedTest:
    """Two arms on the same questions."""

    only_first: int
    only_second: int
    difference: float
    interval: Interval
    p_value: float


def bootstrap_mean(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a mean, resampling whole clusters (Efron and Tibshirani 1993, chapter 13).

    Where every cluster says the same the bootstrap sees no spread; then it is Wilson's over clusters.
    """
    if not values:
        return Interval(math.nan, math.nan)
    sums, sizes = _by_cluster(values, clusters)
    means = sums / sizes
    if np.all(means == means[0]):
        successes = float(means[0]) * len(means)
        return wilson(successes, len(means), level) if 0 <= means[0] <= 1 else Interval(means[0], means[0])
    draws = _resampled_means(sums, sizes, resamples, seed)
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(float(low), float(high))


def wilson(successes: float, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (1927)."""
    if n == 0:
        return Interval(math.nan, math.nan)
    z = float(stats.norm.ppf((1 + level) / 2))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def paired(
    first: Sequence[bool],
    second: Sequence[bool],
    clusters: Sequence[Hashable] | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> PairedTest:
    """Exact McNemar test of two arms, and the interval of their difference by cluster bootstrap.

    The test is a two-sided binomial test over the questions on which the arms disagree (McNemar 1947).
    """
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    differences = [float(a) - float(b) for a, b in zip(first, second, strict=True)]
    disagree = only_first + only_second
    p_value = float(stats.binomtest(only_first, disagree).pvalue) if disagree else 1.0
    return PairedTest(
        only_first=only_first,
        only_second=only_second,
        difference=float(np.mean(differences)) if differences else math.nan,
        interval=_difference_interval(differences, clusters, level, seed),
        p_value=p_value,
    )


def pairs_needed(difference: float, disagreement: float, *, level: float = 0.95, power: float = 0.8) -> int:
    """How many questions show a difference of accuracy, when the arms disagree on this share of them.

    Connor 1987 (Biometrics 43, 207-211) for McNemar's test. Infinite need raises ValueError.
    """
    if not 0 < abs(difference) <= disagreement <= 1:
        raise ValueError(
            f"A difference of {difference} with a disagreement of {disagreement} cannot be; "
            "the difference is above 0 and at most the disagreement."
        )
    for_level = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(disagreement)
    for_power = float(stats.norm.ppf(power)) * math.sqrt(disagreement - difference**2)
    return math.ceil(((for_level + for_power) / difference) ** 2)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, in their order (Holm 1979)."""
    count = len(p_values)
    adjusted = [0.0] * count
    highest = 0.0
    for rank, index in enumerate(sorted(range(count), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def _difference_interval(
    differences: Sequence[float], clusters: Sequence[Hashable] | None, level: float, seed: int
) -> Interval:
    if not differences:
        return Interval(math.nan, math.nan)
    sums, sizes = _by_cluster(differences, clusters)
    draws = _resampled_means(sums, sizes, RESAMPLES, seed)
    tail = (1 - level) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _by_cluster(
    values: Sequence[float], clusters: Sequence[Hashable] | None
) -> tuple[np.ndarray, np.ndarray]:
    """The sum and the number of values of each cluster."""
    labels = list(range(len(values))) if clusters is None else list(clusters)
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    where = [places[label] for label in labels]
    sums = np.bincount(where, weights=values, minlength=len(places))
    return sums, np.bincount(where, minlength=len(places)).astype(float)


def _resampled_means(sums: np.ndarray, sizes: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    count = len(sums)
    step = max(1, _AT_ONCE // count)
    means = []
    for start in range(0, resamples, step):
        chosen = generator.integers(0, count, size=(min(step, resamples - start), count))
        means.append(sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1))
    return np.concatenate(means)
