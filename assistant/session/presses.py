"""Presses of a button that come twice, quickly: the second one is no second order."""

import time
from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

DOUBLE_SECONDS = 3.0
_KEY = "_ordered"
Found = TypeVar("Found")


def order_once(what: Hashable, order: Callable[[], Found]) -> Found | None:
    """What `order` gives; None where this tab ordered the same within the last seconds. An order that fails is none."""
    before, now = st.session_state.get(_KEY), time.monotonic()
    if before is not None and before[0] == what and now - before[1] < DOUBLE_SECONDS:
        return None
    st.session_state[_KEY] = (
        what,
        now,
    )  # first: a second press ends this run at its next look at the session
    try:
        return order()
    except Exception:
        del st.session_state[_KEY]
        raise
