"""Dense and lexical scores → one score, on one scale. Pure arithmetic.

By value and not by rank: ranks let a side that knows nothing (an English embedder on Chinese) outvote one
that knows everything."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.search.proximity import Closeness

# Fitted on half of the articles of SQuAD v1.1 and of DRCD's development set; judged on the other halves.
DENSE_WEIGHT = 0.8  # the rest is the lexical side's
SENTENCE_WEIGHT, PAIRS_WEIGHT = 4.0, 3.0  # deviations that a full share is worth
PRIOR_MEAN, PRIOR_DEVIATION, PRIOR_WEIGHT = 0.05, 0.09, 30.0  # cosines of unrelated texts under MiniLM


@dataclass(frozen=True)
class Background:
    """Passages drawn from one index, each as one or more vectors: what a cosine is held against."""

    rows: np.ndarray  # [vectors, dimension]
    starts: np.ndarray  # where each passage's vectors begin

    @classmethod
    def of(cls, passages: Sequence[np.ndarray]) -> "Background":
        """From the vectors of each passage, [n, dimension]."""
        filled = [passage for passage in passages if len(passage)]
        lengths = [len(passage) for passage in filled]
        rows = np.concatenate(filled) if filled else np.zeros((0, 0))
        return cls(rows, np.cumsum([0, *lengths[:-1]]) if filled else np.zeros(0, dtype=np.int64))

    def standardise(self, query: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        """How many deviations each cosine lies over that of an arbitrary passage of this index."""
        mean, variance, size = PRIOR_MEAN, PRIOR_DEVIATION**2, len(self.starts)
        if size:
            best = np.maximum.reduceat(self.rows @ query, self.starts)
            share = size / (size + PRIOR_WEIGHT)
            mean = share * float(best.mean()) + (1 - share) * mean
            variance = share * float(best.var()) + (1 - share) * variance
        standard: np.ndarray = (cosines - mean) / np.sqrt(max(variance, 1e-6))
        return standard


def standardise_lexical(scores: np.ndarray, of: np.ndarray) -> np.ndarray:
    """BM25 scores `of` some passages, in deviations over the mean of `scores`, those of every passage."""
    deviation = float(scores.std())
    if deviation == 0:
        return np.zeros(len(of))
    standard: np.ndarray = (of - float(scores.mean())) / deviation
    return standard


def fuse(
    dense: np.ndarray,
    lexical: np.ndarray,
    close: Closeness,
    fluency: float,
) -> np.ndarray:
    """The weighted sum of standardised scores, and what it adds that the question's words stand together.

    `fluency`, 0 to 1, is how well the embedder knows the question's language: at 0 its side says nothing.
    """
    weight = DENSE_WEIGHT * fluency
    total: np.ndarray = weight * dense + (1 - weight) * lexical
    return total + SENTENCE_WEIGHT * close.in_one_sentence + PAIRS_WEIGHT * close.side_by_side


def pack(vectors: np.ndarray) -> bytes:
    """Unit vectors as 8-bit numbers; each has a scale of its own, which need not be kept."""
    peaks = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12) if len(vectors) else 1.0
    return np.rint(vectors / peaks * 127).astype(np.int8).tobytes()


def unpack(data: bytes, dimension: int) -> np.ndarray:
    """The unit vectors of `pack`, float32 [n, dimension]."""
    rows = np.frombuffer(data, dtype=np.int8).reshape(-1, dimension).astype(np.float32)
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return np.asarray(rows / lengths)
