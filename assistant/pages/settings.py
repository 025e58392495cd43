"""The Settings page: model, device, answers, language, retrieval, storage and privacy."""

from collections.abc import Mapping

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.i18n.texts import LANGUAGE_NAMES, t
from assistant.session import notices, resources
from assistant.settings import ENGINES, LANGUAGES, from_environment
from tuning.models.catalogue import CatalogueEntry


def draw() -> None:
    """The page."""
    html_blocks.title(t("page.settings"), t("settings.lead"))
    _draw_model()
    _draw_answers()
    _draw_retrieval()
    _draw_place()


def _draw_model() -> None:
    opened = resources.workspace()
    st.subheader(t("settings.model"), anchor=False)
    if opened.engine_state == "failed":
        st.error(notices.sentence(Exception(opened.engine_error)), icon=":material/error:")
    with st.spinner(t("settings.looking")):
        resources.import_models()
        entries = opened.catalogue()
    st.html(_table(entries, opened.settings.base_model))
    usable = [entry.name for entry in entries if entry.at_hand]
    names = list(dict.fromkeys([opened.settings.base_model, *usable]))
    with (
        st.form("model-form", border=False),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        name = st.selectbox(
            t("settings.model.use"),
            names,
            key="base-model",
            accept_new_options=True,
            disabled="base_model" in from_environment(),
            help=t("settings.model.help"),
        )
        device = st.selectbox(
            t("settings.device"),
            [None, "cpu", "cuda", "mps"],
            index=[None, "cpu", "cuda", "mps"].index(opened.settings.device),
            key="device",
            format_func=lambda value: value or t("settings.device.auto"),
            disabled="device" in from_environment(),
            width=180,
        )
        engine = st.selectbox(
            t("settings.engine"),
            ENGINES,
            index=ENGINES.index(opened.settings.engine),
            key="engine",
            format_func=lambda value: t(f"settings.engine.{value}"),
            disabled="engine" in from_environment(),
            help=t("settings.engine.help"),
            width=220,
        )
        if st.form_submit_button(t("settings.model.open"), type="primary"):
            _change(base_model=name, device=device, engine=engine)
            opened.preload()


def _table(entries: list[CatalogueEntry], current: str) -> str:
    keys = ("model", "parameters", "window", "chat", "tune", "where")
    head = "".join(f"<th>{html_blocks.escaped(t(f'settings.column.{key}'))}</th>" for key in keys)
    rows = "".join(_row(entry, entry.name == current) for entry in entries)
    return f'<table class="facts"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _row(entry: CatalogueEntry, current: bool) -> str:
    badge = " " + html_blocks.badge(t("settings.in_use"), "checkpoint") if current else ""
    where = (
        html_blocks.badge(t("settings.at_hand"), "good")
        if entry.at_hand
        else html_blocks.badge(t("settings.hub"))
    )
    cells = {
        "parameters": _count(entry.parameters),
        "window": f"{entry.window:,}",
        "chat": _memory(entry.chat_bytes, entry.fits_chat),
        "tune": _memory(entry.tune_bytes, entry.fits_tune),
    }
    middle = "".join(
        f'<td class="numbers" data-label="{html_blocks.escaped(t(f"settings.column.{key}"))}">{cell}</td>'
        for key, cell in cells.items()
    )
    below = html_blocks.escaped(f"{entry.name} · {entry.license}")
    name = f'<b>{html_blocks.escaped(entry.title)}</b>{badge}<br><span class="quiet">{below}</span>'
    return f"<tr><td>{name}</td>{middle}<td>{where}</td></tr>"


def _count(parameters: int) -> str:
    return f"{parameters / 1e9:.1f} B" if parameters >= 1e9 else f"{parameters / 1e6:.0f} M"


def _memory(needed: int, fits: bool) -> str:
    sign = '<span class="tick">✓</span>' if fits else '<span class="cross">✗</span>'
    return f"{html_blocks.escaped(formatting.size(needed))} {sign}"


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
            20,
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
        if st.form_submit_button(t("save"), type="primary"):
            _change(language=language, passages=passages, max_new_tokens=longest, temperature=temperature)
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


def _offered(name: str, known: Mapping[str, str]) -> str:
    return f"{name} · {known[name]}" if name in known else name


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
    st.html(
        f'<div class="card"><div class="quiet">{html_blocks.escaped(t("settings.home"))}</div>'
        f"<code>{html_blocks.escaped(opened.home)}</code>"
        f'<div class="quiet" style="margin-top:.8rem">{html_blocks.escaped(t("settings.leaves.title"))}</div>'
        f"<div>{html_blocks.escaped(sends)}</div></div>"
    )
