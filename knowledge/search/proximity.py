"""How closely a passage's words stand together as the question's do: in one sentence, and side by side.

BM25 counts words wherever they stand; an answer is where they meet. Pure functions over term codes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from knowledge.search.relevance import content_codes
from knowledge.text.terms import SENTENCE_END

Rarity = Callable[[np.ndarray], np.ndarray]  # of term codes, as `LexicalIndex.idf`


@dataclass(frozen=True)
class Closeness:
    """For each passage three shares, 0 to 1, weighted by rarity."""

    covered: np.ndarray  # of the question's telling words those that the passage has at all
    in_one_sentence: np.ndarray  # those that its best sentence has, title and headings included
    side_by_side: np.ndarray  # of the question's neighbouring words those that are neighbours here too


def closeness(passages: Sequence[np.ndarray], question: np.ndarray, rarity: Rarity) -> Closeness:
    """How the question's words stand in each passage, which is what `passage_codes` made of it."""
    if not passages:
        return Closeness(np.zeros(0), np.zeros(0), np.zeros(0))
    end = np.array([SENTENCE_END], dtype=np.uint32)
    terms = np.concatenate([part for passage in passages for part in (passage, end)])
    starts = np.cumsum([0, *(len(passage) + 1 for passage in passages)])[:-1]
    covered, in_one_sentence = _shares(terms, starts, question, rarity)
    return Closeness(covered, in_one_sentence, _side_by_side(terms, starts, question, rarity))


def _shares(
    terms: np.ndarray, starts: np.ndarray, question: np.ndarray, rarity: Rarity
) -> tuple[np.ndarray, np.ndarray]:
    """What each passage has of the question's telling words, in all and in its best sentence."""
    wanted = np.sort(content_codes(question))
    weights = rarity(wanted)
    if not len(wanted) or weights.sum() <= 0:
        return np.zeros(len(starts)), np.zeros(len(starts))
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
    return anywhere @ weights / total, np.maximum.reduceat(held @ weights, heads) / total


def _side_by_side(terms: np.ndarray, starts: np.ndarray, question: np.ndarray, rarity: Rarity) -> np.ndarray:
    pairs = list(dict.fromkeys(pairwise(question.tolist())))
    if not pairs:
        return np.zeros(len(starts))
    codes = np.array(pairs, dtype=np.uint32)
    weights = np.minimum(rarity(codes[:, 0]), rarity(codes[:, 1]))
    shares = np.zeros(len(starts))
    for (first, second), weight in zip(codes, weights, strict=True):
        met = np.flatnonzero((terms[:-1] == first) & (terms[1:] == second))
        shares[np.unique(np.searchsorted(starts, met, side="right") - 1)] += weight
    return shares / max(float(weights.sum()), 1e-9)
