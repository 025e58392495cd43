"""Seconds and sizes as a person says them."""

from assistant.components import formatting


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
