"""BM25: the terms of every script, and the same numbers as the library's own builder."""

import bm25s
import numpy as np
import pytest

from knowledge.index.bm25 import K1, B, LexicalIndex
from knowledge.search.followup import is_follow_up, referenced_questions
from knowledge.search.fusion import Background, dequantize, fuse, quantize, standardise_lexical
from knowledge.search.proximity import Proximity, proximity
from knowledge.text.sentences import sentence_spans
from knowledge.text.terms import matching_spans, passage_codes, term_codes, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bridges, bridge's ÉTÉ", ["bridg", "bridg", "s", "été"]),
        ("你好世界", ["你好", "好世", "世界"]),
        ("第3章 K-12", ["第", "3", "章", "k", "12"]),
        ("สวัสดี", ["สว", "วั", "ัส", "สด", "ดี"]),
        ("—", []),
    ],
)
def test_terms_of_every_script(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


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


def test_matching_words_are_marked() -> None:
    text = "Kettles weigh 840 grams. 图书馆的馆长"
    marked = [text[start:end] for start, end in matching_spans(text, set(terms("kettle grams 图书馆")))]
    assert marked == ["Kettles", "grams", "图书馆"]


def test_a_side_that_knows_nothing_does_not_outvote_the_other() -> None:
    lexical = standardise_lexical(np.array([9.0, 1.0, 0.0, 0.0]), np.array([9.0, 1.0]))
    misleading = np.array([-1.0, 3.0])
    nowhere = Proximity(np.zeros(2), np.zeros(2), np.zeros(2))
    assert fuse(misleading, lexical, nowhere, fluency=0.0).argmax() == 0


def test_an_empty_background_still_gives_a_scale() -> None:
    standard = Background.of([]).standardise(np.zeros(4), np.array([0.05, 0.5]))
    assert standard[0] == pytest.approx(0) and standard[1] > 3


@pytest.mark.parametrize(
    "question", ["and how heavy is it?", "What about the colour?", "它有多重？", "那颜色呢？", "Why?"]
)
def test_a_question_that_points_back_is_known(question: str) -> None:
    assert is_follow_up(question)


@pytest.mark.parametrize(
    "question", ["Who designed the Zephyr kettle?", "图书馆的馆长是谁？", "What does the ferry cost?"]
)
def test_a_question_that_stands_alone_is_known(question: str) -> None:
    assert not is_follow_up(question)


def test_the_conversation_is_followed_back_to_a_question_that_stands_alone() -> None:
    said = ["Where is Orrin?", "Who designed the Zephyr kettle?", "And when?"]
    history = [{"role": "user", "content": text} for text in said]
    assert referenced_questions("And how heavy is it?", history) == [
        "And when?",
        "Who designed the Zephyr kettle?",
    ]
    assert referenced_questions("What does the ferry cost?", history) == []


def test_packed_vectors_keep_their_direction() -> None:
    vectors = np.random.default_rng(0).normal(size=(5, 384))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    assert (dequantize(quantize(vectors), 384) * vectors).sum(axis=1).min() > 0.9995
    assert dequantize(quantize(vectors[:0]), 384).shape == (0, 384)


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


def test_nothing_is_close_where_there_is_nothing() -> None:
    index = LexicalIndex([term_codes("dog")])
    assert proximity([], term_codes("dog"), index.idf).coverage.shape == (0,)
    for question in ("", "what is the", "cat"):
        found = proximity([term_codes("dog"), term_codes("")], term_codes(question), index.idf)
        for shares in (found.coverage, found.sentence_coverage, found.bigram_overlap):
            assert shares.tolist() == [0, 0]


def test_a_sentence_end_is_no_word() -> None:
    with_ends = codes_of("Lamps\nOne lamp. Two lamps.")
    assert LexicalIndex([with_ends]).scores(term_codes("lamps")) == pytest.approx(
        LexicalIndex([term_codes("Lamps One lamp. Two lamps.")]).scores(term_codes("lamps"))
    )
