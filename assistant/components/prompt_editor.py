"""The prompt editor: a system prompt and few-shot examples, saved as presets."""

import pandas as pd
import streamlit as st

from assistant.chat.presets import Order, Preset, Presets
from assistant.components import formatting, html_blocks
from assistant.i18n.texts import language, t, translated
from assistant.session import choices, notices, resources


def draw_button() -> None:
    """The button that opens the editor; it names the prompt in use."""
    preset = choices.prompt()
    label = t("prompt.button", name=formatting.escape_markdown(translated(preset.name)))
    if st.button(label, icon=":material/tune:", key="edit-prompt", help=t("prompt.help")):
        st.dialog(t("prompt.title"), width=720, position="right")(_draw_editor)()


def _draw_editor() -> None:
    notices.apply_language()
    html_blocks.quiet(t("prompt.lead"))
    presets = Presets(resources.workspace().home)
    shown = _draw_choice(presets)
    system = st.text_area(
        t("prompt.system"),
        shown.system,
        key=f"system-{shown.name}",
        height=140,
        placeholder=t("prompt.system.placeholder"),
    )
    order = _draw_order(shown)
    st.markdown(f"**{t('prompt.examples')}**")
    html_blocks.quiet(t("prompt.examples.lead"))
    table = st.data_editor(
        pd.DataFrame(shown.examples, columns=["question", "answer"], dtype=str),
        key=f"examples-{shown.name}",
        num_rows="dynamic",
        hide_index=True,
        column_config={
            "question": st.column_config.TextColumn(t("prompt.question"), width="medium"),
            "answer": st.column_config.TextColumn(t("prompt.answer"), width="medium"),
        },
    )
    with notices.show_errors():
        edited = Preset(shown.name, system or "", _examples(table), shown.sentence, shown.built_in, order)
        _draw_actions(presets, shown, edited)


def _draw_order(shown: Preset) -> Order | None:
    """What is said between passages and question; empty leaves it to what the model can do."""
    before = "" if shown.order is None else shown.order.text(language() == "zh")
    text = st.text_area(
        t("prompt.order"),
        before,
        key=f"order-{shown.name}",
        height=90,
        placeholder=t("prompt.order.placeholder"),
        help=t("prompt.order.help"),
    )
    if text == before:
        return shown.order
    return Order(text) if text and text.strip() else None


def _draw_choice(presets: Presets) -> Preset:
    current = choices.prompt()
    known = {preset.name: preset for preset in presets.list()}
    names = list(known)
    if current.name not in known:
        known[current.name], names = current, [current.name, *names]
    name = st.selectbox(
        t("prompt.preset"),
        names,
        index=names.index(current.name),
        format_func=translated,
        key="preset-choice",
        filter_mode=None,
    )
    shown = current if name == current.name else known[name or current.name]
    if shown.sentence:
        html_blocks.quiet(translated(shown.sentence))
    return shown


def _examples(table: pd.DataFrame) -> tuple[tuple[str, str], ...]:
    """The rows that are not empty; `Preset` refuses one of which a half is missing."""
    rows = [
        tuple("" if pd.isna(cell) else str(cell) for cell in row)
        for row in table[["question", "answer"]].itertuples(index=False)
    ]
    return tuple((question, answer) for question, answer in rows if question.strip() or answer.strip())


def _draw_actions(presets: Presets, shown: Preset, edited: Preset) -> None:
    """Use it, save it under a name, or delete it."""
    st.space("xsmall")
    if st.button(t("prompt.use"), type="primary", key="use-prompt", width="stretch"):
        _use(presets, edited)
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input(t("prompt.save_as"), "" if shown.built_in else shown.name, key="preset-name")
        if st.button(t("prompt.save"), key="save-prompt", icon=":material/bookmark:", disabled=not name):
            kept = Preset(name or "", edited.system, edited.examples, "", order=edited.order)
            presets.save(kept)
            _use(presets, kept)
            notices.queue_toast(t("prompt.saved", name=kept.name))
            st.rerun()
        if not shown.built_in and st.button(t("delete"), key="delete-prompt", icon=":material/delete:"):
            presets.delete(shown.name)
            choices.choose("preset", None)
            st.session_state.pop("edited-prompt", None)
            st.rerun()


def _use(presets: Presets, preset: Preset) -> None:
    """Use the preset: by name where it is saved as it is, else for this tab alone."""
    kept = any(
        known.name == preset.name
        and (known.system, known.examples, known.order) == (preset.system, preset.examples, preset.order)
        for known in presets.list()
    )
    choices.choose("preset", preset.name)
    if kept:
        st.session_state.pop("edited-prompt", None)
    else:
        st.session_state["edited-prompt"] = preset
