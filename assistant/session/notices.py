"""Errors, toasts and the interface language of this run, said on the page."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from assistant.errors import KNOWN_ERRORS
from assistant.i18n.texts import use_language
from assistant.session.resources import workspace


def apply_language() -> None:
    """Use the person's language in this run; fragments run in threads of their own and begin with this."""
    language: str = workspace().settings.language
    if language == "auto":
        language = (st.context.locale or "").split("-")[0].lower()
    use_language(language)


@contextmanager
def show_errors() -> Iterator[None]:
    """Turn any error that Imprint knows into one sentence on the page."""
    try:
        yield
    except KNOWN_ERRORS as error:
        st.error(sentence(error), icon=":material/error:")


def sentence(error: Exception) -> str:
    """What went wrong, as one sentence; `$` and the like stay what they are."""
    return str(error).replace("$", "\\$") or type(error).__name__


def queue_toast(text: str, icon: str = ":material/check:") -> None:
    """Say something after the rerun that is about to happen."""
    st.session_state.setdefault("notes", []).append((text, icon))


def show_toasts() -> None:
    """Say what was kept by `queue_toast`."""
    for text, icon in st.session_state.pop("notes", []):
        st.toast(text, icon=icon)
