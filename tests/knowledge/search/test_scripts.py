"""Which scripts texts are written in."""

import pytest

from knowledge.search.scripts import is_written_in, script_of


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("When does the ferry leave?", "LATIN"),
        ("渡轮几点出发？ (Lumme)", "CJK"),
        ("フェリーは何時に出ますか", "CJK"),
        ("Когда отходит паром?", "CYRILLIC"),
        ("متى تغادر العبارة؟", "ARABIC"),
        ("7:40 – 25%", ""),
    ],
)
def test_script_of_a_text(text: str, script: str) -> None:
    assert script_of(text) == script


def test_a_few_foreign_words_do_not_make_documents_foreign() -> None:
    english = ["The ferry leaves at seven. " * 20, "It is called 渡."]
    assert is_written_in(english, "LATIN") and not is_written_in(english, "CJK")
    assert is_written_in([*english, "渡轮七点出发，每天两班，周日停航。" * 5], "CJK")
