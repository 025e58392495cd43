"""A tuning job as it runs, and what can be done with it when it has ended."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from assistant.components import (
    checkpoint_report,
    formatting,
    html_blocks,
    nearest_words,
    preference_curves,
    preference_report,
    preference_votes,
    theme,
)
from assistant.curation.submission import conversations_of
from assistant.i18n.texts import t, translated
from assistant.session import choices, notices, resources
from tuning.errors import CheckpointError, JobError
from tuning.jobs.folder import Job

POLL_SECONDS = 2.0  # each refresh draws two charts on the cores that train


def draw_current(conversation_id: int | None) -> None:
    """The newest job that learns from this conversation, unless it was dismissed."""
    if conversation_id is None:
        return
    for job in resources.workspace().jobs.list():
        if conversation_id in _conversations(job):
            if job.id not in st.session_state.get("hidden-jobs", set()):
                draw(job, can_hide=True)
            return


def _conversations(job: Job) -> frozenset[int]:
    """The conversations that the job learns from, read once: its examples never change."""
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


@st.fragment(run_every=POLL_SECONDS)
def _draw_live(job_id: str) -> None:
    notices.apply_language()
    try:
        job = resources.workspace().jobs.get(job_id)
    except JobError:
        st.rerun()
        return
    if job.has_ended:
        st.rerun()
    with st.container(border=True, key=f"job-{job.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.html(headline(job), width="stretch")
            if job.status == "queued":
                _draw_turn(job)
            if st.button(t("job.cancel"), icon=":material/close:", key=f"cancel-{job.id}", type="tertiary"):
                with notices.show_errors():
                    resources.workspace().jobs.cancel(job.id)
                    st.rerun()
        left = (
            t("job.left", time=formatting.seconds(job.seconds_left)) if job.seconds_left is not None else ""
        )
        step = t("job.step", step=job.step, steps=job.steps) if job.steps and job.phase == "training" else ""
        words = " · ".join(part for part in (t(f"job.phase.{job.phase}"), step, left) if part)
        st.progress(min(max(job.progress, 0.0), 1.0), text=words)
        draw_figures(job)
        if not preference_curves.draw(resources.workspace().jobs.curve(job.id), job.id):
            loss, rate = st.columns([2, 1])
            with loss:
                draw_curve([job], "loss")
            with rate:
                draw_curve([job], "learning_rate")
        for advice in job.advice:
            st.warning(notices.sentence(Exception(advice)), icon=":material/info:")
        html_blocks.quiet(t("job.safe_to_leave"))


def _draw_turn(job: Job) -> None:
    """Its place among the jobs that wait for the same device, and arrows to change it."""
    jobs = resources.workspace().jobs
    line = [one.id for one in jobs.waiting() if one.device == job.device]
    if len(line) < 2 or job.id not in line:
        return
    at = line.index(job.id)
    place = html_blocks.escaped(t("job.turn", place=at + 1, total=len(line)))
    st.html(f'<span class="quiet">{place}</span>', width="content")
    moves = (("arrow_upward", t("job.earlier"), -1, 0), ("arrow_downward", t("job.later"), 1, -1))
    for icon, name, places, end in moves:
        if st.button(
            name,
            icon=f":material/{icon}:",
            help=name,
            key=f"icon-{icon}-{job.id}",
            type="tertiary",
            disabled=job.id == line[end],
        ):
            with notices.show_errors():
                jobs.move(job.id, places)
                st.rerun()


def headline(job: Job) -> str:
    """Its name, its method and its status."""
    kind = {"running": "live", "succeeded": "good", "failed": "bad", "cancelled": "warn"}.get(job.status, "")
    return (
        f'<div class="job-head"><b>{html_blocks.escaped(job.name)}</b>'
        f"{html_blocks.badge(method_title(job.method))}{html_blocks.badge(t(f'job.status.{job.status}'), kind)}"
        f"{html_blocks.announced(f'job-{job.id}', _aloud(job))}</div>"
    )


def _aloud(job: Job) -> str:
    """Its status, and while it runs how far it is in quarters: more would be chatter."""
    status = t(f"job.status.{job.status}")
    quarter = f", {25 * int(4 * job.progress)} %" if job.status == "running" else ""
    return f"{job.name}: {status}{quarter}"


def method_title(name: str) -> str:
    """The title of a method; its name while the table of methods is not imported yet."""
    if not resources.models_are_imported():
        return name
    from tuning.training.methods import ALL_METHODS  # heavy: torch, peft

    return ALL_METHODS[name].title if name in ALL_METHODS else name


def draw_figures(job: Job) -> None:
    """The figures of the last step: loss, learning rate, speed, memory."""
    last = (resources.workspace().jobs.curve(job.id) or [{}])[-1]
    rate = last.get("learning_rate")
    figures = {
        "loss": None if job.loss is None else f"{job.loss:.3f}",
        "learning_rate": None if rate is None else f"{rate:.2g}",
        "tokens_per_second": f"{job.tokens_per_second:,.0f}" if job.tokens_per_second else None,
        "memory_bytes": formatting.size(job.memory_bytes) if job.memory_bytes else None,
    }
    tiles = [html_blocks.Tile(t(f"job.axis.{name}"), value) for name, value in figures.items() if value]
    if tiles:
        html_blocks.tiles(tiles)


def draw_curve(jobs: Sequence[Job], measure: str = "loss", height: int = 150) -> None:
    """One measure of one job, or of several over each other, step by step."""
    points = [
        {"step": event["step"], "value": event[measure], "name": job.name}
        for job in jobs
        for event in resources.workspace().jobs.curve(job.id)
        if event.get(measure) is not None
    ]
    if len(points) < 2:
        return
    several = len(jobs) > 1
    form = ".3f" if measure == "loss" else ".2e" if measure == "learning_rate" else ",.0f"
    chart = (
        alt.Chart(pd.DataFrame(points))
        .mark_line(strokeWidth=2, interpolate="monotone")
        .encode(
            x=alt.X(
                "step:Q", title=t("job.axis.step"), axis=alt.Axis(grid=False, tickMinStep=1, tickCount=6)
            ),
            y=alt.Y("value:Q", title=t(f"job.axis.{measure}"), axis=_value_axis(measure)),
            color=alt.Color(
                "name:N",
                title=None,
                scale=alt.Scale(range=list(theme.series())),
                legend=alt.Legend(orient="bottom", columns=2, labelLimit=260),
            )
            if several
            else alt.value(theme.series()[0]),
            tooltip=["name", "step", alt.Tooltip("value:Q", title=t(f"job.axis.{measure}"), format=form)],
        )
        .properties(height=height)
    )
    st.altair_chart(chart)


def _value_axis(measure: str) -> alt.Axis:
    return alt.Axis(tickCount=4, format="~g") if measure == "learning_rate" else alt.Axis(tickCount=4)


def _draw_ended(job: Job, can_hide: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(headline(job), width="stretch")
        if can_hide and st.button(
            t("job.hide"),
            icon=":material/close:",
            key=f"icon-hide-{job.id}",
            type="tertiary",
            help=t("job.hide"),
        ):
            st.session_state.setdefault("hidden-jobs", set()).add(job.id)
            st.rerun()
    if job.status == "succeeded":
        checkpoint_report.draw(job.evaluation)
        _draw_course(job)
        nearest_words.draw(_nearest_words(job))
        _draw_took(job)
        for advice in job.advice:
            html_blocks.quiet(translated(advice))
        if job.checkpoint and preference_report.is_one(job.evaluation):
            _draw_use_of_preferences(job, job.checkpoint)
        elif job.checkpoint:
            draw_use(job.checkpoint, job.id, checkpoint_report.passed(job.evaluation))
        return
    _draw_course(job)
    if job.error:
        st.error(notices.sentence(Exception(job.error)), icon=":material/error:")
    for advice in job.advice:
        html_blocks.quiet(translated(advice))
    if job.resumable and st.button(t("job.resume"), icon=":material/play_arrow:", key=f"resume-{job.id}"):
        with notices.show_errors():
            resources.workspace().jobs.resume(job.id)
            st.rerun()


def _draw_course(job: Job) -> None:
    """The curves of a run over preferences, folded away."""
    curve = resources.workspace().jobs.curve(job.id)
    if preference_curves.measured(curve):
        with st.expander(t("preferences.curves"), type="compact", key=f"course-{job.id}"):
            preference_curves.draw(curve, job.id)


def _draw_use_of_preferences(job: Job, checkpoint: str) -> None:
    """Buttons to chat with what learned from preferences, or to vote between it and what it was before."""
    if "temperature" in job.evaluation["preferences"]:
        return  # a reward model answers nothing
    with st.container(horizontal=True, gap="small"):
        _draw_use_button(checkpoint, job.id, checkpoint_report.passed(job.evaluation))
        if st.button(t("preferences.against"), icon=":material/visibility_off:", key=f"against-{job.id}"):
            asked = [str(one["prompt"]) for one in job.evaluation["preferences"].get("answers") or ()]
            with notices.show_errors():
                preference_votes.open_trial_against(checkpoint, job.config.get("parent"), asked)


def _draw_took(job: Job) -> None:
    """The time and memory that it took beside the estimate."""
    if not job.estimate.get("seconds"):
        return
    memory = job.metrics.get("job_memory_bytes" if job.device == "cpu" else "memory_bytes")
    took = t(
        "job.took",
        time=formatting.seconds(job.seconds),
        memory=formatting.size(memory),
        estimated_time=formatting.seconds(job.estimate["seconds"]),
        estimated_memory=formatting.size(job.estimate["bytes"]),
    )
    html_blocks.quiet(took)


def draw_use(checkpoint: str, key: str, passed: bool) -> None:
    """Buttons to chat with a checkpoint or compare it; after a warning they are less prominent."""
    with st.container(horizontal=True, gap="small"):
        _draw_use_button(checkpoint, key, passed)
        if st.button(t("job.compare"), icon=":material/compare_arrows:", key=f"compare-{key}"):
            st.session_state["variants"] = ["rag", checkpoint]
            st.switch_page(choices.page("compare"))


def _draw_use_button(checkpoint: str, key: str, passed: bool) -> None:
    if st.button(
        t("job.use" if passed else "job.use.anyway"),
        type="primary" if passed else "secondary",
        icon=":material/chat_bubble:",
        key=f"use-{key}",
        on_click=choices.use_checkpoint,
        args=(checkpoint,),
    ):
        notices.queue_toast(t("job.used", name=checkpoint), ":material/fingerprint:")
        choices.go_to_chat()


def _nearest_words(job: Job) -> list[list[str]]:
    """The words nearest to the virtual tokens of a job's checkpoint; none once that is deleted."""
    try:
        return resources.workspace().registry.get(job.checkpoint or "").nearest_words
    except CheckpointError:
        return []
