"""Dense and lexical scores → one score, on one scale. Pure arithmetic.

Scores are standardised and added, not ranks: rank fusion lets a side without any signal (an English embedding model
on Chinese) outvote the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.index.model_families import DEFAULT_FAMILY, Family
from knowledge.search.proximity import Proximity

# Fitted on half of the articles of SQuAD v1.1 and of DRCD's development set; judged on the other halves.
DENSE_WEIGHT = 0.8  # the rest is the weight of BM25
SENTENCE_WEIGHT, BIGRAM_WEIGHT = 4.0, 3.0  # standard deviations that a share of 1 adds
# The share of the question's words in the best passage from which words count in full. Below it the documents are in
# another language or in other words, and what is shared by chance, such as "the" in a Chinese text, would decide.
TRUSTED_COVERAGE = 0.4


@dataclass(frozen=True)
class Background:
    """A sample of one index, each passage as one or more vectors: the distribution a cosine is compared with."""

    rows: np.ndarray  # [vectors, dimension]
    starts: np.ndarray  # where each passage's vectors begin
    family: Family = DEFAULT_FAMILY  # whose own scale counts as long as there are few passages

    @classmethod
    def of(cls, passages: Sequence[np.ndarray], family: Family = DEFAULT_FAMILY) -> "Background":
        """From the vectors of each passage, [n, dimension]."""
        filled = [passage for passage in passages if len(passage)]
        lengths = [len(passage) for passage in filled]
        rows = np.concatenate(filled) if filled else np.zeros((0, 0))
        return cls(rows, np.cumsum([0, *lengths[:-1]]) if filled else np.zeros(0, dtype=np.int64), family)

    def standardise(self, query: np.ndarray, cosines: np.ndarray) -> np.ndarray:
        """By how many standard deviations each cosine exceeds that of an arbitrary passage of this index."""
        (mean, deviation), size = self.family.unrelated, len(self.starts)
        variance = deviation**2
        if size:
            best = np.maximum.reduceat(self.rows @ query, self.starts)
            share = size / (size + self.family.unrelated_weight)
            mean = share * float(best.mean()) + (1 - share) * mean
            variance = share * float(best.var()) + (1 - share) * variance
        standard: np.ndarray = (cosines - mean) / np.sqrt(max(variance, 1e-6))
        return standard


def standardise_lexical(scores: np.ndarray, of: np.ndarray) -> np.ndarray:
    """BM25 scores `of` some passages, in standard deviations over the mean of `scores`, those of all passages."""
    deviation = float(scores.std())
    if deviation == 0:
        return np.zeros(len(of))
    standard: np.ndarray = (of - float(scores.mean())) / deviation
    return standard


def fuse(
    dense: np.ndarray,
    lexical: np.ndarray,
    close: Proximity,
    fluency: float,
) -> np.ndarray:
    """The weighted sum of the standardised scores and of the proximity of the question's terms.

    `fluency`, 0 to 1, is how well the embedding model knows the question's language: at 0 BM25 decides alone.
    """
    weight = DENSE_WEIGHT * fluency
    near = SENTENCE_WEIGHT * close.sentence_coverage + BIGRAM_WEIGHT * close.bigram_overlap
    fused: np.ndarray = weight * dense + trust_in_words(close.coverage, fluency) * (
        (1 - weight) * lexical + near
    )
    return fused


def trust_in_words(coverage: np.ndarray, fluency: float) -> float:
    """How much shared words count, 0 to 1, by the highest coverage of any passage; in full where they decide alone."""
    share = min(1.0, float(coverage.max(initial=0.0)) / TRUSTED_COVERAGE)
    return 1 - fluency * (1 - share)


def quantize(vectors: np.ndarray) -> bytes:
    """Unit vectors as 8-bit integers; each has a scale of its own, which is not stored: its length is 1."""
    peaks = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12) if len(vectors) else 1.0
    return np.rint(vectors / peaks * 127).astype(np.int8).tobytes()


def dequantize(data: bytes, dimension: int) -> np.ndarray:
    """The unit vectors of `quantize`, float32 [n, dimension]."""
    rows = np.frombuffer(data, dtype=np.int8).reshape(-1, dimension).astype(np.float32)
    lengths = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return np.asarray(rows / lengths)
