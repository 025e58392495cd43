"""Citations: a sentence carries the number of the passage that says so, or is marked as said by none."""

import numpy as np
import pytest

from knowledge.base.projection import project
from knowledge.grounding.citations import cite, numbered
from knowledge.grounding.numbers import numbers
from knowledge.index.embeddings import SentenceEmbeddings
from tests.knowledge.grounding.citation_cases import CHOSEN_ON, JUDGED_ON, Shelf

PASSAGES = [
    "The Zephyr kettle weighs 840 grams. It boils a litre in two minutes. Its handle is made of beech.",
    "风筝城的图书馆建于一九八二年，馆长是林小月。它有三层。",
]


@pytest.mark.parametrize(
    ("sentence", "passage", "span"),
    [
        ("The kettle weighs 840 grams.", 1, "The Zephyr kettle weighs 840 grams."),
        ("The handle of the kettle is beech.", 1, "beech"),
        ("馆长是林小月。", 2, "馆长是林小月"),
        ("The kettle weighs 900 grams.", None, ""),
        ("It was designed on the moon.", None, ""),
        ("图书馆在月球上建成。", None, ""),
    ],
)
def test_each_sentence_is_held_against_the_passages(sentence: str, passage: int | None, span: str) -> None:
    found = cite(f"{sentence} ", PASSAGES)[0]
    assert (found.passage, found.text) == (passage, sentence)
    if found.span and passage:
        start, end = found.span
        assert span in PASSAGES[passage - 1][start:end]


def test_the_answer_is_numbered_sentence_by_sentence() -> None:
    answer = "The kettle weighs 840 grams. It flies to the moon at night.\n馆长是林小月。"
    shown = numbered(answer, cite(answer, PASSAGES))
    assert shown == "The kettle weighs 840 grams. [1] It flies to the moon at night.\n馆长是林小月。 [2]"


def test_a_paraphrase_is_supported_by_its_vector(minilm: SentenceEmbeddings) -> None:
    passages = ["The ferry departs from Sorrel harbour each morning at nine o'clock."]
    sentence = "Every morning at nine o'clock the boat leaves the Sorrel port."
    assert cite(sentence, passages, minilm.embed_documents)[0].supported
    assert not cite("The boat is painted green.", passages, minilm.embed_documents)[0].supported


@pytest.mark.parametrize("shelves", [CHOSEN_ON, JUDGED_ON], ids=["chosen on", "judged on"])
def test_what_is_cited_is_supported_and_what_is_supported_is_cited(
    shelves: tuple[Shelf, ...], minilm: SentenceEmbeddings
) -> None:
    supported = cited = right = 0
    for shelf in shelves:
        for case in shelf.cases:
            (found,) = cite(case.sentence, shelf.passages, minilm.embed_documents, shelf.titles)
            supported += case.passage is not None
            cited += found.supported
            right += found.supported and found.passage == case.passage
    assert right / cited >= 0.95  # measured: 1.0 of 21 and 1.0 of 36
    assert right / supported >= 0.9  # measured: .95 and .97


def test_a_title_names_but_its_number_is_none_of_the_passage() -> None:
    passages, titles = ["It holds 1.8 litres. Descale it after every 300 cups."], ["Heron 200 coffee machine"]
    assert cite("The Heron 200 coffee machine holds 1.8 litres.", passages, contexts=titles)[0].supported
    assert not cite("Descale it after every 200 cups.", passages, contexts=titles)[0].supported
    assert not cite("It holds 8.1 litres.", passages, contexts=titles)[0].supported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5,200 mAh, 1.8 or 1,8 litres", {5200, 1.8}),
        ("every forty minutes, two hundred and five times", {40, 205}),
        ("twenty-five of three thousand four hundred", {25, 3400}),
        ("No one was there.", set()),
        ("票价二十五元，建于一九八二年，三千零六本，两个", {25, 1982, 3006, 2}),
        ("一个三明治十分好吃，千万不要错过", set()),
        ("十二万三千", {123000}),
    ],
)
def test_numbers_are_values_however_they_are_written(text: str, found: set[float]) -> None:
    assert numbers(text) == found


def test_nothing_to_cite_is_no_error() -> None:
    assert cite("", PASSAGES) == [] and cite("…", []) == []
    assert [one.passage for one in cite("A claim without passages.", [])] == [None]


def test_the_map_is_the_same_each_time_and_puts_the_alike_together() -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(2, 16)), 5, axis=0)
    vectors = centres + 0.01 * rng.normal(size=(10, 16))
    points = project(vectors).place(vectors)
    assert np.array_equal(points, project(vectors).place(vectors))
    assert np.abs(points).max() <= 1.0 + 1e-9
    assert abs(points[:5, 0].mean() - points[5:, 0].mean()) > 10 * points[:5, 0].std()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_map_of_hardly_anything_is_drawn_too(count: int) -> None:
    vectors = np.eye(4)[:count]
    assert project(vectors).place(vectors).shape == (count, 2)
