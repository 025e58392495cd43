"""What a person was preparing to fine-tune: the edited examples and the settings outlive the panel that shows them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import streamlit as st

from assistant.curation.candidates import Candidate
from assistant.curation.submission import EditedRow, line_key

# Widgets of the panel, which Streamlit forgets as soon as it is closed.
_SETTINGS = ("strength", "checkpoint-name", "parent")
_OPTIONS = "option-"


@dataclass
class TrainingDraft:
    """The examples of one source as a person left them."""

    rows: list[EditedRow] = field(default_factory=list)
    # The candidates that were offered once: what a person removed does not come back.
    offered: set[str] = field(default_factory=set)
    # The row that is open for editing.
    editing: int | None = None
    # Counts the openings: each has widgets of its own, which begin with the rows.
    opened: int = 0

    def reopen(self) -> None:
        """Begin with the rows as they were left."""
        self.opened += 1
        self.editing = None

    def update(self, candidates: Sequence[Candidate]) -> None:
        """Add what is new among the candidates, and drop rows whose candidate is gone."""
        there = {line_key(one): one for one in candidates}
        kept = [row for row in self.rows if not row.of or row.of in there]
        new = [
            EditedRow(one.ticked, one.example.question, one.example.answer, key)
            for key, one in there.items()
            if key not in self.offered
        ]
        self.offered |= set(there)
        if new or len(kept) != len(self.rows):
            self.rows = [*kept, *new]
            self.reopen()

    def change(self, place: int, *, learn: bool | None = None, **words: str) -> None:
        """Tick or untick a row, or give it another question or answer; what was reworded is to be learned."""
        row = self.rows[place]
        ticked = (row.learn or bool(words)) if learn is None else learn
        self.rows[place] = replace(row, learn=ticked, **words)

    def tick(self, places: Sequence[int], learn: bool) -> None:
        """Tick or untick several rows at once."""
        for place in places:
            self.change(place, learn=learn)
        self.opened += 1

    def add(self) -> None:
        """An empty row, open for editing."""
        self.rows.append(EditedRow(True, "", ""))
        self.editing = len(self.rows) - 1

    def remove(self, place: int) -> None:
        """Take a row away for good."""
        del self.rows[place]
        self.reopen()


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
