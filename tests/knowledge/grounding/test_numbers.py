"""Numbers that a text states, however they are written."""

import pytest

from knowledge.grounding.numbers import numbers


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
