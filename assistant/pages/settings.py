"""The Settings page: model, device, answers, language, retrieval, storage and privacy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from assistant.components import html_blocks
from assistant.i18n.texts import LANGUAGE_NAMES, t
from assistant.pages import settings_endpoint, settings_models, settings_service, settings_storage
from assistant.session import notices, resources
from assistant.settings import ENGINES, LANGUAGES, MODEL_CAPABILITIES, from_environment
from assistant.web.token_check import LOGOUT

if TYPE_CHECKING:
    from knowledge.index.embedding_models import Reads


def draw() -> None:
    """The page."""
    url = resources.workspace().settings.engine_url
    lead = t("settings.lead.endpoint", url=url) if url else t("settings.lead")
    html_blocks.title(t("page.settings"), lead)
    settings_models.draw()
    settings_endpoint.draw()
    settings_service.draw()
    _draw_device()
    _draw_answers()
    _draw_retrieval()
    settings_storage.draw()
    _draw_place()


def _draw_device() -> None:
    settings = resources.workspace().settings
    with (
        st.form("device-form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        device = st.selectbox(
            t("settings.device"),
            [None, "cpu", "cuda", "mps"],
            index=[None, "cpu", "cuda", "mps"].index(settings.device),
            key="device",
            format_func=lambda value: value or t("settings.device.auto"),
            disabled="device" in from_environment(),
            width=180,
        )
        engine = st.selectbox(
            t("settings.engine"),
            ENGINES,
            index=ENGINES.index(settings.engine),
            key="engine",
            format_func=lambda value: t(f"settings.engine.{value}"),
            disabled="engine" in from_environment(),
            help=t("settings.engine.help"),
            width=280,
        )
        if st.form_submit_button(t("settings.models.device")):
            _change(device=device, engine=engine)


def _draw_answers() -> None:
    settings, fixed = resources.workspace().settings, from_environment()
    st.subheader(t("settings.answers"), anchor=False)
    with st.form("answers-form", border=False):
        left, middle, right = st.columns(3)
        language = left.selectbox(
            t("settings.language"),
            LANGUAGES,
            index=LANGUAGES.index(settings.language),
            format_func=lambda code: LANGUAGE_NAMES.get(code) or t("settings.language.auto"),
            disabled="language" in fixed,
        )
        passages = middle.number_input(
            t("settings.passages"),
            1,
            50,
            settings.passages,
            disabled="passages" in fixed,
            help=t("settings.passages.help"),
        )
        longest = right.number_input(
            t("settings.longest"), 16, 4096, settings.max_new_tokens, 16, disabled="max_new_tokens" in fixed
        )
        temperature = left.slider(
            t("settings.temperature"),
            0.0,
            1.5,
            settings.temperature,
            0.1,
            disabled="temperature" in fixed,
            help=t("settings.temperature.help"),
        )
        capability = middle.selectbox(
            t("settings.capability"),
            MODEL_CAPABILITIES,
            index=MODEL_CAPABILITIES.index(settings.capability),
            format_func=lambda name: t(f"settings.capability.{name}"),
            disabled="capability" in fixed,
            help=t("settings.capability.help"),
        )
        template_options = right.text_input(
            t("settings.template_options"),
            settings.template_options,
            placeholder='{"enable_thinking": false}',
            disabled="template_options" in fixed,
            help=t("settings.template_options.help"),
        )
        if st.form_submit_button(t("save"), type="primary"):
            _change(
                language=language,
                passages=passages,
                max_new_tokens=longest,
                temperature=temperature,
                capability=capability,
                template_options=(template_options or "").strip(),
            )
    for name, variable in fixed.items():
        html_blocks.quiet(t("settings.fixed", name=name, variable=variable))


def _draw_retrieval() -> None:
    """Embedding model and reranker: each a name on a hub or a folder on this machine."""
    from knowledge.index.embedding_models import EMBEDDINGS  # heavy: torch, imported by the models above
    from knowledge.search.reranking import RERANKERS

    settings, fixed = resources.workspace().settings, from_environment()
    st.subheader(t("settings.retrieval"), anchor=False)
    with (
        st.form("retrieval-form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        embedder = st.selectbox(
            t("settings.embedding"),
            dict.fromkeys([settings.embedding_model, *EMBEDDINGS]),
            key="embedding-model",
            accept_new_options=True,
            format_func=lambda name: _offered(name, EMBEDDINGS),
            disabled="embedding_model" in fixed,
            help=t("settings.embedding.help"),
            width=340,
        )
        reranker = st.selectbox(
            t("settings.reranker"),
            dict.fromkeys([settings.reranker, None, *RERANKERS]),
            key="reranker",
            accept_new_options=True,
            format_func=lambda name: _offered(name, RERANKERS) if name else t("settings.reranker.none"),
            disabled="reranker" in fixed,
            help=t("settings.reranker.help"),
            width=340,
        )
        if st.form_submit_button(t("save"), type="primary"):
            _change(embedding_model=embedder, reranker=reranker)


def _offered(name: str, known: "Mapping[str, tuple[Reads, int]]") -> str:
    if name not in known:
        return name
    reads, millions = known[name]
    return f"{name} · {t(f'settings.reads.{reads}', millions=millions)}"


def _change(**changes: object) -> None:
    """Store the settings that differ; those that the environment fixes stay as they are."""
    opened, fixed = resources.workspace(), from_environment()
    wanted = {
        name: value
        for name, value in changes.items()
        if name not in fixed and getattr(opened.settings, name) != value
    }
    if not wanted:
        return
    with notices.show_errors():
        opened.change(**wanted)
        notices.queue_toast(t("settings.saved"))
        st.rerun()


def _draw_place() -> None:
    opened = resources.workspace()
    st.subheader(t("settings.place"), anchor=False)
    sends = (
        t("settings.leaves.endpoint", url=opened.settings.engine_url)
        if opened.settings.engine_url
        else t("settings.leaves")
    )
    if url := opened.settings.fine_tuning_url:
        sends = f"{sends} {t('settings.leaves.service', url=url)}"
    st.html(
        f'<div class="card"><div class="quiet">{html_blocks.escaped(t("settings.home"))}</div>'
        f"<code>{html_blocks.escaped(opened.home)}</code>"
        f'<div class="quiet" style="margin-top:.8rem">{html_blocks.escaped(t("settings.leaves.title"))}</div>'
        f"<div>{html_blocks.escaped(sends)}</div></div>"
    )
    if opened.settings.token is not None:
        st.html(f'<a href="{LOGOUT}" target="_self">{html_blocks.escaped(t("settings.log_out"))}</a>')
