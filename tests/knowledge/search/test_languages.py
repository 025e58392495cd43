"""Which languages texts are in, and that a question is in none of them."""

import pytest

from knowledge.search.languages import is_in_another, languages_of

ENGLISH = (
    "The kettle weighs 840 grams and comes in teal and ochre. It boils a litre of water in four minutes."
)
GERMAN = "Der Wasserkocher wiegt 840 Gramm und kocht einen Liter Wasser in vier Minuten. Er ist blau."


def test_documents_are_in_the_languages_of_most_of_their_text() -> None:
    assert languages_of([ENGLISH] * 30 + ["Bonjour."]) == ("en",)
    assert languages_of([ENGLISH, GERMAN, GERMAN]) == ("de", "en")
    assert languages_of(["水壶重八百四十克，有两种颜色。图书馆建于一九八二年。"]) == ("zh",)


@pytest.mark.parametrize(
    "question",
    [
        "Wie schwer ist der Kessel?",
        "Combien pèse la bouilloire ?",
        "¿Cuánto pesa la tetera?",
        "Quanto pesa il bollitore?",
    ],
)
def test_a_question_in_another_language_of_the_same_script_is_known(question: str) -> None:
    assert is_in_another(question, ["en"])


@pytest.mark.parametrize(
    "question",
    [
        "How heavy is the kettle?",
        "Skerrin weight?",
        "Who leads Halden?",
        "Zephyr",
        "kettle",
        "7:40?",
        "",
        "ferry timetable",
    ],
)
def test_names_and_english_are_in_no_other_language_than_english(question: str) -> None:
    assert not is_in_another(question, ["en"])


def test_one_of_several_languages_is_enough() -> None:
    assert not is_in_another("Wie schwer ist der Kessel?", ["en", "de"])
    assert not is_in_another("Hva koster en sykkel i Oslo?", ["da"])  # written nearly alike
