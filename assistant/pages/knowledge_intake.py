"""Adding documents to a knowledge base: files, folders and addresses on their way in, and what became of them."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from assistant.components import embedding_switch, formatting, html_blocks
from assistant.documents.upload import UploadedDocument, UploadTask, visible_documents, with_scheme
from assistant.i18n.texts import t, translated
from assistant.session import choices, notices, open_conversation, resources, sample
from knowledge.base.knowledge_base import DocumentReport, KnowledgeBase
from knowledge.ingest.fetch import name_of

POLL_SECONDS = 0.4
SIGNS = {"added": "✓", "updated": "✓", "renamed": "✓", "unchanged": "=", "removed": "−", "failed": "✗"}


def draw(base: KnowledgeBase, empty: bool) -> None:
    """Where documents are added; while some are on their way in, how far they are."""
    upload = resources.indexing().get(base.name)
    if upload is not None and upload.running:
        _draw_running(base.name)
        return
    if base.stale_model:
        _draw_rebuild(base)
        return
    with st.container(border=empty, key="intake"):
        if empty:
            text = (
                t("knowledge.empty.text.sample", count=sample.file_count())
                if sample.is_offered()
                else t("knowledge.empty.text")
            )
            st.html(html_blocks.card(t("knowledge.empty"), text))
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            _draw_uploader(base)
            with st.container(width="content", gap="xxsmall"):
                _draw_folder(base)
                _draw_address(base)
        if empty and sample.is_offered():
            label = t("welcome.sample_documents")
            if st.button(label, icon=":material/auto_stories:", type="primary", key="sample"):
                start_upload(base, paths=[sample.documents()])
    if upload is not None:
        _draw_reports(base, upload)


def _draw_rebuild(base: KnowledgeBase) -> None:
    """Another embedding model was chosen: nothing is found until all passages are embedded again."""
    was, now = (
        formatting.escape_markdown(base.stale_model),
        formatting.escape_markdown(resources.workspace().settings.embedding_model),
    )
    time = formatting.seconds(base.rebuild_seconds)
    st.warning(t("knowledge.stale", was=was, now=now, time=time), icon=":material/sync_problem:")
    if st.button(t("knowledge.rebuild", count=base.count), type="primary", key="rebuild"):
        with notices.show_errors():
            embedding_switch.begin_rebuild(base.name)
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
        start_upload(base, uploads=[(file.name, file.getvalue()) for file in files])


def _draw_folder(base: KnowledgeBase) -> None:
    with (
        st.popover(t("knowledge.folder"), icon=":material/folder_open:", key="folder", type="tertiary"),
        st.form("folder-form", border=False),
    ):
        path = st.text_input(t("knowledge.folder.path"), key="folder-path", width=360)
        if st.form_submit_button(t("knowledge.folder.add"), type="primary") and path:
            start_upload(base, paths=[Path(path).expanduser()])


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
            start_upload(base, paths=[with_scheme(address)])


def start_upload(
    base: KnowledgeBase,
    *,
    uploads: Sequence[tuple[str, bytes]] = (),
    paths: Sequence[Path | str] = (),
    force: bool = False,
    password: str | None = None,
) -> None:
    """Begin to add files or addresses; `force` reads also what did not change."""
    with notices.show_errors():
        resources.indexing().start(
            base.name, lambda: base, uploads=uploads, paths=paths, force=force, password=password
        )
        st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def _draw_running(name: str) -> None:
    notices.apply_language()
    upload = resources.indexing().get(name)
    if upload is None or not upload.running:
        resources.count_knowledge()
        st.rerun()
        return
    with st.container(border=True, key="intake-running"):
        progress = upload.progress
        share = progress.share if progress else 0.0
        words = t("knowledge.starting")
        if progress:
            left = (
                t("job.left", time=formatting.seconds(progress.seconds_left)) if progress.seconds_left else ""
            )
            doing = t(f"knowledge.{progress.phase}", name=name_of(progress.path))
            words = " · ".join(part for part in (doing, left) if part)
        st.progress(min(max(share, 0.0), 1.0), text=formatting.escape_markdown(words))
        if lines := upload.documents:
            st.html(_lines(visible_documents(lines)))
            done = sum(line.report is not None for line in lines)
            html_blocks.quiet(t("knowledge.progress", done=done, count=len(lines)))
        st.button(
            t("chat.stopping") if upload.stopping else t("chat.stop"),
            icon=":material/stop_circle:",
            key="stop-intake",
            disabled=upload.stopping,
            on_click=upload.stop,
        )


def _draw_reports(base: KnowledgeBase, upload: UploadTask) -> None:
    """The outcome of the last upload, file by file."""
    if upload.error:
        st.error(notices.sentence(Exception(upload.error)), icon=":material/error:")
    if not upload.reports:
        return
    failed = [report for report in upload.reports if report.status == "failed"]
    done = len(upload.reports) - len(failed)
    label = t("knowledge.done", count=done)
    if failed:
        label += " · " + t("knowledge.failed", count=len(failed))
    with st.expander(
        label,
        expanded=bool(failed),
        key="reports-failed" if failed else "reports",
        icon=":material/checklist:",
    ):
        st.html(_lines(sorted(upload.documents, key=lambda line: not line.failed)))
        if upload.locked:
            _draw_password(base, upload.locked)
        if st.button(t("knowledge.put_away"), key="put-away", type="tertiary"):
            resources.indexing().dismiss(base.name)
            st.rerun()
    if done and st.button(t("knowledge.ask"), icon=":material/chat_bubble:", key="ask-these", type="primary"):
        resources.indexing().dismiss(base.name)
        open_conversation.open_conversation(None)
        choices.choose("memory", "documents")
        choices.go_to_chat()


def _draw_password(base: KnowledgeBase, locked: Sequence[str]) -> None:
    """Ask for the password of encrypted files; it is used once and not stored."""
    with (
        st.form("password-form", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        password = st.text_input(
            t("knowledge.password", count=len(locked), name=formatting.escape_markdown(name_of(locked[0]))),
            type="password",
            key="file-password",
            autocomplete="off",
            width=360,
        )
        if st.form_submit_button(t("knowledge.password.open"), icon=":material/lock_open:") and password:
            start_upload(base, paths=locked, password=password)


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
        translated(report.error.removeprefix(f"{name}: "))
        if failed
        else t("knowledge.line", count=report.passages, status=t(f"knowledge.status.{report.status}"))
    )
    notes = "".join(f"<small>{html_blocks.escaped(translated(note))}</small>" for note in report.notes)
    sign = f'<span class="{"cross" if failed else "tick"}">{SIGNS.get(report.status, "·")}</span>'
    return (
        f'<div class="line{" failed" if failed else ""}">{sign}<b>{html_blocks.escaped(name)}</b>'
        f"<span>{html_blocks.escaped(said)}</span>{notes}</div>"
    )
