"""The way through the first hour: three steps, what each needs, and which are done. It decides nothing else."""

from dataclasses import dataclass

import streamlit as st

from assistant.components import html_blocks, tour
from assistant.i18n.texts import t
from assistant.session import choices, notices, open_conversation, resources, sample


@dataclass(frozen=True)
class Progress:
    """What there is in this home."""

    asked: bool
    documents: bool
    checkpoint: bool

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to show."""
        return self.asked and self.documents and self.checkpoint


def progress() -> Progress:
    """How far this home is."""
    opened = resources.workspace()
    return Progress(bool(opened.store.list(limit=1)), choices.has_documents(), bool(opened.registry.list()))


def draw() -> None:
    """The three steps beside each other, the next one with its button."""
    there = progress()
    if there.is_whole:
        return
    tour.draw_offer()
    steps = ("ask", there.asked), ("documents", there.documents), ("keep", there.checkpoint)
    next_step = next((name for name, done in steps if not done), "")
    with st.container(key="first-steps"):
        for place, (column, (name, done)) in enumerate(zip(st.columns(3), steps, strict=True), 1):
            with (
                column,
                st.container(
                    border=True, key=f"step-{'next' if name == next_step else name}", height="stretch"
                ),
            ):
                sign = "✓" if done else str(place)
                st.html(
                    f'<div class="step{" done" if done else ""}"><b><i>{sign}</i> '
                    f"{html_blocks.escaped(t(f'first.{name}'))}</b>"
                    f"<p>{html_blocks.escaped(t(f'first.{name}.text'))}</p></div>"
                )
                _BUTTONS[name](name == next_step)


def _draw_ask(is_next: bool) -> None:
    """Questions that even the smallest model answers."""
    for number in (1, 2):
        question = t(f"first.question.{number}")
        if st.button(
            question, key=f"first-question-{number}", type="tertiary", icon=":material/arrow_forward:"
        ):
            with notices.show_errors():
                open_conversation.ask(question)
                st.rerun()


def _draw_documents(is_next: bool) -> None:
    if st.button(
        t("welcome.documents"),
        icon=":material/menu_book:",
        key="to-knowledge",
        type="primary" if is_next else "secondary",
    ):
        st.switch_page(choices.page("knowledge"))


def _draw_keep(is_next: bool) -> None:
    if sample.is_offered() and st.button(
        t("welcome.sample_chat"),
        icon=":material/forum:",
        key="sample-chat",
        type="primary" if is_next else "secondary",
    ):
        with notices.show_errors():
            open_conversation.open_conversation(sample.import_chat())
            st.rerun()


_BUTTONS = {"ask": _draw_ask, "documents": _draw_documents, "keep": _draw_keep}
