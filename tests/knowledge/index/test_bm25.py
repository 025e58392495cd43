"""BM25: the scores of the library's own builder."""

import bm25s
import numpy as np
import pytest

from knowledge.index.bm25 import K1, B, LexicalIndex
from knowledge.text.terms import SENTENCE_END, term_codes, terms


def test_scores_are_those_of_bm25s() -> None:
    texts = ["the cat sat on the mat", "a dog and a cat", "你好世界", "", "dogs dogs dogs"]
    ours = LexicalIndex([term_codes(text) for text in texts])
    reference = bm25s.BM25(k1=K1, b=B)
    reference.index([terms(text) for text in texts], show_progress=False)
    for query in ("cat dog", "世界", "the dogs"):
        expected = reference.get_scores(terms(query))
        assert np.allclose(ours.scores(term_codes(query)), expected, atol=1e-5)


def test_an_empty_index_and_unknown_words_score_nothing() -> None:
    assert LexicalIndex([]).scores(term_codes("cat")).shape == (0,)
    assert LexicalIndex([term_codes("dog")]).scores(term_codes("cat")).tolist() == [0.0]


def test_a_sentence_end_is_no_word() -> None:
    end = np.array([SENTENCE_END], dtype=np.uint32)
    parts = [term_codes("Lamps"), end, term_codes("One lamp."), end, term_codes("Two lamps.")]
    with_ends = np.concatenate(parts)
    assert LexicalIndex([with_ends]).scores(term_codes("lamps")) == pytest.approx(
        LexicalIndex([term_codes("Lamps One lamp. Two lamps.")]).scores(term_codes("lamps"))
    )
