"""The Documents tab: a table of the documents, and what can be done with those selected in it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from assistant.components import confirmation, fine_tune_dialog, formatting, html_blocks
from assistant.curation.candidates import Curation, Labeller
from assistant.curation.from_documents import curate_passages
from assistant.documents.listing import can_reindex, state_of
from assistant.i18n.texts import t, translated
from assistant.pages.knowledge_intake import start_upload
from assistant.session import notices, resources
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.records import DocumentInfo
from knowledge.ingest.fetch import is_url, name_of

STATES = {"ready": "✓", "partly": "◐", "changed": "↻", "gone": "✗"}


def draw(base: KnowledgeBase, documents: Sequence[DocumentInfo]) -> None:
    """The tab."""
    chosen = _draw_table(base, documents)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        passages = sum(info.passages for info in documents)
        total = html_blocks.escaped(t("knowledge.sum", count=len(documents), passages=passages))
        st.html(f'<span class="quiet">{total}</span>', width="stretch")
        if len(chosen) == 1:
            _draw_open(chosen[0])
        if chosen:
            _draw_actions(base, chosen)
    if len(chosen) == 1:
        _draw_passages(base, chosen[0])


def _draw_table(base: KnowledgeBase, documents: Sequence[DocumentInfo]) -> list[DocumentInfo]:
    """The documents as a table; those that are selected in it."""
    frame = pd.DataFrame(
        {
            "document": [name_of(info.path) for info in documents],
            "state": [_state(info) for info in documents],
            "title": [info.title for info in documents],
            "passages": [info.passages for info in documents],
            "size": [formatting.size(info.bytes) for info in documents],
            "indexed": [formatting.local_time(info.indexed) for info in documents],
        }
    )
    picked = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"documents-{base.name}-{len(documents)}",
        column_config={
            "document": st.column_config.TextColumn(t("knowledge.column.document"), width="medium"),
            "state": st.column_config.TextColumn(t("knowledge.column.state"), width="small"),
            "title": st.column_config.TextColumn(t("knowledge.column.title"), width="medium"),
            "passages": st.column_config.NumberColumn(t("knowledge.column.passages"), width="small"),
            "size": st.column_config.TextColumn(t("knowledge.column.size"), width="small"),
            "indexed": st.column_config.DatetimeColumn(
                t("knowledge.column.indexed"), format=t("date.column"), width="small"
            ),
        },
    )
    return [documents[row] for row in picked["selection"]["rows"]]


def _draw_actions(base: KnowledgeBase, chosen: Sequence[DocumentInfo]) -> None:
    again = [info.path for info in chosen if can_reindex(info)]
    if st.button(
        t("knowledge.again", count=len(chosen)), icon=":material/refresh:", key="again", disabled=not again
    ):
        start_upload(base, paths=again, force=True)
    if st.button(t("knowledge.permanent"), icon=":material/fingerprint:", key="make-permanent"):
        names = "-".join(sorted(info.id for info in chosen))
        fine_tune_dialog.open_drawer(t("knowledge.permanent.title"), names, partial(_curation, base, chosen))
    if st.button(t("knowledge.remove", count=len(chosen)), icon=":material/delete:", key="remove"):
        said = t("knowledge.remove.ask", name=base.name, count=len(chosen))
        confirmation.ask(t("knowledge.remove.title"), said, partial(_remove, base, chosen))


def _remove(base: KnowledgeBase, chosen: Sequence[DocumentInfo]) -> None:
    for info in chosen:
        base.remove(info.id)
    resources.count_knowledge()
    notices.queue_toast(t("knowledge.removed", count=len(chosen)))


def _curation(
    base: KnowledgeBase, chosen: Sequence[DocumentInfo], labeller: Labeller | None = None
) -> Curation:
    """What these documents state, as examples."""
    passages = [passage for info in chosen for passage in base.passages(info.id)]
    return curate_passages(passages, labeller=labeller)


def _state(info: DocumentInfo) -> str:
    state = state_of(info)
    return f"{STATES[state]} {t(f'knowledge.state.{state}')}"


def _draw_open(info: DocumentInfo) -> None:
    """The document itself, as it is now: the page of the web, or the file."""
    icon, path = ":material/open_in_new:", Path(info.path)
    if is_url(info.path):
        st.link_button(t("knowledge.open"), info.path, icon=icon)
    elif path.is_absolute() and path.is_file():
        st.download_button(t("knowledge.open"), path.read_bytes, path.name, icon=icon, on_click="ignore")


def _draw_passages(base: KnowledgeBase, info: DocumentInfo) -> None:
    for note in info.notes:
        html_blocks.quiet(translated(note))
    with st.expander(t("knowledge.read", name=formatting.escape_markdown(info.title)), expanded=True):
        st.html(
            "".join(
                html_blocks.passage(p.text, formatting.location(p.title, p.page, p.headings))
                for p in base.passages(info.id)
            )
        )
