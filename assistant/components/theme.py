"""The colours, the logo and the style sheet of the pages."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
LOGO = HERE / "logo.svg"
MARK = HERE / "mark.svg"
INK, PENCIL, AMBER, GRAY, RED = "#333f8f", "#14776f", "#a8641a", "#75787f", "#b23a3a"
SERIES = (INK, PENCIL, AMBER, "#8d5a97", GRAY, RED)
# Parts of the context window, from left to right.
PART_COLOURS = {
    "system": "#b08a4a",
    "examples": "#d3b783",
    "passages": PENCIL,
    "history": "#8f97c7",
    "question": INK,
}


def apply_theme() -> None:
    """Put the style sheet and the logo on the page; every page does so through the app."""
    st.html(HERE / "style.css")
    st.logo(LOGO, size="large", icon_image=MARK)
