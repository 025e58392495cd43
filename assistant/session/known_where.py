"""Which of the facts that a checkpoint was taught the chosen documents say as well. It asks no model that answers."""

from collections.abc import Sequence

import streamlit as st

from assistant.session import choices, resources
from tuning.checkpoints.notes import TaughtFact
from tuning.scoring import normalise

PASSAGES = 4  # that a question about it would find


def said_in_documents(facts: Sequence[TaughtFact]) -> frozenset[str]:
    """The questions whose answer stands in a passage that they find; none where there are no documents."""
    if not choices.has_documents():
        return frozenset()
    asked = tuple((fact.question, fact.answer) for fact in facts)
    return _said(choices.knowledge_base(), resources.stamps(), asked)


@st.cache_data(show_spinner=False, max_entries=30)
def _said(name: str, stamps: tuple[int, ...], asked: tuple[tuple[str, str], ...]) -> frozenset[str]:
    """As long as nobody changes a document, what was found stays."""
    base = resources.workspace().existing_knowledge(name)
    return frozenset(
        question
        for question, answer in asked
        if any(normalise(answer) in normalise(hit.passage.text) for hit in base.search(question, k=PASSAGES))
    )
