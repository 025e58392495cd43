"""Confidence intervals, paired tests and corrections for multiple testing; it knows numbers only.

Questions about one document or fact are not independent: intervals resample whole clusters, and the test by
clusters turns the sign of whole clusters.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant.lazy import IMPORT_LOCK
from tuning.scoring import wilson_interval

RESAMPLES = 10_000
EXACT_CLUSTERS = 14  # up to here every arrangement of signs is counted, beyond it they are drawn
_AT_ONCE = 1_000_000  # numbers drawn at a time, so that memory stays small


@dataclass(frozen=True)
class Interval:
    """A confidence interval; NaN where it does not exist, which JSON writes as null."""

    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """JSON form."""
        return {"low": finite(self.low), "high": finite(self.high)}

    @classmethod
    def of(cls, low: float | None, high: float | None) -> "Interval":
        """Of two numbers as JSON holds them."""
        return cls(number(low), number(high))


def finite(value: float | None) -> float | None:
    """A number as JSON holds it: null for what is not finite."""
    return None if value is None or not math.isfinite(value) else value


def number(value: float | None) -> float:
    """A number that JSON holds: NaN for null."""
    return math.nan if value is None else float(value)


@dataclass(frozen=True)
class PairedTest:
    """Two variants on the same questions."""

    only_first: int
    only_second: int
    difference: float
    interval: Interval
    # McNemar's exact test, as if every question stood alone.
    p_value: float
    # By whole clusters: the one to believe where questions belong together.
    p_value_clustered: float = math.nan
    clusters: int = 0
    n: int = 0

    @property
    def disagreement(self) -> float:
        """The share of questions that one variant has right and the other wrong."""
        return (self.only_first + self.only_second) / self.n if self.n else math.nan


def bootstrap_mean(
    values: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a mean, resampling whole clusters (Efron and Tibshirani 1993, chapter 13).

    It is widened where clusters are few or one outweighs the others (`expanded_tail`). Where all clusters have the
    same mean the bootstrap sees no spread; then it is Wilson's interval over clusters.
    """
    if not values:
        return Interval(math.nan, math.nan)
    sums, sizes = _by_cluster(values, clusters)
    means = sums / sizes
    if np.all(means == means[0]):
        successes = float(means[0]) * len(means)
        return wilson(successes, len(means), level) if 0 <= means[0] <= 1 else Interval(means[0], means[0])
    return _percentiles(sums, sizes, level, resamples, seed)


def scipy_stats() -> Any:
    """`scipy.stats`, imported when it is first needed: it takes half a second, and models import parts of it too."""
    with IMPORT_LOCK:
        from scipy import stats

    return stats


def wilson(successes: float, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion (1927)."""
    if n == 0:
        return Interval(math.nan, math.nan)
    z = float(scipy_stats().norm.ppf((1 + level) / 2))
    return Interval(*wilson_interval(successes / n, n, z))


def paired(
    first: Sequence[bool],
    second: Sequence[bool],
    clusters: Sequence[Hashable] | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> PairedTest:
    """Exact McNemar test of two variants, the same by clusters, and the interval of their difference.

    McNemar's (1947) is a two-sided binomial test over the questions on which the variants disagree.
    """
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    differences = [float(a) - float(b) for a, b in zip(first, second, strict=True)]
    disagree = only_first + only_second
    p_value = float(scipy_stats().binomtest(only_first, disagree).pvalue) if disagree else 1.0
    return PairedTest(
        only_first=only_first,
        only_second=only_second,
        difference=float(np.mean(differences)) if differences else math.nan,
        interval=_difference_interval(differences, clusters, level, seed),
        p_value=p_value,
        p_value_clustered=sign_flip(differences, clusters, seed=seed),
        clusters=len(set(clusters)) if clusters is not None else len(differences),
        n=len(differences),
    )


def sign_flip(
    differences: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    *,
    draws: int = RESAMPLES,
    seed: int = 0,
) -> float:
    """Two-sided p-value that the differences are symmetric about 0, where whole clusters change their sign.

    Fisher's randomisation test (1935): exact for up to EXACT_CLUSTERS clusters that differ at all, and else
    over drawn signs, with the observed arrangement among them (Phipson and Smyth 2010). Where every question
    is a cluster of its own and differs by one, it is McNemar's test.
    """
    if not differences:
        return 1.0
    sums, _ = _by_cluster(differences, clusters)
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    if np.all(np.abs(sums) == np.abs(sums[0])):
        return float(scipy_stats().binomtest(int((sums > 0).sum()), len(sums)).pvalue)
    observed = abs(float(sums.sum())) - 1e-9
    if len(sums) <= EXACT_CLUSTERS:
        signs = 1 - 2 * ((np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums))) & 1)
        return float((np.abs(signs @ sums) >= observed).mean())
    generator = np.random.default_rng(seed)
    reached, step = 0, max(1, _AT_ONCE // len(sums))
    for start in range(0, draws, step):
        signs = generator.integers(0, 2, size=(min(step, draws - start), len(sums))) * 2 - 1
        reached += int((np.abs(signs @ sums) >= observed).sum())
    return (reached + 1) / (draws + 1)


def pairs_needed(difference: float, disagreement: float, *, level: float = 0.95, power: float = 0.8) -> int:
    """How many questions show a difference of accuracy, when the variants disagree on this share of them.

    Connor 1987 (Biometrics 43, 207-211) for McNemar's test. Infinite need raises ValueError.
    """
    if not 0 < abs(difference) <= disagreement <= 1:
        raise ValueError(
            f"A difference of {difference} with a disagreement of {disagreement} cannot be; "
            "the difference is above 0 and at most the disagreement."
        )
    for_level = float(scipy_stats().norm.ppf((1 + level) / 2)) * math.sqrt(disagreement)
    for_power = float(scipy_stats().norm.ppf(power)) * math.sqrt(disagreement - difference**2)
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
    return _percentiles(sums, sizes, level, RESAMPLES, seed)


def _percentiles(sums: np.ndarray, sizes: np.ndarray, level: float, resamples: int, seed: int) -> Interval:
    draws = _resampled_means(sums, sizes, resamples, seed)
    tail = expanded_tail(sizes, level)
    low, high = np.quantile(draws, [tail, 1 - tail])
    return Interval(float(low), float(high))


def expanded_tail(sizes: np.ndarray, level: float) -> float:
    """The share beyond each end: the expanded percentile (Hesterberg 2015, The American Statistician 69).

    The number of clusters is Kish's effective one, so that one large document does not count as one of many.
    """
    effective = float(sizes.sum() ** 2 / (sizes**2).sum())
    if effective < 2:
        return 0.0
    reach = scipy_stats().t.ppf((1 + level) / 2, effective - 1) * math.sqrt(effective / (effective - 1))
    return float(scipy_stats().norm.sf(reach))


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
