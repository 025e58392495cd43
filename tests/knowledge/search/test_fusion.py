"""Fusion of dense and lexical scores, and quantized vectors."""

import numpy as np
import pytest

from knowledge.search.fusion import Background, dequantize, fuse, quantize, standardise_lexical
from knowledge.search.proximity import Proximity


def test_a_side_that_knows_nothing_does_not_outvote_the_other() -> None:
    lexical = standardise_lexical(np.array([9.0, 1.0, 0.0, 0.0]), np.array([9.0, 1.0]))
    misleading = np.array([-1.0, 3.0])
    nowhere = Proximity(*[np.zeros(2)] * 4)
    assert fuse(misleading, lexical, nowhere, fluency=0.0).argmax() == 0


def test_words_that_hardly_any_passage_shares_do_not_outvote_the_vectors() -> None:
    """As "the" does, in a base of Chinese texts of which one has a title in English."""
    dense, lexical = np.array([3.0, 0.0]), np.array([0.0, 15.0])
    shares = (np.array([0.0, share]) for share in (0.05, 0.8))
    first = [
        int(fuse(dense, lexical, Proximity(share, share, *[np.zeros(2)] * 2), fluency=1.0).argmax())
        for share in shares
    ]
    assert first == [0, 1]


def test_an_empty_background_still_gives_a_scale() -> None:
    standard = Background.of([]).standardise(np.zeros(4), np.array([0.05, 0.5]))
    assert standard[0] == pytest.approx(0) and standard[1] > 3


def test_packed_vectors_keep_their_direction() -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert (dequantize(quantize(vectors), 384) * vectors).sum(axis=1).min() > 0.9995
    assert dequantize(quantize(vectors[:0]), 384).shape == (0, 384)
