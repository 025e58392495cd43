"""What counts as found under a multilingual model, whose cosines say little by themselves."""

import numpy as np
import pytest

from knowledge.index.model_families import DEFAULT_FAMILY, FAMILIES, family_of
from knowledge.search.relevance import (
    MIN_RELEVANCE,
    Named,
    expected_highest,
    probability,
    probability_by_excess,
)
from knowledge.text.terms import term_codes


@pytest.mark.parametrize("passages", [5, 50, 500])
def test_the_highest_of_unrelated_cosines_is_expected_where_it_lies(passages: int) -> None:
    drawn = np.random.default_rng(0).normal(size=(4000, passages)).max(axis=1).mean()
    assert abs(expected_highest(passages) - drawn) < 0.35


def test_shared_words_need_a_close_passage_and_strange_words_only_a_closer_one() -> None:
    assert probability_by_excess(0.3, 0.0) > MIN_RELEVANCE  # across languages no word is shared
    assert probability_by_excess(0.3, 0.3) < MIN_RELEVANCE < probability_by_excess(0.8, 0.8)
    assert probability_by_excess(-1.0, 0.0) < MIN_RELEVANCE


def test_few_passages_need_to_share_less_where_the_words_decide_alone() -> None:
    few, many = (probability(0.3, 0.16, fluency=0.0, passages=count) for count in (10, 400))
    assert few > MIN_RELEVANCE > many
    assert probability(0.3, 0.16, 1.0, 10) == probability(0.3, 0.16, 1.0, 400)
    assert probability(0.3, 0.01, 0.0, 1) < MIN_RELEVANCE  # one shared pair of characters is chance


def test_models_are_of_the_family_that_their_name_says() -> None:
    assert family_of("/home/x/models/embeddings/multilingual-e5-small") is FAMILIES["multilingual-e5"]
    assert family_of("intfloat/e5-base-v2") is FAMILIES["e5"]
    assert family_of("BAAI/bge-small-zh-v1.5") is FAMILIES["bge-small-zh"]
    assert family_of("all-minilm-l6-v2") is DEFAULT_FAMILY and not DEFAULT_FAMILY.by_deviation


@pytest.mark.parametrize(
    ("question", "passage", "named"),
    [
        (
            "What will dangle round the neck of a buyer of the Nimbus Pass?",
            "The Nimbus Pass comes with a whistle.",
            True,
        ),
        ("What does Quibble keep squawking?", "The parrot Quibble says only “rain”.", True),
        (
            "Which sort of shopper pays less at the gift shop?",
            "The gift shop gives nurses a tenth off.",
            True,
        ),
        ("Who leads Radio Fallowgate and the Kettle Hour?", "Radio Arvik is led by Ida.", False),
        ("When is it open?", "It is open from nine.", False),
        ("请问豆浆这只天鹅的配偶叫什么名字？", "天鹅豆浆的伴侣是油条。", False),
    ],
)
def test_a_question_names_what_stands_in_a_passage(question: str, passage: str, named: bool) -> None:
    assert Named.of(question).is_in(term_codes(passage)) is named
