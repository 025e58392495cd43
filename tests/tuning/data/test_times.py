"""Times of other programs: any unit, any notation, and what cannot be a time is none."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuning.data.times import TOLERANCE_SECONDS, plausible_seconds


@pytest.mark.parametrize("value", [1.7e9, 1.7e12, 1.7e15, 1.7e18, 1_700_000_000, "1700000000", "1.7e12",
                                   "2023-11-14T22:13:20Z", "2023-11-14T23:13:20+01:00"])  # fmt: skip
def test_a_moment_in_any_notation(value: object) -> None:
    assert plausible_seconds(value) == 1.7e9


@pytest.mark.parametrize("value", [None, True, "", "soon", "0001-01-01", -1.7e9, 0, 5.0, 1e308, 10**400, float("nan"),
                                   float("inf"), "nan", "1e999", [1.7e9], {}, b"1700000000"])  # fmt: skip
def test_what_is_no_moment(value: object) -> None:
    assert plausible_seconds(value) is None


@given(st.floats() | st.integers() | st.text() | st.booleans())
def test_whatever_comes_is_a_moment_or_none(value: object) -> None:
    found = plausible_seconds(value)
    assert found is None or 631_152_000 <= found <= time.time() + TOLERANCE_SECONDS
