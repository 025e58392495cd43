"""Choosing and making arms, for every view of the Compare page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from assistant.chat.turn import AnswerOptions
from assistant.compare.saved_variants import SavedVariants
from assistant.compare.variants import Variant, missing, presets
from assistant.components import formatting, html_blocks, theme
from assistant.i18n.texts import t
from assistant.session import choices, notices, resources
from tuning.checkpoints.manifest import Checkpoint

COLOURS = {
    "base": theme.GRAY,
    "documents": theme.PENCIL,
    "given": "#7fb3a5",
    "checkpoint": theme.INK,
    "both": "#8d5a97",
}
METHOD_TITLES = {"lora": "LoRA", "p-tuning-v2": "P-Tuning v2"}
_ICONS = {
    "base": "circle",
    "documents": "edit_note",
    "given": "format_quote",
    "checkpoint": "fingerprint",
    "both": "join",
}


def draw_picker(key: str, *, most: int | None = None) -> tuple[Variant, ...]:
    """The arms that a person chose; those whose checkpoint or documents are gone are told and left out."""
    checkpoints = resources.workspace().registry.list()
    arms = offered(checkpoints)
    methods = {one.name: METHOD_TITLES.get(one.method, one.method) for one in checkpoints}
    wanted = [name for name in st.session_state.get("arms", ["base", "rag"]) if name in arms]
    st.session_state[f"arm-choice-{key}"] = wanted
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.pills(
            t("compare.arms"),
            list(arms),
            selection_mode="multi",
            key=f"arm-choice-{key}",
            format_func=lambda name: _pill(arms[name], methods),
            on_change=lambda: st.session_state.update(arms=st.session_state[f"arm-choice-{key}"]),
        )
        with st.popover(t("arm.new"), icon=":material/add:", type="tertiary", key=f"new-arm-{key}"):
            _draw_new(checkpoints, key)
    if not checkpoints:
        html_blocks.quiet(t("compare.no_checkpoint"))
    if most is not None and len(chosen) > most:
        st.warning(t("compare.too_many", most=most), icon=":material/info:")
    return _present([arms[name] for name in chosen], checkpoints)


def _pill(arm: Variant, methods: Mapping[str, str]) -> str:
    """An arm to pick: its icon, its name, and how its checkpoint was made."""
    method = methods.get(arm.checkpoint or "") if arm.kind == "checkpoint" and arm.is_plain else None
    text = f"{label(arm)} · {method}" if method else label(arm)
    return f":material/{_ICONS[arm.kind]}: {formatting.escape_markdown(text)}"


def offered(checkpoints: Sequence[Checkpoint]) -> dict[str, Variant]:
    """Every arm that can be chosen, by name: a person's own last."""
    own = SavedVariants(resources.workspace().home).list()
    return {arm.name: arm for arm in (*presets(checkpoints), *own)}


def label(arm: Variant) -> str:
    """What an arm is called on a page."""
    if not arm.is_plain:
        return arm.name
    memory = t("compare.given" if arm.given else "compare.rag") if arm.given or arm.documents else ""
    if arm.checkpoint is None:
        return memory or t("compare.base")
    return f"{arm.checkpoint} + {memory.lower()}" if memory else arm.checkpoint


def names(arms: Sequence[Variant]) -> dict[str, str]:
    """Arm name -> what it is called."""
    return {arm.name: label(arm) for arm in arms}


def default_options() -> AnswerOptions:
    """How every arm answers where it has no choice of its own."""
    settings, preset = resources.workspace().settings, choices.prompt()
    return AnswerOptions(
        knowledge_base=choices.knowledge_base(),
        passages=settings.passages,
        system_prompt=preset.system,
        few_shot=tuple(preset.few_shot),
        max_new_tokens=settings.max_new_tokens,
    )


def _present(arms: Sequence[Variant], checkpoints: Sequence[Checkpoint]) -> tuple[Variant, ...]:
    known = [checkpoint.name for checkpoint in checkpoints]
    bases = list(resources.knowledge_counts())
    problems = {
        arm.name: missing(replace(arm, name=label(arm)), known, bases, choices.knowledge_base())
        for arm in arms
    }
    for problem in problems.values():
        if problem:
            st.warning(notices.sentence(Exception(problem)), icon=":material/link_off:")
    return tuple(arm for arm in arms if not problems[arm.name])


def _draw_new(checkpoints: Sequence[Checkpoint], key: str) -> None:
    """A form for an arm of one's own, and the saved ones."""
    base, chosen = t("arm.model.base"), t("arm.kb.chosen")
    names_of = [base, *(checkpoint.name for checkpoint in reversed(checkpoints))]
    prompts = {preset.name: preset for preset in resources.workspace().presets.list()}
    with st.form(f"arm-form-{key}", border=False):
        name = st.text_input(t("arm.name"), key=f"arm-name-{key}")
        model = st.selectbox(t("arm.model"), names_of, key=f"arm-model-{key}")
        source = st.segmented_control(
            t("arm.passages"),
            ["none", "documents", "given"],
            default="none",
            key=f"arm-passages-{key}",
            format_func=lambda choice: t(f"arm.passages.{choice}"),
        )
        left, right = st.columns([2, 1])
        kb = left.selectbox(t("arm.kb"), [chosen, *resources.knowledge_counts()], key=f"arm-kb-{key}")
        count = right.number_input(t("arm.count"), 1, 50, value=None, key=f"arm-count-{key}")
        prompt = st.selectbox(t("arm.prompt"), [t("arm.prompt.chosen"), *prompts], key=f"arm-prompt-{key}")
        system = st.text_area(t("arm.system"), key=f"arm-system-{key}", height=80)
        left, middle, right = st.columns(3)
        temperature = left.number_input(
            t("arm.temperature"), 0.0, 2.0, value=None, key=f"arm-temperature-{key}"
        )
        top_p = middle.number_input(t("arm.top_p"), 0.01, 1.0, value=None, key=f"arm-top-p-{key}")
        seed = right.number_input(t("arm.seed"), 0, 2**31, value=None, key=f"arm-seed-{key}")
        if st.form_submit_button(t("arm.save"), type="primary"):
            preset = prompts.get(str(prompt))
            arm = Variant(
                name or "",
                documents=source == "documents",
                checkpoint=None if model == base else model,
                given=source == "given",
                knowledge_base=None if kb == chosen else kb,
                passages=int(count) if count is not None else None,
                system_prompt=system.strip() or (preset.system if preset else None),
                examples=preset.examples or None if preset else None,
                temperature=temperature,
                top_p=top_p,
                seed=int(seed) if seed is not None else None,
            )
            with notices.show_errors():
                _save(arm, checkpoints)
    _draw_saved(key)


def _save(arm: Variant, checkpoints: Sequence[Checkpoint]) -> None:
    taken = [one.name for one in presets(checkpoints)]
    saved = SavedVariants(resources.workspace().home).save(arm, taken)
    before = [name for name in st.session_state.get("arms", ["base", "rag"]) if name != saved.name]
    st.session_state["arms"] = [*before, saved.name]
    notices.queue_toast(t("arm.saved", name=saved.name))
    st.rerun()


def _draw_saved(key: str) -> None:
    shelf = SavedVariants(resources.workspace().home)
    own = shelf.list()
    if own:
        st.caption(t("arm.own"))
    for number, arm in enumerate(own):
        if st.button(
            t("arm.delete", name=formatting.escape_markdown(arm.name)),
            icon=":material/delete:",
            type="tertiary",
            key=f"delete-arm-{key}-{number}",
        ):
            shelf.delete(arm.name)
            st.rerun()
