"""Saved questions in the composer: choose one, fill in its blanks, and it stands in the input field."""

import streamlit as st

from assistant.chat.templates import PromptTemplate, PromptTemplates
from assistant.components import formatting, html_blocks
from assistant.i18n.texts import t
from assistant.session import notices, popovers, resources

NAME = "prompt-library"


def draw_button() -> None:
    """The popover; a slash in the empty input field opens it too."""
    with (
        st.container(key="prompt-library", width="content"),
        st.popover(
            t("library.title"),
            icon=":material/bookmarks:",
            type="tertiary",
            key=f"icon-{popovers.popover_key(NAME)}",
            help=t("library.help"),
        ),
        notices.show_errors(),
    ):
        _draw(PromptTemplates(resources.workspace().home))


def _draw(saved: PromptTemplates) -> None:
    templates = {one.name: one for one in saved.list()}
    if templates:
        name = st.selectbox(
            t("library.choose"), list(templates), key="library-choice", format_func=formatting.escape_markdown
        )
        _draw_blanks(saved, templates[name])
    else:
        html_blocks.quiet(t("library.none"))
    with st.expander(t("library.new"), expanded=not templates, type="compact"):
        _draw_new(saved)


def _draw_blanks(saved: PromptTemplates, chosen: PromptTemplate) -> None:
    with st.form("library-form", border=False):
        html_blocks.quiet(chosen.text)
        values = {
            blank: st.text_area(
                formatting.escape_markdown(blank),
                key=f"blank-{chosen.name}-{blank}",
                height="content",
                width=360,
            )
            or ""
            for blank in chosen.blanks
        }
        if st.form_submit_button(t("library.use"), type="primary", width="stretch"):
            st.session_state["next-question"] = chosen.filled(values)
            popovers.close(NAME)
            st.rerun()
    if st.button(t("library.delete"), icon=":material/delete:", key="library-delete", type="tertiary"):
        saved.delete(chosen.name)
        st.rerun()


def _draw_new(saved: PromptTemplates) -> None:
    with st.form("library-new", border=False, clear_on_submit=True):
        name = st.text_input(t("library.name"), key="library-name", width=360)
        text = st.text_area(
            t("library.text"),
            key="library-text",
            placeholder=t("library.text.placeholder"),
            help=t("library.text.help"),
            width=360,
            height=110,
        )
        if st.form_submit_button(t("save"), key="library-save"):
            with notices.show_errors():
                saved.save(PromptTemplate((name or "").strip(), text or ""))
                st.rerun()
