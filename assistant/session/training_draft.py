"""What a person was preparing to fine-tune: the edited table and the settings outlive the panel that shows them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from assistant.curation.candidates import Candidate
from assistant.curation.submission import EditedRow, line_key

# Widgets of the panel, which Streamlit forgets as soon as it is closed.
_SETTINGS = ("strength", "checkpoint-name", "parent")
_OPTIONS = "option-"


@dataclass
class TrainingDraft:
    """The table for one source: as it was when the panel was last opened, and as it is now."""

    # Counts the openings: each has an editor of its own, which begins with `shown`.
    opened: int = 0
    shown: list[EditedRow] = field(default_factory=list)
    rows: list[EditedRow] = field(default_factory=list)
    # The candidates that were offered once: a row that a person removed does not come back.
    offered: set[str] = field(default_factory=set)

    def reopen(self) -> None:
        """Begin with the table as it was left."""
        self.opened += 1
        self.shown = list(self.rows)

    def update(self, candidates: Sequence[Candidate]) -> None:
        """Add what is new among the candidates, and drop rows whose candidate is gone."""
        there = {line_key(one): one for one in candidates}
        kept = [row for row in self.shown if not row.of or row.of in there]
        new = [
            EditedRow(one.ticked, one.example.question, one.example.answer, key)
            for key, one in there.items()
            if key not in self.offered
        ]
        self.offered |= set(there)
        if new or len(kept) != len(self.shown):
            self.shown = [*kept, *new]
            self.opened += 1  # an editor applies its changes to the table that it began with


def training_draft(source: str) -> TrainingDraft:
    """The draft of this tab for a conversation or for documents; an empty one where there is none."""
    found: TrainingDraft = st.session_state.setdefault(f"draft-{source}", TrainingDraft())
    return found


def discard(source: str) -> None:
    """Forget the draft of a source, and the name: its job has started."""
    st.session_state.pop(f"draft-{source}", None)
    st.session_state["forget-checkpoint-name"] = True


def keep_settings() -> None:
    """Keep the settings of the closed panel; called in every run, before any widget."""
    if st.session_state.pop("forget-checkpoint-name", False):
        st.session_state.pop("checkpoint-name", None)
    for key in list(st.session_state):
        if isinstance(key, str) and (key in _SETTINGS or key.startswith(_OPTIONS)):
            st.session_state[key] = st.session_state[key]
