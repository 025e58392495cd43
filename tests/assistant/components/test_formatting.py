"""Seconds and sizes as a person says them."""

from assistant.components import formatting
from assistant.i18n.texts import use_language


def test_figures_read_like_a_person_says_them() -> None:
    assert [formatting.seconds(value) for value in (0.84, 12.2, 400.0, 7200.0, None)] == [
        "0.8 s",
        "12 s",
        "7 min",
        "2 h 0 min",
        "–",
    ]
    assert [formatting.size(value) for value in (900, 812_000, 1_400_000_000)] == [
        "900 B",
        "812 KB",
        "1.4 GB",
    ]


def test_large_numbers_and_pages_are_said_as_the_language_says_them() -> None:
    assert [formatting.large(value) for value in (920, 134_500_000, 1_540_000_000)] == [
        "920",
        "134.5 million",
        "1.5 billion",
    ]
    assert formatting.location("a.pdf", 3, ["Care"]) == "a.pdf › p. 3 › Care"
    use_language("zh")
    try:
        assert [formatting.large(value) for value in (920, 48_000, 134_500_000)] == [
            "920",
            "4.8 万",
            "1.3 亿",
        ]
        assert formatting.location("a.pdf", 3, ["保养"]) == "a.pdf › 第 3 页 › 保养"
    finally:
        use_language("en")
