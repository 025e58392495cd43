"""The list of keyboard shortcuts: a button in the sidebar, or "?" outside of any field."""

import streamlit as st

from assistant.components import html_blocks, tour
from assistant.i18n.texts import t
from assistant.session import notices

# Keys -> the text of what they do
SHORTCUTS = {
    "Enter": "keys.send",
    "Shift + Enter": "keys.line",
    "Esc": "keys.stop",
    "/": "keys.input",
    "/ …": "keys.library",
    "Tab": "keys.tab",
    "A · B · T · N": "keys.vote",
    "?": "keys.list",
}


def draw_button() -> None:
    """The button; the script of the page presses it too."""
    if st.button(t("keys.title"), icon=":material/keyboard:", key="shortcuts", type="tertiary"):
        st.dialog(t("keys.title"))(_draw)()


def _draw() -> None:
    notices.apply_language()
    rows = "".join(
        f"<tr><td><kbd>{html_blocks.escaped(keys)}</kbd></td><td>{html_blocks.escaped(t(said))}</td></tr>"
        for keys, said in SHORTCUTS.items()
    )
    st.html(f'<table class="facts keys"><tbody>{rows}</tbody></table>')
    if st.button(t("tour.again"), icon=":material/play_circle:", key="tour-again", type="tertiary"):
        st.session_state["open-tour"] = True
        st.rerun()


def draw_wanted_tour() -> None:
    """Open the tour where the list of shortcuts asked for it: one dialog cannot open another."""
    if st.session_state.pop("open-tour", False):
        tour.open_tour()
