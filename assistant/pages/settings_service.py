"""The fine-tuning service, on the Settings page: its address, the model that it tunes, and its key."""

import streamlit as st

from assistant.components import html_blocks
from assistant.i18n.texts import t
from assistant.session import notices, resources
from assistant.settings import from_environment

FIELDS = ("fine_tuning_url", "fine_tuning_model", "fine_tuning_key")


def draw() -> None:
    """The form; nothing is sent by it."""
    settings = resources.workspace().settings
    fixed = bool(from_environment().keys() & set(FIELDS))
    with st.expander(t("service.title"), icon=":material/cloud_upload:", key="service"):
        html_blocks.quiet(t("service.lead"))
        with st.form("service-form", border=False):
            left, middle, right = st.columns([2, 1.4, 1.4])
            url = left.text_input(
                t("endpoint.url"),
                settings.fine_tuning_url or "",
                placeholder="https://api.openai.com/v1",
                key="service-url",
                disabled=fixed,
            )
            model = middle.text_input(
                t("endpoint.model"),
                settings.fine_tuning_model or "",
                key="service-default-model",
                disabled=fixed,
            )
            key = right.text_input(
                t("endpoint.key"),
                settings.fine_tuning_key or "",
                type="password",
                autocomplete="off",
                key="service-key",
                disabled=fixed,
                help=t("endpoint.key.help"),
            )
            saved = st.form_submit_button(t("service.save"), type="primary", disabled=fixed)
    if saved:
        with notices.show_errors():
            given = {
                name: (value or "").strip() or None
                for name, value in zip(FIELDS, (url, model, key), strict=True)
            }
            resources.workspace().change(**given)
            notices.queue_toast(t("settings.saved"))
            st.rerun()
