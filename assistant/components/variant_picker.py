"""Choosing, making and deleting variants, for every view of the Compare page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from assistant.chat.turn import AnswerOptions
from assistant.compare.saved_variants import SavedVariants
from assistant.compare.variants import Variant, missing, presets
from assistant.components import empty_state, formatting, html_blocks
from assistant.i18n.texts import t
from assistant.session import choices, notices, resources
from tuning.checkpoints.manifest import Checkpoint

METHOD_TITLES = {"lora": "LoRA", "p-tuning-v2": "P-Tuning v2"}
_ICONS = {
    "base": "circle",
    "documents": "edit_note",
    "given": "format_quote",
    "checkpoint": "fingerprint",
    "both": "join",
}


def draw_picker(key: str, *, most: int | None = None) -> tuple[Variant, ...]:
    """The chosen variants; those whose checkpoint or documents are gone are left out with a warning."""
    checkpoints = resources.workspace().registry.answering()
    variants = offered(checkpoints)
    methods = {one.name: METHOD_TITLES.get(one.method, one.method) for one in checkpoints}
    wanted = [name for name in _wanted(checkpoints) if name in variants]
    st.session_state[f"arm-choice-{key}"] = wanted
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        chosen = st.pills(
            t("compare.arms"),
            list(variants),
            selection_mode="multi",
            key=f"arm-choice-{key}",
            format_func=lambda name: _pill(variants[name], methods),
            on_change=lambda: st.session_state.update(variants=st.session_state[f"arm-choice-{key}"]),
        )
        with st.popover(t("arm.new"), icon=":material/add:", type="tertiary", key=f"new-arm-{key}"):
            _draw_new(checkpoints, key)
    if not checkpoints and not choices.has_documents():
        empty_state.draw(f"compare-{key}", t("compare.nothing"), t("compare.nothing.text"))
    elif not checkpoints:
        html_blocks.quiet(t("compare.no_checkpoint"))
    if most is not None and len(chosen) > most:
        st.warning(t("compare.too_many", most=most), icon=":material/info:")
    return _present([variants[name] for name in chosen], checkpoints)


def _wanted(checkpoints: Sequence[Checkpoint]) -> list[str]:
    """The names that a person picked; before that, what this home can answer with."""
    if "variants" in st.session_state:
        return list(st.session_state["variants"])
    documents = ["rag"] if choices.has_documents() else []
    newest = [checkpoints[-1].name] if checkpoints else []
    return ["base", *documents, *newest]


def _pill(variant: Variant, methods: Mapping[str, str]) -> str:
    """The label of a variant to pick: its icon, its name, and the method of its checkpoint."""
    method = (
        methods.get(variant.checkpoint or "") if variant.kind == "checkpoint" and variant.is_plain else None
    )
    text = f"{label(variant)} · {method}" if method else label(variant)
    return f":material/{_ICONS[variant.kind]}: {formatting.escape_markdown(text)}"


def offered(checkpoints: Sequence[Checkpoint]) -> dict[str, Variant]:
    """Every variant that can be chosen, by name: the saved ones last."""
    own = SavedVariants(resources.workspace().home).list()
    return {variant.name: variant for variant in (*presets(checkpoints), *own)}


def label(variant: Variant) -> str:
    """The name of a variant as the pages show it."""
    if not variant.is_plain:
        return variant.name
    memory = (
        t("compare.given" if variant.given else "compare.rag") if variant.given or variant.documents else ""
    )
    if variant.checkpoint is None:
        return memory or t("compare.base")
    return f"{variant.checkpoint} + {memory.lower()}" if memory else variant.checkpoint


def names(variants: Sequence[Variant]) -> dict[str, str]:
    """Name of a variant -> its name as the pages show it."""
    return {variant.name: label(variant) for variant in variants}


def default_options() -> AnswerOptions:
    """How a variant answers where it sets nothing else."""
    settings, preset = resources.workspace().settings, choices.prompt()
    return AnswerOptions(
        knowledge_base=choices.knowledge_base(),
        passages=settings.passages,
        system_prompt=preset.system,
        few_shot=tuple(preset.few_shot),
        max_new_tokens=settings.max_new_tokens,
    )


def _present(variants: Sequence[Variant], checkpoints: Sequence[Checkpoint]) -> tuple[Variant, ...]:
    known = [checkpoint.name for checkpoint in checkpoints]
    bases = list(resources.knowledge_counts())
    problems = {
        variant.name: missing(replace(variant, name=label(variant)), known, bases, choices.knowledge_base())
        for variant in variants
    }
    for problem in problems.values():
        if problem:
            st.warning(notices.sentence(Exception(problem)), icon=":material/link_off:")
    return tuple(variant for variant in variants if not problems[variant.name])


def _draw_new(checkpoints: Sequence[Checkpoint], key: str) -> None:
    """A form for a new variant, and the saved ones."""
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
            variant = Variant(
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
                _save(variant, checkpoints)
    _draw_saved(key)


def _save(variant: Variant, checkpoints: Sequence[Checkpoint]) -> None:
    taken = [one.name for one in presets(checkpoints)]
    saved = SavedVariants(resources.workspace().home).save(variant, taken)
    before = [name for name in _wanted(checkpoints) if name != saved.name]
    st.session_state["variants"] = [*before, saved.name]
    notices.queue_toast(t("arm.saved", name=saved.name))
    st.rerun()


def _draw_saved(key: str) -> None:
    saved = SavedVariants(resources.workspace().home)
    own = saved.list()
    if own:
        st.caption(t("arm.own"))
    for number, variant in enumerate(own):
        if st.button(
            t("arm.delete", name=formatting.escape_markdown(variant.name)),
            icon=":material/delete:",
            type="tertiary",
            key=f"delete-arm-{key}-{number}",
        ):
            saved.delete(variant.name)
            st.rerun()
