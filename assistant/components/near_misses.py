"""What stands nearest where the search found nothing about a question, and the way to have it read all the same.

The search may err: a person sees at a glance whether one of the passages is what was asked for.
"""

from typing import TYPE_CHECKING

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.history.records import StoredMessage
from assistant.i18n.texts import t
from assistant.session import choices, notices, open_conversation, resources
from knowledge.ingest.fetch import name_of

if TYPE_CHECKING:
    from knowledge.search.selection import Hit

SHOWN_CHARACTERS = 120  # of each: the sentence above them stays in sight


def draw(message: StoredMessage, question: str) -> None:
    """The nearest passages below an answer that rests on none, and the button that answers from them."""
    if choices.memory() not in ("documents", "both") or not resources.models_are_imported():
        return  # what opens an index takes seconds to import
    with notices.show_errors():
        hits = _nearest(message.id, question)
        if not hits:
            return
        st.html(
            html_blocks.sources(t("message.near"), [_passage(hit, question) for hit in hits], is_open=True)
        )
        if st.button(t("message.near.anyway"), icon=":material/manage_search:", key=f"anyway-{message.id}"):
            open_conversation.regenerate(message, anyway=True)
            st.rerun()


def _nearest(message_id: int, question: str) -> "list[Hit]":
    """Searched once for an answer, and again where other documents were chosen since."""
    count = resources.workspace().settings.passages  # as many as would be read
    chosen = (message_id, choices.knowledge_base(), choices.only_documents(), count)
    before = st.session_state.get("near-misses")
    if before is None or before[0] != chosen:
        base = resources.workspace().knowledge(choices.knowledge_base())
        foreign = base.is_foreign(question)  # no passage of another language is near
        found = [] if foreign else base.search(question, count, documents=chosen[2], min_relevance=0)
        before = st.session_state["near-misses"] = (chosen, found)
    hits: list[Hit] = before[1]
    return hits


def _passage(hit: "Hit", question: str) -> str:
    found = hit.passage
    place = formatting.location(name_of(found.source), found.page, found.headings)
    text = " ".join(found.text.split())
    if len(text) > SHOWN_CHARACTERS:
        text = f"{text[:SHOWN_CHARACTERS].rstrip()} …"
    return html_blocks.passage(text, place, question)
