"""The Compare page: one question side by side, blind trials, evaluations, question sets."""

import importlib

import streamlit as st

from assistant.components import html_blocks
from assistant.i18n.texts import t

# view -> the module in assistant.pages that draws it, and its icon; the first is the one that opens
VIEWS = {
    "one": ("compare_side_by_side", "forum"),
    "blind": ("compare_blind", "visibility_off"),
    "evaluation": ("compare_evaluation", "bar_chart"),
    "questions": ("compare_question_sets", "quiz"),
}


def draw() -> None:
    """The page; the address holds the view, so that a trial can be sent to somebody."""
    html_blocks.title(t("page.compare"), t("compare.lead"))
    wanted = st.query_params.get("view", "")
    if "compare-view" not in st.session_state:
        st.session_state["compare-view"] = wanted if wanted in VIEWS else next(iter(VIEWS))
    chosen = st.segmented_control(
        t("compare.view"),
        list(VIEWS),
        key="compare-view",
        required=True,
        label_visibility="collapsed",
        format_func=lambda view: f":material/{VIEWS[view][1]}: {t(f'compare.view.{view}')}",
    )
    view = str(chosen)
    if wanted != view:
        st.query_params["view"] = view
    module = importlib.import_module(f"assistant.pages.{VIEWS[view][0]}")
    module.draw()
