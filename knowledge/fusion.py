"""Dense and lexical scores → one score, on one scale. Pure arithmetic.

By value and not by rank: ranks let a side that knows nothing (an English embedder on Chinese) outvote one
that knows everything."""

from dataclasses import dataclass

import numpy as np

PRIOR_MEAN, PRIOR_DEVIATION, PRIOR_WEIGHT = 0.05, 0.09, 30.0  # cosines of unrelated texts under MiniLM


@dataclass(frozen=True)
class Background:
    """How the passages of one index lie in the embedding space: mean and covariance of a sample."""

    mean: np.ndarray
    covariance: np.ndarray
    size: int

    @classmethod
    def of(cls, sample: np.ndarray) -> "Background":
        """From unit vectors [n, dimension], n may be zero."""
        if not len(sample):
            return cls(np.zeros(0), np.zeros((0, 0)), 0)
        mean = sample.mean(axis=0)
        centred = sample - mean
        return cls(mean, centred.T @ centred / len(sample), len(sample))

    def standardise(self, query: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        """How many deviations each cosine lies over that of an arbitrary passage of this index."""
        mean, variance = PRIOR_MEAN, PRIOR_DEVIATION**2
        if self.size:
            share = self.size / (self.size + PRIOR_WEIGHT)
            mean = share * float(query @ self.mean) + (1 - share) * mean
            variance = share * float(query @ self.covariance @ query) + (1 - share) * variance
        standard: np.ndarray = (cosines - mean) / np.sqrt(max(variance, 1e-6))
        return standard


def standardise_lexical(scores: np.ndarray, of: np.ndarray) -> np.ndarray:
    """BM25 scores `of` some passages, in deviations over the mean of `scores`, those of every passage."""
    deviation = float(scores.std())
    if deviation == 0:
        return np.zeros(len(of))
    standard: np.ndarray = (of - float(scores.mean())) / deviation
    return standard


def fuse(dense: np.ndarray, lexical: np.ndarray, dense_weight: float) -> np.ndarray:
    """The weighted sum of standardised scores; `dense_weight` is 0 for a language unknown to the embedder."""
    total: np.ndarray = dense_weight * dense + (1 - dense_weight) * lexical
    return total
