"""Reading order on any arrangement of words: nothing is lost, nothing is said twice."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.readers.pdf_layout import reading_order
from knowledge.readers.pdf_tables import Edge, ruled_tables
from knowledge.readers.positioned_text import Line, Table, Word

pytestmark = pytest.mark.slow

places = st.lists(
    st.tuples(
        st.integers(0, 55).map(lambda x: x * 10.0),
        st.integers(0, 60).map(lambda y: y * 7.0),
        st.integers(10, 260),
        st.sampled_from([8.0, 10.0, 10.0, 10.0, 18.0]),
    ),
    max_size=80,
)


def words_at(places: list[tuple[float, float, int, float]]) -> list[Word]:
    return [
        Word(f"w{number}", x, x + width, y, y + size, size, False)
        for number, (x, y, width, size) in enumerate(places)
    ]


def said(items: list[Line | Table]) -> Counter[str]:
    texts = [
        item.text if isinstance(item, Line) else " ".join(cell for row in item.rows for cell in row)
        for item in items
    ]
    return Counter(word for text in texts for word in text.split())


@settings(max_examples=300, deadline=None)
@given(places=places)
def test_every_word_is_said_once(places: list[tuple[float, float, int, float]]) -> None:
    words = words_at(places)
    assert said(reading_order(words, [])) == Counter(word.text for word in words)


@settings(max_examples=200, deadline=None)
@given(
    places=places,
    xs=st.lists(st.integers(0, 60).map(lambda x: x * 10.0), min_size=3, max_size=6, unique=True),
    ys=st.lists(st.integers(0, 60).map(lambda y: y * 8.0), min_size=2, max_size=8, unique=True),
    left_out=st.sets(st.integers(0, 13), max_size=5),
)
def test_every_word_of_a_ruled_page_is_said(
    places: list[tuple[float, float, int, float]], xs: list[float], ys: list[float], left_out: set[int]
) -> None:
    edges = [Edge(x, min(ys), x, max(ys)) for x in xs] + [Edge(min(xs), y, max(xs), y) for y in ys]
    edges = [edge for number, edge in enumerate(edges) if number not in left_out]
    words = words_at(places)
    tables, rest = ruled_tables(edges, words)
    found = said(reading_order(rest, tables))
    assert set(found) == {word.text for word in words}
