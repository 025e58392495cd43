"""The Documents tab: files on their way in, and the documents that are there."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import streamlit as st

from assistant.components import fine_tune_dialog, formatting, html_blocks
from assistant.curation.candidates import Curation
from assistant.curation.from_documents import curate_passages
from assistant.documents.listing import can_reindex, state_of
from assistant.documents.upload import UploadedDocument, UploadTask, visible_documents, with_scheme
from assistant.i18n.texts import t
from assistant.session import notices, resources, sample
from knowledge.base.intake import DocumentReport
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.passage_store import DocumentInfo
from knowledge.ingest.fetch import is_url, name_of

POLL_SECONDS = 0.4


SIGNS = {"added": "✓", "updated": "✓", "renamed": "✓", "unchanged": "=", "removed": "−", "failed": "✗"}


STATES = {"ready": "✓", "partly": "◐", "changed": "↻", "gone": "✗"}


def _draw_intake(base: KnowledgeBase, empty: bool) -> None:
    intake = resources.indexing().get(base.name)
    if intake is not None and intake.running:
        _draw_running(base.name)
        return
    if base.stale_model:
        _draw_rebuild(base)
        return
    with st.container(border=empty, key="intake"):
        if empty:
            st.html(html_blocks.card(t("knowledge.empty"), t("knowledge.empty.text")))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _draw_uploader(base)
            with st.container(width="content", gap="xxsmall"):
                _draw_folder(base)
                _draw_address(base)
        if empty and sample.is_offered():
            label = t("welcome.sample_documents")
            if st.button(label, icon=":material/auto_stories:", type="primary", key="sample"):
                _start(base, paths=[sample.DOCUMENTS])
    if intake is not None:
        _draw_reports(base, intake)


def _draw_rebuild(base: KnowledgeBase) -> None:
    """Another embedding model was chosen: nothing can be found before everything is embedded anew."""
    was, now = (
        formatting.plain(base.stale_model),
        formatting.plain(resources.workspace().settings.embedding_model),
    )
    st.warning(t("knowledge.stale", was=was, now=now), icon=":material/sync_problem:")
    if st.button(t("knowledge.rebuild", count=base.count), type="primary", key="rebuild"):
        with notices.show_errors():
            resources.indexing().rebuild(base.name, lambda: base)
            st.rerun()


def _draw_uploader(base: KnowledgeBase) -> None:
    number = st.session_state.setdefault("uploader", 0)
    files = st.file_uploader(
        t("knowledge.drop"),
        accept_multiple_files=True,
        key=f"uploader-{number}",
        label_visibility="collapsed",
    )
    if files:
        st.session_state["uploader"] = number + 1  # an uploader with a new key is empty again
        _start(base, uploads=[(file.name, file.getvalue()) for file in files])


def _draw_folder(base: KnowledgeBase) -> None:
    with (
        st.popover(t("knowledge.folder"), icon=":material/folder_open:", key="folder", type="tertiary"),
        st.form("folder-form", border=False),
    ):
        path = st.text_input(t("knowledge.folder.path"), key="folder-path", width=360)
        if st.form_submit_button(t("knowledge.folder.add"), type="primary") and path:
            _start(base, paths=[Path(path).expanduser()])


def _draw_address(base: KnowledgeBase) -> None:
    with (
        st.popover(t("knowledge.address"), icon=":material/language:", key="address", type="tertiary"),
        st.form("address-form", border=False, clear_on_submit=True),
    ):
        address = st.text_input(
            t("knowledge.address.label"), key="address-text", placeholder="https://", width=360
        )
        html_blocks.quiet(t("knowledge.address.note"))
        if st.form_submit_button(t("knowledge.address.add"), type="primary") and address:
            _start(base, paths=[with_scheme(address)])


def _start(
    base: KnowledgeBase,
    *,
    uploads: Sequence[tuple[str, bytes]] = (),
    paths: Sequence[Path | str] = (),
    force: bool = False,
    password: str | None = None,
) -> None:
    with notices.show_errors():
        resources.indexing().start(
            base.name, lambda: base, uploads=uploads, paths=paths, force=force, password=password
        )
        st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def _draw_running(name: str) -> None:
    notices.apply_language()
    intake = resources.indexing().get(name)
    if intake is None or not intake.running:
        resources.count_knowledge()
        st.rerun()
        return
    with st.container(border=True, key="intake-running"):
        progress = intake.progress
        share = progress.share if progress else 0.0
        words = t("knowledge.starting")
        if progress:
            left = (
                t("job.left", time=formatting.seconds(progress.seconds_left)) if progress.seconds_left else ""
            )
            doing = t(f"knowledge.{progress.phase}", name=name_of(progress.path))
            words = " · ".join(part for part in (doing, left) if part)
        st.progress(min(max(share, 0.0), 1.0), text=formatting.plain(words))
        if lines := intake.documents:
            st.html(_lines(visible_documents(lines)))
            done = sum(line.report is not None for line in lines)
            html_blocks.quiet(t("knowledge.progress", done=done, count=len(lines)))
        st.button(
            t("chat.stopping") if intake.stopping else t("chat.stop"),
            icon=":material/stop_circle:",
            key="stop-intake",
            disabled=intake.stopping,
            on_click=intake.stop,
        )


def _draw_reports(base: KnowledgeBase, intake: UploadTask) -> None:
    """What became of the files that were added last."""
    if intake.error:
        st.error(notices.sentence(Exception(intake.error)), icon=":material/error:")
    if not intake.reports:
        return
    failed = [report for report in intake.reports if report.status == "failed"]
    done = len(intake.reports) - len(failed)
    label = t("knowledge.done", count=done)
    if failed:
        label += " · " + t("knowledge.failed", count=len(failed))
    with st.expander(
        label,
        expanded=bool(failed),
        key="reports-failed" if failed else "reports",
        icon=":material/checklist:",
    ):
        st.html(_lines(sorted(intake.documents, key=lambda line: not line.failed)))
        if intake.locked:
            _draw_password(base, intake.locked)
        if st.button(t("knowledge.put_away"), key="put-away", type="tertiary"):
            resources.indexing().dismiss(base.name)
            st.rerun()


def _draw_password(base: KnowledgeBase, locked: Sequence[str]) -> None:
    """Ask for what opens encrypted files; it is given on and forgotten."""
    with (
        st.form("password-form", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        password = st.text_input(
            t("knowledge.password", count=len(locked), name=name_of(locked[0])),
            type="password",
            key="file-password",
            autocomplete="off",
            width=360,
        )
        if st.form_submit_button(t("knowledge.password.open"), icon=":material/lock_open:") and password:
            _start(base, paths=locked, password=password)


def _lines(lines: Sequence[UploadedDocument]) -> str:
    return '<div class="lines">' + "".join(_line(line) for line in lines) + "</div>"


def _line(line: UploadedDocument) -> str:
    if line.report is not None:
        return _report_line(line.report)
    name, said = (
        html_blocks.escaped(name_of(line.path)),
        html_blocks.escaped(t(f"knowledge.phase.{line.phase}")),
    )
    bar = '<i class="going"></i>' if line.under_way else ""
    kind = "active" if line.under_way else "waiting"
    return f'<div class="line {kind}"><span class="sign">·</span><b>{name}</b><span>{said}{bar}</span></div>'


def _report_line(report: DocumentReport) -> str:
    failed, name = report.status == "failed", name_of(report.path)
    said = (
        report.error.removeprefix(f"{name}: ")
        if failed
        else t("knowledge.line", count=report.passages, status=t(f"knowledge.status.{report.status}"))
    )
    notes = "".join(f"<small>{html_blocks.escaped(note)}</small>" for note in report.notes)
    sign = f'<span class="{"cross" if failed else "tick"}">{SIGNS.get(report.status, "·")}</span>'
    return (
        f'<div class="line{" failed" if failed else ""}">{sign}<b>{html_blocks.escaped(name)}</b>'
        f"<span>{html_blocks.escaped(said)}</span>{notes}</div>"
    )


def _draw_documents(base: KnowledgeBase, documents: Sequence[DocumentInfo]) -> None:
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
                t("knowledge.column.indexed"), format="distance", width="small"
            ),
        },
    )
    chosen = [documents[row] for row in picked["selection"]["rows"]]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        passages = sum(info.passages for info in documents)
        said = html_blocks.escaped(t("knowledge.sum", count=len(documents), passages=passages))
        st.html(f'<span class="quiet">{said}</span>', width="stretch")
        if len(chosen) == 1:
            _draw_open(chosen[0])
        if chosen:
            again = [info.path for info in chosen if can_reindex(info)]
            if st.button(
                t("knowledge.again", count=len(chosen)),
                icon=":material/refresh:",
                key="again",
                disabled=not again,
            ):
                _start(base, paths=again, force=True)
            if st.button(t("knowledge.permanent"), icon=":material/fingerprint:", key="make-permanent"):
                names = "-".join(sorted(info.id for info in chosen))
                fine_tune_dialog.open_drawer(
                    t("knowledge.permanent.title"), names, lambda: _curation(base, chosen)
                )
            if st.button(t("knowledge.remove", count=len(chosen)), icon=":material/delete:", key="remove"):
                for info in chosen:
                    base.remove(info.id)
                resources.count_knowledge()
                notices.queue_toast(t("knowledge.removed", count=len(chosen)))
                st.rerun()
    if len(chosen) == 1:
        _draw_passages(base, chosen[0])


def _curation(base: KnowledgeBase, chosen: Sequence[DocumentInfo]) -> Curation:
    """What these documents state, as examples."""
    return curate_passages([passage for info in chosen for passage in base.passages(info.id)])


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
        html_blocks.quiet(note)
    with st.expander(t("knowledge.read", name=formatting.plain(info.title)), expanded=True):
        st.html(
            "".join(
                html_blocks.passage(p.text, html_blocks.where(p.title, p.page, p.headings))
                for p in base.passages(info.id)
            )
        )
