"""Scoring follows SQuAD, and has a Chinese counterpart."""

import pytest

from tuning.scoring import exact_match, f1, is_correct, normalise, wilson_interval


@pytest.mark.parametrize(
    ("text", "answers", "right"),
    [
        ("It lasts 47 minutes.", ["47 minutes"], True),
        ("It lasts 147 minutes.", ["47 minutes"], False),
        ("The Eiffel Tower!", ["eiffel tower"], True),
        ("about 1,250 grams", ["1250 grams"], True),
        ("北京是首都。", ["北京"], True),
        ("它重 890 克。", ["890克"], True),
        ("它重1890克。", ["890克"], True),  # characters, as the contract says
        ("型号是T4。", ["T4"], True),
        ("型号是T45。", ["T4"], False),
        ("Ｐａｒｉｓ", ["Paris"], True),
        ("", ["Paris"], False),
        ("Paris", [], False),
    ],
)
def test_an_answer_counts_when_it_contains_one_given(text: str, answers: list[str], right: bool) -> None:
    assert is_correct(text, answers) is right


def test_articles_case_and_punctuation_do_not_matter() -> None:
    assert normalise("The  Cat, a dog & an owl!") == "cat dog owl"
    assert exact_match("The cat.", ["cat"]) == 1.0


def test_f1_counts_words_in_english_and_characters_in_chinese() -> None:
    assert f1("the red cat", ["red dog"]) == pytest.approx(0.5)
    assert f1("青屿港口", ["青屿港"]) == pytest.approx(6 / 7)
    assert f1("nothing", ["red dog"]) == 0.0


def test_the_interval_of_a_share_is_wilsons() -> None:
    low, high = wilson_interval(0.9, 40)  # statsmodels' proportion_confint(36, 40, method="wilson")
    assert (round(low, 4), round(high, 4)) == (0.7695, 0.9604)
    assert wilson_interval(1.0, 0) == (0.0, 1.0)
