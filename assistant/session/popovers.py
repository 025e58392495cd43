"""Popovers that close after use: one with a new key is a closed one."""

import streamlit as st


def popover_key(name: str) -> str:
    """The key of a popover, for its widget and for `close`."""
    return f"{name}-{st.session_state.get(_counter(name), 0)}"


def close(name: str) -> None:
    """Let the popover be closed in the run that follows."""
    st.session_state[_counter(name)] = st.session_state.get(_counter(name), 0) + 1


def _counter(name: str) -> str:
    return f"popover-closed-{name}"
