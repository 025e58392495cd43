"""What people prefer in this home, as the pages need it: collected anew when a file changed, and what to vote on."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from assistant.session import choices
from assistant.session.resources import blind_trials, workspace

if TYPE_CHECKING:
    from assistant.preferences.collect import CollectedPreferences
    from assistant.preferences.suggestions import Suggestions


def collected() -> "CollectedPreferences":
    """All preferences of the home; cached as long as no process votes, rates or evaluates."""
    return _collected(_stamps())


def suggestions() -> "Suggestions":
    """What to vote on next."""
    from assistant.compare.evaluations import Evaluations  # heavy: scipy
    from assistant.preferences.suggestions import suggest

    opened = workspace()
    return suggest(
        Evaluations(opened.home),
        opened.store,
        collected(),
        answering_checkpoints(),
        has_documents=choices.has_documents(),
    )


def answering_checkpoints() -> list[str]:
    """The names of the checkpoints of this model that answer, oldest first."""
    opened = workspace()
    return [one.name for one in opened.registry.answering() if one.base == opened.settings.base_model]


def reward_models() -> list[str]:
    """The names of the reward models of this model, newest first."""
    opened = workspace()
    found = [
        one.name
        for one in opened.registry.list()
        if one.base == opened.settings.base_model and one.is_reward_model
    ]
    return found[::-1]


@st.cache_resource(show_spinner=False, max_entries=1)
def _collected(stamps: tuple[int, ...]) -> "CollectedPreferences":
    from assistant.compare.evaluations import Evaluations  # heavy: scipy
    from assistant.preferences.collect import collect

    opened = workspace()
    return collect(opened.store, opened.preferences, blind_trials(), Evaluations(opened.home))


def _stamps() -> tuple[int, ...]:
    """When the files that hold preferences were last written."""
    conversations = workspace().settings.conversations_path
    log = conversations.with_name(f"{conversations.name}-wal")
    evaluations = workspace().home / "evaluations"
    files: list[Path] = [conversations, log, evaluations, evaluations / "verdicts.jsonl"]
    written = [file.stat().st_mtime_ns if file.exists() else 0 for file in files]
    return (*written, sum(1 for _ in evaluations.glob("*/result.json")))
