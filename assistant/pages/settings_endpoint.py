"""A model elsewhere, on the Settings page: its address, its name and key, tried before it is used."""

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.i18n.texts import t
from assistant.models import endpoint
from assistant.session import notices, resources
from assistant.settings import from_environment

FIELDS = ("engine_url", "engine_model", "engine_key")


def draw() -> None:
    """The form, open where an endpoint is in use."""
    settings = resources.workspace().settings
    fixed = from_environment().keys() & set(FIELDS)
    with st.expander(
        t("endpoint.title"), icon=":material/cloud:", key="endpoint", expanded=bool(settings.engine_url)
    ):
        html_blocks.quiet(t("endpoint.lead"))
        with st.form("endpoint-form", border=False):
            left, middle, right = st.columns([2, 1.4, 1.4])
            url = left.text_input(
                t("endpoint.url"),
                settings.engine_url or "",
                placeholder="http://127.0.0.1:8000/v1",
                key="endpoint-url",
                disabled=bool(fixed),
            )
            model = middle.text_input(
                t("endpoint.model"),
                settings.engine_model or "",
                key="endpoint-model",
                disabled=bool(fixed),
                help=t("endpoint.model.help"),
            )
            key = right.text_input(
                t("endpoint.key"),
                settings.engine_key or "",
                type="password",
                autocomplete="off",
                key="endpoint-key",
                disabled=bool(fixed),
                help=t("endpoint.key.help"),
            )
            with st.container(horizontal=True, gap="small"):
                tested = st.form_submit_button(t("endpoint.test"), icon=":material/network_check:")
                used = st.form_submit_button(t("endpoint.use"), type="primary", disabled=bool(fixed))
        if tested or used:
            _try((url or "").strip(), (model or "").strip(), (key or "").strip(), use=used)
        if settings.engine_url and not fixed:
            st.button(t("endpoint.leave"), icon=":material/undo:", key="endpoint-leave", on_click=_leave)


def _try(url: str, model: str, key: str, *, use: bool) -> None:
    """Ask the endpoint one thing; it is chosen only where it answers."""
    with notices.show_errors():
        with st.spinner(t("endpoint.trying", url=formatting.escape_markdown(url))):
            found = endpoint.look_at(url, model, key)
        if not found.answer:
            names = formatting.escape_markdown(", ".join(found.models[:12]) or "–")
            st.info(t("endpoint.models", names=names), icon=":material/info:")
            return
        if use:
            resources.workspace().change(engine_url=url, engine_model=model, engine_key=key or None)
            resources.workspace().preload()
            notices.queue_toast(t("settings.models.chosen", name=model))
            st.rerun()
        st.success(
            t(
                "endpoint.answers",
                model=formatting.escape_markdown(model),
                seconds=formatting.seconds(found.seconds),
                answer=formatting.escape_markdown(found.answer),
            ),
            icon=":material/check:",
        )


def _leave() -> None:
    """A callback: back to the model on this machine."""
    notices.apply_language()
    resources.workspace().change(engine_url=None, engine_model=None, engine_key=None)
    resources.workspace().preload()
