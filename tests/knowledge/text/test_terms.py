"""Terms of every script, and where a text has them."""

import pytest

from knowledge.text.terms import matching_spans, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bridges, bridge's ÉTÉ", ["bridg", "bridg", "s", "ete"]),
        ("你好世界", ["你好", "好世", "世界"]),
        ("第3章 K-12", ["第", "3", "章", "k", "12"]),
        ("สวัสดี", ["สว", "วั", "ัส", "สด", "ดี"]),
        ("—", []),
    ],
)
def test_terms_of_every_script(text: str, expected: list[str]) -> None:
    assert terms(text) == expected


def test_matching_words_are_marked() -> None:
    text = "Kettles weigh 840 grams. 图书馆的馆长"
    marked = [text[start:end] for start, end in matching_spans(text, set(terms("kettle grams 图书馆")))]
    assert marked == ["Kettles", "grams", "图书馆"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("圖書館開放時間", "图书馆开放时间"),
        ("三萬元", "三万元"),
        ("ＡＢＣ１２３", "abc123"),
        ("ｶﾀｶﾅ", "カタカナ"),
        ("ひらがな", "ヒラガナ"),
        ("ﬁnal oﬀer", "final offer"),
        ("Crème brûlée", "creme brulee"),
        ("e\u0301te\u0301", "été"),
        ("Straße in Łódź, smørbrød", "strasse in lodz, smorbrod"),
        ("Ὀδυσσεύς", "ΟΔΥΣΣΕΥΣ"),
    ],
)
def test_ways_of_writing_find_each_other(one: str, other: str) -> None:
    assert terms(one) == terms(other) != []


def test_marks_that_are_letters_stay() -> None:
    assert terms("мой") != terms("мои")
    assert terms("かき") != terms("がき")


def test_traditional_words_are_marked_for_a_simplified_question() -> None:
    text = "這座圖書館很大"
    assert [text[start:end] for start, end in matching_spans(text, set(terms("图书馆")))] == ["圖書館"]
