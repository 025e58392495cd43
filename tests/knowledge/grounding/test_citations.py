"""Citations: a sentence carries the number of the passage that says so, or is marked as said by none."""

import pytest

from knowledge.grounding.citations import cite, numbered
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
    assert (found.span is None) == (passage is None)
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


def test_nothing_to_cite_is_no_error() -> None:
    assert cite("", PASSAGES) == [] and cite("…", []) == []
    assert [one.passage for one in cite("A claim without passages.", [])] == [None]


HOURS = "Day: Monday; Morning: 8–12; Afternoon: 14–18\nDay: Tuesday; Morning: 8–12; Afternoon: 14–20"
PRICES = "项目: 常规保养; 价格（元）: 149; 所需时间: 一天\n项目: 补胎; 价格（元）: 35; 所需时间: 二十分钟"


@pytest.mark.parametrize(
    ("table", "question", "answer", "fits"),
    [
        (HOURS, "When is it open on Tuesday?", "Monday.", False),
        (HOURS, "When is it open on Tuesday?", "14–18", False),
        (HOURS, "When is it open on Tuesday?", "14–20", True),
        (HOURS, "On which day is it open from 14 to 20?", "Tuesday.", True),  # no row is named
        (HOURS, "Is it longer open on Tuesday than on Monday?", "Monday: 14–18.", True),
        (
            HOURS.replace("Day: ", "| ")
            .replace("; Morning: ", " | ")
            .replace("; Afternoon: ", " | ")
            .replace("\n", " |\n"),
            "When is it open on Tuesday?",
            "14–18",
            False,
        ),
        (PRICES, "补胎多少钱？", "149", False),
        (PRICES, "补胎多少钱？", "35", True),
    ],
)
def test_the_row_that_is_asked_for_has_to_fit(table: str, question: str, answer: str, fits: bool) -> None:
    assert cite(answer, [table], question=question)[0].supported is fits
