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
        ("票價兩百元，三萬元，兩個，一億", {200, 30000, 2, 10**8}),
        ("人民幣壹仟貳佰元，贰拾伍", {1200, 25}),
        ("廿三日，卅天", {23, 30}),
        ("3萬元、3.5亿、２００元", {30000, 3.5e8, 200}),
        ("٢٠٠ ريال و ١٬٥٠٠٫٥ ، २५ रुपये", {200, 1500.5, 25}),
        ("3 million people, 1.5 billion, 12k, 2 lakh, 5 thousand", {3e6, 1.5e9, 12000, 200000, 5000}),
        ("3만 원", {30000}),
        ("萬一下雨，千萬小心", set()),
    ],
)
def test_numbers_are_values_however_they_are_written(text: str, found: set[float]) -> None:
    assert numbers(text) == found
