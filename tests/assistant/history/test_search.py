"""What a search matches is tested with the store; here, the text around a match."""

import pytest

from assistant.history.search import excerpt, pattern


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The Heron flies.", "The Heron flies."),
        ("It is said that the HERON\nflies far away.", "…that the HERON flies far…"),
    ],
)
def test_an_excerpt_is_one_line_around_the_first_match(text: str, shown: str) -> None:
    assert excerpt(text, "heron", width=10) == shown


def test_wildcards_of_like_stand_for_themselves() -> None:
    assert pattern("100%_\\") == "%100\\%\\_\\\\%"
