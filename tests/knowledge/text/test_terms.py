"""Terms of every script, and where a text has them."""

import pytest

from knowledge.text.terms import matching_spans, terms


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


def test_matching_words_are_marked() -> None:
    text = "Kettles weigh 840 grams. 图书馆的馆长"
    marked = [text[start:end] for start, end in matching_spans(text, set(terms("kettle grams 图书馆")))]
    assert marked == ["Kettles", "grams", "图书馆"]
