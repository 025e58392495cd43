"""The way through the first hour: three steps, what each needs, and which are done. It decides nothing else."""

from dataclasses import dataclass

import streamlit as st

from assistant.components import html_blocks, tour
from assistant.i18n.texts import FALLBACK, language, t
from assistant.session import choices, notices, open_conversation, resources, sample
from tuning.models.capability import ENGLISH_ALONE


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
                    f"<p>{html_blocks.escaped(_text(name))}</p></div>"
                )
                _BUTTONS[name](name == next_step)


def _text(name: str) -> str:
    if name == "ask" and _hardly_speaks():
        return t("first.ask.foreign")
    if name == "keep" and not sample.is_offered():
        return t("first.keep.own")
    return t(f"first.{name}.text")


def _hardly_speaks() -> bool:
    """Whether the model that answers hardly knows the language of the page: the packaged ones know no Chinese."""
    settings = resources.workspace().settings
    return language() != FALLBACK and settings.base_model in ENGLISH_ALONE and settings.engine_url is None


def _draw_ask(is_next: bool) -> None:
    """Questions that even the smallest model answers; in a language that it hardly knows, something to read first."""
    if _hardly_speaks():
        _draw_sample_documents(is_next)
        return
    for number in (1, 2):
        question = t(f"first.question.{number}")
        if st.button(
            question, key=f"first-question-{number}", type="tertiary", icon=":material/arrow_forward:"
        ):
            with notices.show_errors():
                open_conversation.ask(question)
                st.rerun()


def _draw_sample_documents(is_next: bool) -> None:
    """The sample's documents in the language of the page, and the way to models that speak it."""
    if not choices.has_documents() and st.button(
        t("welcome.sample_documents"),
        icon=":material/auto_stories:",
        key="first-sample",
        type="primary" if is_next else "secondary",
    ):
        with notices.show_errors():
            name = choices.knowledge_base()
            resources.indexing().start(
                name, lambda: resources.workspace().knowledge(name), paths=[sample.documents()]
            )
            st.switch_page(choices.page("knowledge"))
    if st.button(t("welcome.larger.open"), key="first-models", type="tertiary"):
        st.switch_page(choices.page("settings"))


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
