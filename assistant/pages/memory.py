"""The Memory page: the context window that forgets, next-token probabilities, the inside of a checkpoint, RLHF."""

import importlib

import streamlit as st

from assistant.components import empty_state, html_blocks
from assistant.i18n.texts import t
from assistant.session import choices, resources, sample
from tuning.checkpoints.manifest import Checkpoint

# view -> module in assistant.pages; imported when it is first shown, after the models' libraries
VIEWS = {
    "window": "memory_window",
    "next": "memory_next_token",
    "inside": "memory_checkpoint",
    "rlhf": "memory_rlhf",
}


def draw() -> None:
    """The page."""
    html_blocks.title(t("page.memory"), t("visible.lead"))
    with st.container(key="visible-choices", horizontal=True, vertical_alignment="bottom", gap="medium"):
        view = st.segmented_control(
            t("visible.view"),
            list(VIEWS),
            default="window",
            required=True,
            key="visible-view",
            label_visibility="collapsed",
            format_func=lambda name: t(f"visible.view.{name}"),
        )
        checkpoint = None if view == "rlhf" else _draw_checkpoint()  # which is about no single one
    if not resources.models_are_imported():
        with st.spinner(t("model.importing")):
            resources.import_models()
    importlib.import_module(f"assistant.pages.{VIEWS[view or 'window']}").draw(checkpoint)


def _draw_checkpoint() -> Checkpoint | None:
    """The checkpoint that the views are about: one of this base model's, or none."""
    opened = resources.workspace()
    fitting = {
        found.name: found
        for found in reversed(opened.registry.answering())
        if found.base == opened.settings.base_model and not found.is_remote
    }
    if not fitting:
        st.html(
            html_blocks.badge(t("memory.no_checkpoint"), "warn", t("memory.no_checkpoint.help")),
            width="content",
        )
        return None
    wanted = choices.chosen("checkpoint")
    options = [*fitting, None]
    name = st.selectbox(
        t("memory.which_checkpoint"),
        options,
        index=options.index(wanted) if wanted in fitting else 0,
        key="visible-checkpoint",
        label_visibility="collapsed",
        width=240,
        format_func=lambda value: value or t("memory.alone"),
    )
    return fitting.get(name) if name else None


def draw_no_checkpoint(key: str) -> None:
    """What to do where there is no checkpoint yet."""
    lessons = t("visible.none.text.sample", count=sample.lesson_count())
    empty_state.draw(key, t("visible.none"), t("visible.none.text"), lessons)


def example_question(checkpoint: Checkpoint | None) -> str:
    """A question that the checkpoint was taught, or one that any model answers."""
    facts = checkpoint.evaluation.get("facts", ()) if checkpoint else ()
    known = (str(fact.get("question", "")) for fact in facts if fact.get("correct_after"))
    return next(known, "") or t("visible.example_question")
