"""Inside a checkpoint: its size to scale, weight changes, virtual tokens, attention to its prefix."""

import streamlit as st

from assistant.components import html_blocks, job_card, tensor_maps
from assistant.engines.local import LocalEngine
from assistant.i18n.texts import t
from assistant.pages import memory
from assistant.session import resources
from tuning.checkpoints.inspection import CheckpointContents, WeightChange, look_inside
from tuning.checkpoints.manifest import Checkpoint
from tuning.training.methods import ALL_METHODS


def draw(checkpoint: Checkpoint | None) -> None:
    """The view."""
    html_blocks.quiet(t("visible.inside.lead"))
    if checkpoint is None:
        memory.draw_no_checkpoint("inside")
        return
    with st.spinner(t("model.opening", name=resources.workspace().settings.base_model)):
        engine = resources.workspace().local_engine()
    field = f"inside-question-{checkpoint.id}"
    question: str = st.session_state.setdefault(field, memory.example_question(checkpoint))
    with st.spinner(t("visible.asking")):
        identity = engine.identity(checkpoint.name)
        inside = _look(identity, checkpoint.name, checkpoint.system_prompt, question.strip() or "?", engine)
    _draw_sizes(inside, checkpoint)
    if inside.changes:
        _draw_changes(inside)
    if inside.words:
        _draw_words(inside)
    if inside.attention:
        _draw_attention(inside, field)
    _draw_missing(inside, checkpoint)


@st.cache_data(max_entries=32, show_spinner=False)
def _look(
    identity: str | None, name: str, system: str, question: str, _engine: LocalEngine
) -> CheckpointContents:
    head = [{"role": "system", "content": system}] if system.strip() else []
    with _engine.with_checkpoint(name) as base:
        return look_inside(base, name, [*head, {"role": "user", "content": question}])


def _draw_sizes(inside: CheckpointContents, checkpoint: Checkpoint) -> None:
    st.subheader(t("visible.scale"), anchor=False)
    st.html(tensor_maps.sizes_to_scale(inside.sizes, checkpoint.base, checkpoint.name))
    share = f"{100 * inside.sizes.share:.3g}"
    said = [t("visible.scale.said", share=share, method=job_card.method_title(checkpoint.method))]
    if inside.sizes.positions:
        said.append(t("visible.scale.positions", count=inside.sizes.positions))
    html_blocks.quiet(" ".join(said))


def _draw_changes(inside: CheckpointContents) -> None:
    st.subheader(t("visible.changes"), anchor=False)
    most = max(inside.changes, key=lambda change: change.size)
    mean = sum(change.size for change in inside.changes) / len(inside.changes)
    html_blocks.quiet(
        t(
            "visible.changes.said",
            count=len(inside.changes),
            mean=f"{100 * mean:.2g}",
            place=_place(most),
            most=f"{100 * most.size:.2g}",
        )
    )
    st.altair_chart(tensor_maps.change_map(inside.changes))


def _place(change: WeightChange) -> str:
    if change.layer is None:
        return change.module
    return t("visible.changes.place", module=change.module, layer=change.layer)


def _draw_words(inside: CheckpointContents) -> None:
    st.subheader(t("visible.words"), anchor=False)
    html_blocks.quiet(t("visible.words.said"))
    st.html(tensor_maps.nearest_words(inside.words))


def _draw_attention(inside: CheckpointContents, field: str) -> None:
    st.subheader(t("visible.attention"), anchor=False)
    st.text_input(t("visible.inside.question"), key=field)
    mean = sum(layer.share for layer in inside.attention) / len(inside.attention)
    first = sum(layer.first for layer in inside.attention) / len(inside.attention)
    html_blocks.quiet(t("visible.attention.said", share=f"{100 * mean:.0f}", first=f"{100 * first:.0f}"))
    st.altair_chart(tensor_maps.attention_chart(inside.attention))
    with st.expander(t("visible.heads"), type="compact"):
        st.altair_chart(tensor_maps.head_map(inside.attention))


def _draw_missing(inside: CheckpointContents, checkpoint: Checkpoint) -> None:
    """Which views this method does not have, and why."""
    missing = [name for name in ("changes", "words", "attention") if not getattr(inside, name)]
    entry = ALL_METHODS.get(checkpoint.method)
    family = entry.family if entry else "prefix"
    title = job_card.method_title(checkpoint.method)
    st.markdown(f"**{t('visible.inside.without')}**")
    for name in missing:
        html_blocks.quiet(t(f"visible.none.{name}.{family}", method=title))
