"""What counts as found under a multilingual model, whose cosines say little by themselves."""

import numpy as np
import pytest

from knowledge.index.model_families import DEFAULT_FAMILY, FAMILIES, family_of
from knowledge.search.relevance import MIN_RELEVANCE, expected_highest, probability_by_excess


@pytest.mark.parametrize("passages", [5, 50, 500])
def test_the_highest_of_unrelated_cosines_is_expected_where_it_lies(passages: int) -> None:
    drawn = np.random.default_rng(0).normal(size=(4000, passages)).max(axis=1).mean()
    assert abs(expected_highest(passages) - drawn) < 0.35


def test_shared_words_need_a_close_passage_and_strange_words_only_a_closer_one() -> None:
    assert probability_by_excess(0.3, 0.0) > MIN_RELEVANCE  # across languages no word is shared
    assert probability_by_excess(0.3, 0.3) < MIN_RELEVANCE < probability_by_excess(0.8, 0.8)
    assert probability_by_excess(-1.0, 0.0) < MIN_RELEVANCE


def test_models_are_of_the_family_that_their_name_says() -> None:
    assert family_of("/home/x/models/embeddings/multilingual-e5-small") is FAMILIES["multilingual-e5"]
    assert family_of("intfloat/e5-base-v2") is FAMILIES["e5"]
    assert family_of("BAAI/bge-small-zh-v1.5") is FAMILIES["bge-small-zh"]
    assert family_of("all-minilm-l6-v2") is DEFAULT_FAMILY and not DEFAULT_FAMILY.by_deviation
