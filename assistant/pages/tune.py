"""Checkpoints and jobs: what is being learned, what was learned, and from what it grew."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import streamlit as st

from assistant.pages import job_card, look, memory_report, session
from assistant.texts import t
from tuning.checkpoints import Checkpoint
from tuning.jobfolder import Job

OVERLAID = 5


def draw() -> None:
    """The page."""
    look.title(t("page.tune"), t("tune.lead"))
    jobs = session.workspace().jobs.list()
    checkpoints = session.workspace().registry.list()
    under_way = [job for job in jobs if not job.has_ended]
    for job in under_way:
        job_card.draw(job)
    if not checkpoints and not jobs:
        _draw_empty()
        return
    made, past = st.tabs([t("tune.checkpoints"), t("tune.jobs")])
    with made:
        _draw_checkpoints(checkpoints)
    with past:
        _draw_jobs([job for job in jobs if job.has_ended])


def _draw_empty() -> None:
    with st.container(border=True):
        st.html(look.card(t("tune.empty"), t("tune.empty.text")))
        with st.container(horizontal=True, gap="small"):
            if st.button(t("tune.empty.chat"), icon=":material/chat_bubble:", key="to-chat"):
                session.open_conversation(None)
                session.go_to_chat()
            if session.SAMPLE.exists() and st.button(
                t("welcome.sample_chat"), icon=":material/forum:", type="primary", key="sample-chat"
            ):
                session.open_conversation(session.import_sample_chat())
                session.go_to_chat()


# ---- checkpoints


def _draw_checkpoints(checkpoints: Sequence[Checkpoint]) -> None:
    for broken in session.workspace().registry.broken():
        st.warning(session.sentence(Exception(broken.reason)), icon=":material/warning:")
    if not checkpoints:
        look.quiet(t("tune.no_checkpoints"))
        return
    if any(checkpoint.parent for checkpoint in checkpoints):
        st.html(_lineage(checkpoints))
    for checkpoint in reversed(checkpoints):
        _draw_checkpoint(checkpoint)


def _draw_checkpoint(checkpoint: Checkpoint) -> None:
    with st.container(border=True, key=f"checkpoint-{checkpoint.id}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(_headline(checkpoint), width="stretch")
            if st.button(
                t("job.use"), icon=":material/chat_bubble:", key=f"use-{checkpoint.id}", type="primary"
            ):
                session.choose("memory", "checkpoint")
                session.choose("checkpoint", checkpoint.name)
                session.open_conversation(None)
                session.go_to_chat()
            with st.popover("", icon=":material/more_horiz:", type="tertiary", key=f"menu-{checkpoint.id}"):
                _draw_menu(checkpoint)
        if checkpoint.note:
            look.quiet(checkpoint.note)
        with st.expander(t("tune.report"), type="compact", key=f"report-{checkpoint.id}"):
            memory_report.draw(checkpoint.evaluation)


def _headline(checkpoint: Checkpoint) -> str:
    made = datetime.fromtimestamp(checkpoint.created).strftime("%d %b %Y, %H:%M")
    facts = [
        t("tune.examples", count=checkpoint.examples_count),
        _remembered(checkpoint.evaluation),
        look.size(checkpoint.size_bytes),
        made,
    ]
    parent = look.mark(t("tune.from", name=checkpoint.parent)) if checkpoint.parent else ""
    return (
        f'<div class="job-head"><b>{look.escaped(checkpoint.name)}</b>'
        f"{look.mark(job_card.method_title(checkpoint.method), 'checkpoint')}{parent}</div>"
        f'<div class="quiet numbers">{look.escaped(" · ".join(fact for fact in facts if fact))}</div>'
    )


def _remembered(evaluation: Mapping[str, Mapping[str, float]]) -> str:
    part = evaluation.get("rephrased") or evaluation.get("recall")
    if not part or not part.get("n"):
        return ""
    return t("tune.remembered", said=memory_report.of(part["after"], int(part["n"])))


def _draw_menu(checkpoint: Checkpoint) -> None:
    registry = session.workspace().registry
    with st.form(f"rename-{checkpoint.id}", border=False):
        name = st.text_input(t("tune.rename"), checkpoint.name, key=f"name-{checkpoint.id}")
        note = st.text_area(t("tune.note"), checkpoint.note, key=f"note-{checkpoint.id}", height=80)
        if st.form_submit_button(t("save"), width="stretch"):
            with session.told():
                if (note or "") != checkpoint.note:
                    registry.set_note(checkpoint.name, note or "")
                if name != checkpoint.name:
                    registry.rename(checkpoint.name, name or "")
                    if session.chosen("checkpoint") == checkpoint.name:
                        session.choose("checkpoint", name)
                st.rerun()
    if st.button(
        t("tune.compare"), icon=":material/compare_arrows:", key=f"cmp-{checkpoint.id}", width="stretch"
    ):
        st.session_state["arms"] = ["rag", checkpoint.name]
        st.switch_page(session.page("compare"))
    if st.button(t("tune.delete"), icon=":material/delete:", key=f"del-{checkpoint.id}", width="stretch"):
        with session.told():
            registry.delete(checkpoint.name)
            session.later(t("tune.deleted", name=checkpoint.name), ":material/delete:")
            st.rerun()


def _lineage(checkpoints: Sequence[Checkpoint]) -> str:
    """Which checkpoint grew from which, as a tree."""
    names = {checkpoint.name for checkpoint in checkpoints}
    children: dict[str | None, list[Checkpoint]] = {}
    for checkpoint in checkpoints:
        children.setdefault(checkpoint.parent if checkpoint.parent in names else None, []).append(checkpoint)

    def branch(parent: str | None) -> str:
        items = "".join(
            f"<li><span>{look.escaped(child.name)}</span>{branch(child.name)}</li>"
            for child in children.get(parent, ())
        )
        return f"<ul>{items}</ul>" if items else ""

    base = look.escaped(checkpoints[0].base)
    return f'<div class="tree"><ul><li><span class="root">{base}</span>{branch(None)}</li></ul></div>'


# ---- jobs


def _draw_jobs(jobs: Sequence[Job]) -> None:
    if not jobs:
        look.quiet(t("tune.no_jobs"))
        return
    curves = [job for job in jobs if job.steps][:OVERLAID]
    if len(curves) > 1:
        with st.expander(t("tune.overlay"), type="compact", key="overlay"):
            job_card.draw_curve(curves, height=220)
    for job in jobs:
        with st.container(border=True, key=f"past-{job.id}"):
            st.html(_job_line(job))
            _draw_job_actions(job)


def _job_line(job: Job) -> str:
    took = look.seconds(job.finished - job.started) if job.finished and job.started else ""
    facts = [
        t("tune.examples", count=job.examples_count),
        datetime.fromtimestamp(job.created).strftime("%d %b %Y, %H:%M"),
        took,
    ]
    error = f'<div class="quiet">{look.escaped(job.error)}</div>' if job.error else ""
    said = look.escaped(" · ".join(fact for fact in facts if fact))
    return f'{job_card.headline(job)}<div class="quiet numbers">{said}</div>{error}'


def _draw_job_actions(job: Job) -> None:
    jobs = session.workspace().jobs
    with st.container(horizontal=True, gap="xsmall", key=f"job-actions-{job.id}"):
        if job.resumable and st.button(
            t("job.resume"), icon=":material/play_arrow:", key=f"resume-{job.id}", type="tertiary"
        ):
            with session.told():
                jobs.resume(job.id)
                st.rerun()
        with st.popover(t("tune.log"), icon=":material/notes:", type="tertiary", key=f"log-{job.id}"):
            st.code(jobs.log(job.id) or t("tune.log.empty"), language=None, wrap_lines=True)
        if st.button(t("tune.forget"), icon=":material/delete:", key=f"forget-{job.id}", type="tertiary"):
            with session.told():
                jobs.remove(job.id)
                st.rerun()
