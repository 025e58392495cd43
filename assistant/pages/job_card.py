"""A tuning job as it runs, and what can be done with it when it has ended."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from assistant.pages import look, memory_report, session
from assistant.teaching import conversations_of
from assistant.texts import t
from tuning.errors import JobError
from tuning.jobfolder import Job

LOOK_AGAIN_SECONDS = 1.0


def draw_current(conversation_id: int | None) -> None:
    """The newest job that learns from this conversation, unless it was put away."""
    if conversation_id is None:
        return
    for job in session.workspace().jobs.list():
        if conversation_id in _conversations(job):
            if job.id not in st.session_state.get("hidden-jobs", set()):
                draw(job, can_hide=True)
            return


def _conversations(job: Job) -> frozenset[int]:
    """What the job learns from, read once: its examples never change."""
    known: dict[str, frozenset[int]] = st.session_state.setdefault("job-conversations", {})
    if job.id not in known:
        known[job.id] = conversations_of(job)
    return known[job.id]


def draw(job: Job, *, can_hide: bool = False) -> None:
    """One job: live while it runs, its report when it has ended."""
    if job.has_ended:
        with st.container(border=True, key=f"job-{job.id}"):
            _draw_ended(job, can_hide)
    else:
        _draw_live(job.id)


@st.fragment(run_every=LOOK_AGAIN_SECONDS)
def _draw_live(job_id: str) -> None:
    session.speak()
    try:
        job = session.workspace().jobs.get(job_id)
    except JobError:
        st.rerun()
        return
    if job.has_ended:
        st.rerun()
    with st.container(border=True, key=f"job-{job.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(headline(job), width="stretch")
            if st.button(t("job.cancel"), icon=":material/close:", key=f"cancel-{job.id}", type="tertiary"):
                with session.told():
                    session.workspace().jobs.cancel(job.id)
                    st.rerun()
        left = t("job.left", time=look.seconds(job.seconds_left)) if job.seconds_left is not None else ""
        step = t("job.step", step=job.step, steps=job.steps) if job.steps and job.phase == "training" else ""
        words = " · ".join(part for part in (t(f"job.phase.{job.phase}"), step, left) if part)
        st.progress(min(max(job.progress, 0.0), 1.0), text=words)
        draw_curve([job])
        st.html(f'<div class="quiet numbers">{look.escaped(_speed(job))}</div>')


def headline(job: Job) -> str:
    """Its name, its method and how it stands."""
    kind = {"running": "live", "succeeded": "good", "failed": "bad", "cancelled": "warn"}.get(job.status, "")
    return (
        f'<div class="job-head"><b>{look.escaped(job.name)}</b>'
        f"{look.mark(method_title(job.method))}{look.mark(t(f'job.status.{job.status}'), kind)}</div>"
    )


def method_title(name: str) -> str:
    """The title of a method as its table says it; its name while the table is not yet there."""
    if not session.models_are_imported():
        return name
    from tuning.methods import METHODS  # heavy: torch, peft

    return METHODS[name].title if name in METHODS else name


def _speed(job: Job) -> str:
    parts = []
    if job.loss is not None:
        parts.append(t("job.loss", loss=f"{job.loss:.3f}"))
    if job.tokens_per_second:
        parts.append(t("job.speed", speed=f"{job.tokens_per_second:,.0f}"))
    if job.memory_bytes:
        parts.append(t("job.memory", memory=look.size(job.memory_bytes)))
    parts.append(t("job.safe_to_leave"))
    return " · ".join(parts)


def draw_curve(jobs: Sequence[Job], height: int = 150) -> None:
    """The loss of one job, or of several over each other."""
    points = [
        {"step": event["step"], "loss": event["loss"], "name": job.name}
        for job in jobs
        for event in session.workspace().jobs.curve(job.id)
        if event.get("loss") is not None
    ]
    if len(points) < 2:
        return
    several = len(jobs) > 1
    chart = (
        alt.Chart(pd.DataFrame(points))
        .mark_line(strokeWidth=2, interpolate="monotone")
        .encode(
            x=alt.X("step:Q", title=t("job.axis.step"), axis=alt.Axis(grid=False, tickMinStep=1)),
            y=alt.Y("loss:Q", title=t("job.axis.loss"), axis=alt.Axis(tickCount=4)),
            color=alt.Color("name:N", title=None, scale=alt.Scale(range=list(look.SERIES)))
            if several
            else alt.value(look.INK),
            tooltip=["name", "step", alt.Tooltip("loss:Q", format=".3f")],
        )
        .properties(height=height)
    )
    st.altair_chart(chart)


def _draw_ended(job: Job, can_hide: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(headline(job), width="stretch")
        if can_hide and st.button(
            "", icon=":material/close:", key=f"hide-{job.id}", type="tertiary", help=t("job.hide")
        ):
            st.session_state.setdefault("hidden-jobs", set()).add(job.id)
            st.rerun()
    if job.status == "succeeded":
        memory_report.draw(job.evaluation)
        for advice in job.advice:
            look.quiet(advice)
        if job.checkpoint:
            draw_use(job.checkpoint, job.id, memory_report.passed(job.evaluation))
        return
    if job.error:
        st.error(session.sentence(Exception(job.error)), icon=":material/error:")
    for advice in job.advice:
        look.quiet(advice)
    if job.resumable and st.button(t("job.resume"), icon=":material/play_arrow:", key=f"resume-{job.id}"):
        with session.told():
            session.workspace().jobs.resume(job.id)
            st.rerun()


def draw_use(checkpoint: str, key: str, passed: bool) -> None:
    """Take a checkpoint into use; after a warning it is not the first thing to do."""
    with st.container(horizontal=True, gap="small"):
        words = "job.use" if passed else "job.use.anyway"
        if st.button(
            t(words),
            type="primary" if passed else "secondary",
            icon=":material/chat_bubble:",
            key=f"use-{key}",
        ):
            session.choose("memory", "checkpoint")
            session.choose("checkpoint", checkpoint)
            session.later(t("job.used", name=checkpoint), ":material/fingerprint:")
            session.go_to_chat()
        if st.button(t("job.compare"), icon=":material/compare_arrows:", key=f"compare-{key}"):
            st.session_state["arms"] = ["rag", checkpoint]
            st.switch_page(session.page("compare"))
