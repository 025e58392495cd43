"""The words nearest to what a prompt method learned."""

from collections.abc import Sequence

import streamlit as st

from assistant.components import html_blocks, tensor_maps
from assistant.i18n.texts import t


def draw(words: Sequence[Sequence[str]]) -> None:
    """The words nearest to each virtual token, where the method learns such."""
    if words:
        with st.expander(t("report.words", count=len(words)), type="compact"):
            html_blocks.quiet(t("visible.words.said"))
            st.html(tensor_maps.nearest_words(words))
