"""Errors and toasts on the page, and the interface language of a run."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from assistant.errors import KNOWN_ERRORS, sentence_of
from assistant.i18n.texts import t, translated, use_language
from assistant.safe_markdown import rewrite
from assistant.session.resources import workspace


def apply_language() -> None:
    """Use the language of the settings or the browser; called first in every run, and in every fragment's."""
    language: str = workspace().settings.language
    if language == "auto":
        language = (st.context.locale or "").split("-")[0].lower()
    use_language(language)


def refuse_unchecked() -> None:
    """End the run with how Imprint is started; nothing of the home is opened."""
    use_language((st.context.locale or "").split("-")[0].lower())
    st.error(t("app.unchecked"), icon=":material/error:")
    st.stop()


@contextmanager
def show_errors() -> Iterator[None]:
    """Show any error of Imprint as one sentence on the page."""
    try:
        yield
    except KNOWN_ERRORS as error:
        st.error(sentence(error), icon=":material/error:")


def sentence(error: Exception) -> str:
    """The message of an error as Markdown; what it quotes of others loads nothing."""
    return _safe(translated(sentence_of(error)))


def queue_toast(text: str, icon: str = ":material/check:") -> None:
    """Show a toast after the rerun that is about to happen."""
    st.session_state.setdefault("notes", []).append((text, icon))


def show_toasts() -> None:
    """Show the toasts of `queue_toast`."""
    for text, icon in st.session_state.pop("notes", []):
        st.toast(_safe(text), icon=icon)


def _safe(text: str) -> str:
    return rewrite(text, t("message.picture", host="{host}"))
