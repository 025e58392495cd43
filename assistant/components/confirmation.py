"""The question before something is deleted: a dialog with the way back chosen first."""

from collections.abc import Callable

import streamlit as st

from assistant.components import html_blocks
from assistant.errors import KNOWN_ERRORS
from assistant.i18n.texts import t
from assistant.session import notices


def ask(title: str, question: str, delete: Callable[[], object]) -> None:
    """Ask in a dialog, and call `delete` where the answer is yes."""
    st.dialog(title, icon=":material/delete:")(_draw)(question, delete)


def _draw(question: str, delete: Callable[[], object]) -> None:
    notices.apply_language()
    html_blocks.paragraph(question)
    refused = st.session_state.pop("delete-refused", "")
    if refused:
        st.error(refused, icon=":material/error:")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(t("cancel"), key="delete-cancel", type="tertiary"):
            st.rerun()
        done = st.button(t("delete"), key="delete-sure", type="primary", on_click=_delete, args=(delete,))
    if done and not refused:
        st.rerun()


def _delete(delete: Callable[[], object]) -> None:
    """A callback: what is deleted is gone before the page is drawn again."""
    notices.apply_language()
    try:
        delete()
    except KNOWN_ERRORS as error:
        st.session_state["delete-refused"] = notices.sentence(error)
