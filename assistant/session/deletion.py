"""Conversations deleted in this tab: taken out of the list at once, and brought back by one click."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from assistant.errors import ConversationError
from assistant.session import open_conversation
from assistant.session.resources import workspace


def delete(ids: Sequence[int]) -> None:
    """Take conversations out of the list, and remember them for `undo`; another tab may have done so already."""
    store, done = workspace().store, {}
    for one in ids:
        with suppress(ConversationError):
            title = store.title(one)
            store.delete(one)
            done[one] = open_conversation.shown_title(title)
    if open_conversation.conversation_id() in ids:
        open_conversation.open_conversation(None)
    st.session_state["deleted"] = (tuple(done), tuple(done.values()))


def deleted() -> tuple[str, ...]:
    """The titles of what was deleted last; none where nothing was, or it is done with."""
    titles: tuple[str, ...] = st.session_state.get("deleted", ((), ()))[1]
    return titles


def undo() -> None:
    """Bring back what was deleted last; a single conversation is opened."""
    ids = st.session_state.pop("deleted", ((), ()))[0]
    for one in ids:
        workspace().store.restore(one)
    if len(ids) == 1:
        open_conversation.open_conversation(ids[0])


def forget() -> None:
    """Offer no undo any longer; the list of conversations still restores what was deleted."""
    st.session_state.pop("deleted", None)
