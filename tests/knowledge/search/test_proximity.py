"""Proximity of the question's terms in a passage."""

import numpy as np
import pytest

from knowledge.index.bm25 import LexicalIndex
from knowledge.search.proximity import proximity
from knowledge.text.sentences import sentence_spans
from knowledge.text.terms import passage_codes, term_codes


def codes_of(context: str) -> np.ndarray:
    head = context.find("\n") + 1
    return passage_codes(
        context, [(head + start, head + end) for start, end in sentence_spans(context[head:])]
    )


def test_words_that_meet_in_one_sentence_count_more_than_the_same_words_apart() -> None:
    together = codes_of("Lamps\nThe Skerrin weighs 640 grams. The Tolva is red.")
    apart = codes_of("Lamps\nThe Skerrin is red. The Tolva weighs 640 grams.")
    under_a_title = codes_of("Skerrin\nIt is red. It weighs 640 grams.")
    passages = [together, apart, under_a_title]
    index = LexicalIndex(passages)
    shares = proximity(passages, term_codes("What weighs the Skerrin in grams?"), index.idf).sentence_coverage
    assert shares[0] == pytest.approx(1) and shares[2] == pytest.approx(1) and shares[1] < 0.8
    pairs = proximity(passages, term_codes("the Skerrin weighs"), index.idf).bigram_overlap
    assert pairs[0] == pytest.approx(1) and pairs[1] < 1 and pairs[2] == 0


def test_the_name_of_the_only_subject_weighs_nothing_but_counts_as_a_word() -> None:
    passages = [codes_of(f"Skerrin\nThe Skerrin has part {number}.") for number in range(9)]
    index = LexicalIndex(passages)
    found = proximity(passages, term_codes("Who twiddles the Skerrin?"), index.idf)
    assert found.coverage.max() < 0.1 and found.plain_coverage.tolist() == [0.5] * 9
    elsewhere = proximity(passages, term_codes("Who composed the Tannhäuser?"), index.idf)
    assert elsewhere.plain_coverage.tolist() == [0] * 9


def test_nothing_is_close_where_there_is_nothing() -> None:
    index = LexicalIndex([term_codes("dog")])
    assert proximity([], term_codes("dog"), index.idf).coverage.shape == (0,)
    for question in ("", "what is the", "cat"):
        found = proximity([term_codes("dog"), term_codes("")], term_codes(question), index.idf)
        for shares in (found.coverage, found.sentence_coverage, found.bigram_overlap):
            assert shares.tolist() == [0, 0]
