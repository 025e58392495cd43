"""The model's name in the composer, and how it answers: its length, its temperature, and the way to other models."""

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.i18n.texts import t
from assistant.session import choices, notices, resources
from assistant.settings import Settings, from_environment

LONGEST_NAME = 22


def draw_button() -> None:
    """The name of the model that answers; pressed, what can be changed about it."""
    settings = resources.workspace().settings
    icon = ":material/cloud:" if settings.engine_url else ":material/memory:"
    name = formatting.escape_markdown(_short(settings))
    with st.popover(name, icon=icon, type="tertiary", key="answer-options", help=t("answering.help")):
        _draw(settings)


def _short(settings: Settings) -> str:
    """The name without its owner or folder."""
    name = (settings.engine_model or "" if settings.engine_url else settings.base_model).rstrip("/")
    short = name.rpartition("/")[2]
    return short if len(short) <= LONGEST_NAME else f"{short[: LONGEST_NAME - 1]}…"


def _draw(settings: Settings) -> None:
    fixed = from_environment()
    elsewhere = t("answering.endpoint", url=settings.engine_url or "")
    html_blocks.quiet(elsewhere if settings.engine_url else t("answering.here"))
    with st.form("answering-form", border=False):
        temperature = st.slider(
            t("settings.temperature"),
            0.0,
            1.5,
            settings.temperature,
            0.1,
            disabled="temperature" in fixed,
            help=t("settings.temperature.help"),
            width=300,
        )
        longest = st.number_input(
            t("settings.longest"), 16, 4096, settings.max_new_tokens, 16, disabled="max_new_tokens" in fixed
        )
        if st.form_submit_button(t("save"), width="stretch"):
            _save(settings, temperature, int(longest))
    if st.button(t("answering.others"), icon=":material/swap_horiz:", key="other-models", width="stretch"):
        st.switch_page(choices.page("settings"))


def _save(settings: Settings, temperature: float, longest: int) -> None:
    wanted = {"temperature": temperature, "max_new_tokens": longest}
    changed = {name: value for name, value in wanted.items() if getattr(settings, name) != value}
    with notices.show_errors():
        resources.workspace().change(**changed)
        notices.queue_toast(t("settings.saved"))
        st.rerun()
