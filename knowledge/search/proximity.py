"""Term proximity: which of the question's terms a passage has, in one sentence, and next to each other.

BM25 counts terms wherever they occur; an answer is where they meet. Pure functions over term codes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from knowledge.search.relevance import content_terms
from knowledge.text.terms import SENTENCE_END

Idf = Callable[[np.ndarray], np.ndarray]  # of term codes, as `LexicalIndex.idf`


@dataclass(frozen=True)
class Proximity:
    """For each passage shares, 0 to 1, weighted by inverse document frequency where nothing else is said."""

    coverage: np.ndarray  # of the question's content words, those that the passage has
    plain_coverage: np.ndarray  # the same, every word with the same weight
    sentence_coverage: np.ndarray  # those that its best sentence has, title and headings included
    bigram_overlap: np.ndarray  # of the question's pairs of neighbouring terms, those that the passage has


def proximity(passages: Sequence[np.ndarray], question: np.ndarray, idf: Idf) -> Proximity:
    """The proximity of the question's terms in each passage; passages are arrays of `passage_codes`."""
    if not passages:
        return Proximity(*[np.zeros(0)] * 4)
    end = np.array([SENTENCE_END], dtype=np.uint32)
    terms = np.concatenate([part for passage in passages for part in (passage, end)])
    starts = np.cumsum([0, *(len(passage) + 1 for passage in passages)])[:-1]
    return Proximity(*_coverage(terms, starts, question, idf), _bigram_overlap(terms, starts, question, idf))


def _coverage(
    terms: np.ndarray, starts: np.ndarray, question: np.ndarray, idf: Idf
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which share of the question's content words each passage has: weighted, unweighted, in its best sentence."""
    wanted = np.sort(content_terms(question))
    weights = idf(wanted)
    if not len(wanted) or weights.sum() <= 0:
        return np.zeros(len(starts)), np.zeros(len(starts)), np.zeros(len(starts))
    ends = terms == SENTENCE_END
    sentence = np.cumsum(ends) - ends  # the number of each term's sentence, over all passages
    heads = sentence[starts]
    place = np.minimum(np.searchsorted(wanted, terms), len(wanted) - 1)
    found = np.flatnonzero(wanted[place] == terms)
    held = np.zeros((int(sentence[-1]) + 1, len(wanted)), dtype=bool)
    held[sentence[found], place[found]] = True
    anywhere = np.logical_or.reduceat(held, heads, axis=0)
    held |= np.repeat(held[heads], np.diff([*heads, len(held)]), axis=0)
    total = weights.sum()
    return (
        anywhere @ weights / total,
        anywhere.mean(axis=1),
        np.maximum.reduceat(held @ weights, heads) / total,
    )


def _bigram_overlap(terms: np.ndarray, starts: np.ndarray, question: np.ndarray, idf: Idf) -> np.ndarray:
    pairs = list(dict.fromkeys(pairwise(question.tolist())))
    if not pairs:
        return np.zeros(len(starts))
    codes = np.array(pairs, dtype=np.uint32)
    weights = np.minimum(idf(codes[:, 0]), idf(codes[:, 1]))
    shares = np.zeros(len(starts))
    for (first, second), weight in zip(codes, weights, strict=True):
        met = np.flatnonzero((terms[:-1] == first) & (terms[1:] == second))
        shares[np.unique(np.searchsorted(starts, met, side="right") - 1)] += weight
    return shares / max(float(weights.sum()), 1e-9)
