"""The Preferences page: what was voted, corrected and rated; what to vote on next; what was learned from it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from assistant.components import html_blocks, job_card, preference_overview, preference_votes
from assistant.i18n.texts import t
from assistant.session import notices, resources
from assistant.session import preferences as session
from tuning.jobs.folder import Job

if TYPE_CHECKING:
    from assistant.preferences.collect import CollectedPreferences

EARLIER_RUNS = 3  # all of them are on the Checkpoints page


def draw() -> None:
    """The page: what there is at once, and what needs the models' libraries below it."""
    html_blocks.title(t("page.preferences"), t("preferences.lead"))
    from assistant.preferences.collect import ENOUGH_PAIRS  # heavy: scipy

    with notices.show_errors():
        found = session.collected()
        preference_overview.draw(found)
        preference_votes.draw(len(found.pairs), ENOUGH_PAIRS)
        if not resources.models_are_imported():
            with st.spinner(t("model.importing")):
                resources.import_models()
        _draw_learning(found)


def _draw_learning(found: "CollectedPreferences") -> None:
    """The runs, and what the next one is set up with."""
    from assistant.components import preference_setup  # heavy: torch, peft
    from tuning.training.methods import PREFERENCE_METHODS

    if st.session_state.pop("forget-preference-name", False):
        st.session_state.pop("preference-name", None)
    runs = [job for job in resources.workspace().jobs.list() if job.method in PREFERENCE_METHODS]
    running = [job for job in runs if not job.has_ended]
    shown = running or runs[:1]
    _draw_runs(shown, t("preferences.runs"))
    if not found.counts:
        html_blocks.quiet(t("preferences.learn.later"))
    elif not running or st.toggle(t("preferences.learn.another"), key="learn-another"):
        preference_setup.draw(found)
    _draw_runs([job for job in runs if job not in shown][:EARLIER_RUNS], t("preferences.runs.earlier"))


def _draw_runs(runs: Sequence[Job], title: str) -> None:
    """Runs as they stand, or with their reports."""
    if runs:
        st.subheader(title, anchor=False)
    for job in runs:
        job_card.draw(job)
