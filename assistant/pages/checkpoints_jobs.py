"""The Jobs tab of the Checkpoints page: jobs that have ended or were interrupted, and their training curves."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from assistant.components import empty_state, formatting, html_blocks, job_card, theme
from assistant.i18n.texts import t, translated
from assistant.session import notices, resources
from tuning.jobs.folder import Job

MAX_CURVES = 4
MEASURES = ("loss", "learning_rate", "tokens_per_second")


def draw_interrupted(jobs: Sequence[Job]) -> None:
    """Jobs whose process ended without a result, as after a reboot: each can be resumed."""
    for job in jobs:
        with st.container(border=True, key=f"interrupted-{job.id}"):
            st.html(job_card.headline(job))
            known = t("tune.interrupted", step=job.step, steps=job.steps)
            html_blocks.quiet(known if job.step else t("tune.interrupted.early"))
            _draw_actions(job, "interrupted")


def draw(jobs: Sequence[Job]) -> None:
    """The tab."""
    _draw_curves([job for job in jobs if job.step > 1])
    ended = [job for job in jobs if job.has_ended and not job.interrupted]
    if not jobs:
        empty_state.draw("jobs", t("tune.no_jobs"), t("tune.no_jobs.text"))
    elif not ended:
        html_blocks.quiet(t("tune.none_ended"))
    for job in ended:
        with st.container(border=True, key=f"past-{job.id}"):
            st.html(_job_line(job))
            _draw_actions(job)


def _draw_curves(jobs: Sequence[Job]) -> None:
    """The training curves of several jobs in one chart, running ones included."""
    if not jobs:
        return
    by_id = {job.id: job for job in jobs}
    with st.expander(t("tune.overlay"), type="compact", key="overlay", expanded=True):
        left, right = st.columns([2, 1])
        chosen = left.multiselect(
            t("tune.overlay.runs"),
            list(by_id),
            default=list(by_id)[:MAX_CURVES],
            key="overlaid-runs",
            max_selections=len(theme.SERIES),
            format_func=lambda id: by_id[id].name,
        )
        measure = right.selectbox(
            t("tune.overlay.measure"),
            MEASURES,
            key="overlaid-measure",
            format_func=lambda name: t(f"job.axis.{name}"),
        )
        job_card.draw_curve([by_id[id] for id in chosen], measure, height=240)


def _job_line(job: Job) -> str:
    took = formatting.seconds(job.seconds) if job.finished and job.started else ""
    if took and job.estimate.get("seconds"):
        took = t("tune.took", time=took, estimated=formatting.seconds(job.estimate["seconds"]))
    facts = [
        t("tune.examples", count=job.examples_count),
        formatting.moment(job.created),
        took,
    ]
    said = html_blocks.escaped(" · ".join(fact for fact in facts if fact))
    more = "".join(
        f'<div class="quiet">{html_blocks.escaped(translated(line))}</div>'
        for line in (job.error, *job.advice)
        if line
    )
    return f'{job_card.headline(job)}<div class="quiet numbers">{said}</div>{more}'


def _draw_actions(job: Job, kind: Literal["past", "interrupted"] = "past") -> None:
    """Resume, read the log, or remove from the list; of an interrupted job, resuming is the main action."""
    jobs = resources.workspace().jobs
    with st.container(horizontal=True, gap="xsmall", key=f"job-actions-{job.id}"):
        if job.resumable and st.button(
            t("job.resume"),
            icon=":material/play_arrow:",
            key=f"resume-{job.id}",
            type="primary" if kind == "interrupted" else "tertiary",
        ):
            with notices.show_errors():
                jobs.resume(job.id)
                st.rerun()
        with st.popover(t("tune.log"), icon=":material/notes:", type="tertiary", key=f"log-{job.id}"):
            st.code(jobs.log(job.id) or t("tune.log.empty"), language=None, wrap_lines=True)
            html_blocks.quiet(t("tune.log.files"))
            st.code(str(job.folder), language=None, wrap_lines=True)
        if st.button(t("tune.forget"), icon=":material/delete:", key=f"forget-{job.id}", type="tertiary"):
            with notices.show_errors():
                jobs.remove(job.id)
                st.rerun()
