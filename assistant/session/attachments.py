"""The files that go with this tab's next question: read at once, checked against the window, gone once it is asked."""

from dataclasses import dataclass, replace

import streamlit as st

from assistant.chat.attachments import Attachment, read_attachment
from assistant.chat.turn import AnswerOptions
from assistant.session.resources import workspace

KEY = "attached"


@dataclass(frozen=True)
class Waiting:
    """An attachment with its size."""

    attachment: Attachment
    tokens: int


def waiting() -> tuple[Waiting, ...]:
    """What the next question takes along."""
    held: tuple[Waiting, ...] = st.session_state.get(KEY, ())
    return held


def attachments() -> tuple[Attachment, ...]:
    """The same without sizes, for the options of the answer."""
    return tuple(one.attachment for one in waiting())


def attach(name: str, data: bytes, options: AnswerOptions) -> None:
    """Read a file and take it along, to be asked about with these options; one of the same name is replaced.

    Raises DocumentError for what cannot be read, PromptTooLongError for what does not fit beside the others.
    """
    others = tuple(one for one in waiting() if one.attachment.name != name)
    read = read_attachment(name, data)
    held = (*(one.attachment for one in others), read)
    chat, options = workspace().chat, replace(options, attached=held)
    before = sum(one.tokens for one in others)
    st.session_state[KEY] = (*others, Waiting(read, chat.check_attached(options) - before))


def detach(name: str) -> None:
    """Leave a file out again."""
    st.session_state[KEY] = tuple(one for one in waiting() if one.attachment.name != name)


def forget() -> None:
    """Take nothing along any longer."""
    st.session_state.pop(KEY, None)


def hand_over() -> None:
    """They have gone with a question; `take_back` where it could not be asked."""
    st.session_state[f"{KEY}-before"] = waiting()
    forget()


def take_back() -> None:
    """Let the next question take along what the refused one did."""
    st.session_state[KEY] = st.session_state.pop(f"{KEY}-before", ())
