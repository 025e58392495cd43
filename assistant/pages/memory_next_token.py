"""Next-token probabilities: of base and checkpoint beside each other, and over the tokens of an answer."""

import random
from collections.abc import Callable, Sequence

import streamlit as st

from assistant.components import formatting, html_blocks, token_bars
from assistant.engines.local import LocalEngine
from assistant.i18n.texts import t
from assistant.insight.token_probabilities import (
    AnswerToken,
    Logits,
    NextToken,
    answer_tokens,
    next_logits,
    next_logits_of_answer,
    top_tokens,
)
from assistant.pages import memory
from assistant.session import choices, notices, resources
from tuning.checkpoints.manifest import Checkpoint
from tuning.data.examples import Message

SHOWN = 10
ANSWER_TOKENS = 60
BARS = {"base": "rgba(133,135,142,.32)", "checkpoint": "rgba(103,115,210,.38)"}


def draw(checkpoint: Checkpoint | None) -> None:
    """The view."""
    html_blocks.quiet(t("visible.next.lead"))
    with st.spinner(t("model.opening", name=resources.workspace().settings.base_model)):
        engine = resources.workspace().local_engine()
    _draw_next(engine, checkpoint)
    st.divider()
    _draw_answer(engine, checkpoint)


# ---- the next token


def _draw_next(engine: LocalEngine, checkpoint: Checkpoint | None) -> None:
    st.subheader(t("visible.next"), anchor=False)
    kind = st.segmented_control(
        t("visible.next.kind"),
        ("text", "answer"),
        default="text",
        required=True,
        key="next-kind",
        label_visibility="collapsed",
        format_func=lambda name: t(f"visible.next.kind.{name}"),
    )
    if kind == "answer":
        question = st.text_input(
            t("visible.next.question"), value=_question(checkpoint), key=_key("next-question", checkpoint)
        )
    st.session_state.setdefault("next-text", t("visible.next.example"))
    st.session_state.setdefault("next-begun", "")
    field = "next-begun" if kind == "answer" else "next-text"
    begun = st.text_area(t(f"visible.next.begun.{kind}"), key=field, height=80)
    left, right = st.columns(2)
    temperature = left.slider(
        t("visible.temperature"),
        0.0,
        2.0,
        1.0,
        0.1,
        key="next-temperature",
        help=t("visible.temperature.help"),
    )
    top_p = right.slider(
        t("visible.top_p"), 0.05, 1.0, 1.0, 0.05, key="next-top-p", help=t("visible.top_p.help")
    )
    variants = [None] if checkpoint is None else [None, checkpoint.name]
    with notices.show_errors(), st.spinner(t("visible.asking")):
        system = _system(engine, checkpoint)
        logits = [
            _answer_logits(engine.identity(variant), variant, system, question or "", begun or "", engine)
            if kind == "answer"
            else _text_logits(engine.identity(variant), variant, begun or "", engine)
            for variant in variants
        ]
        sides = [top_tokens(engine.base, found, SHOWN, temperature, top_p) for found in logits]
        whole = token_bars.scale_of(sides)
        for column, variant, words in zip(st.columns(len(variants)), variants, sides, strict=True):
            with column:
                _draw_words(variant, words, field, whole)
        html_blocks.quiet(t("visible.next.scale", share=token_bars.percent(min(whole, 1.0))))
    if checkpoint is None:
        html_blocks.quiet(t("visible.next.alone"))


def _draw_words(variant: str | None, words: Sequence[NextToken], field: str, whole: float) -> None:
    """The likeliest tokens of one variant: each is a button with its probability as a bar."""
    side = "base" if variant is None else "checkpoint"
    st.html(
        f'<div class="from">{html_blocks.badge(variant or t("memory.alone"), "checkpoint" if variant else "")}</div>'
    )
    st.html(token_bars.bars(words, f"word-{side}", BARS[side], whole))
    with st.container(key=f"words-{side}", gap=None):
        for place, word in enumerate(words):
            name = formatting.escape_markdown(token_bars.readable(word.text, word.ends_answer))
            st.button(
                f"**{name}** {formatting.escape_markdown(token_bars.percent(word.probability))}",
                key=f"word-{side}-{place}",
                type="tertiary",
                width="stretch",
                disabled=word.ends_answer,
                on_click=_append(field, word.text),
            )
    rest = max(1.0 - sum(word.probability for word in words), 0.0)
    left, right = st.columns([2, 1], vertical_alignment="center")
    with left:
        html_blocks.quiet(t("visible.next.rest", share=token_bars.percent(rest if rest > 1e-9 else 0.0)))
    drawn = [word for word in words if not word.ends_answer and not word.is_excluded]
    right.button(
        t("visible.next.draw"),
        icon=":material/casino:",
        key=f"draw-{side}",
        type="tertiary",
        disabled=not drawn,
        help=t("visible.next.draw.help"),
        on_click=_append_sample(field, drawn),
    )


def _append(field: str, text: str) -> Callable[[], None]:
    def do() -> None:
        st.session_state[field] = _joined(st.session_state.get(field, ""), text)

    return do


def _append_sample(field: str, words: Sequence[NextToken]) -> Callable[[], None]:
    """A token sampled from those shown, by probability."""

    def do() -> None:
        (word,) = random.choices(words, [word.probability for word in words])
        st.session_state[field] = _joined(st.session_state.get(field, ""), word.text)

    return do


def _joined(begun: str, text: str) -> str:
    """A token brings the space before it along."""
    return begun.rstrip() + text if begun.strip() else text.lstrip(" ")


@st.cache_data(max_entries=128, show_spinner=False)
def _text_logits(identity: str | None, variant: str | None, text: str, _engine: LocalEngine) -> Logits:
    return next_logits(_engine, text, variant)


@st.cache_data(max_entries=128, show_spinner=False)
def _answer_logits(
    identity: str | None, variant: str | None, system: str, question: str, begun: str, _engine: LocalEngine
) -> Logits:
    return next_logits_of_answer(_engine, _messages(system, question), begun, variant)


# ---- an answer, token by token


def _draw_answer(engine: LocalEngine, checkpoint: Checkpoint | None) -> None:
    st.subheader(t("visible.answer"), anchor=False)
    html_blocks.quiet(t("visible.answer.lead"))
    name = checkpoint.name if checkpoint else None
    field = _key("answer-text", checkpoint)
    with st.container(key="answer-row", horizontal=True, vertical_alignment="bottom", gap="small"):
        question = st.text_input(
            t("visible.next.question"), value=_question(checkpoint), key=_key("answer-question", checkpoint)
        )
        if st.button(t("visible.answer.ask"), icon=":material/play_arrow:", key="answer-ask", type="primary"):
            with notices.show_errors(), st.spinner(t("answer.writing")):
                asked = [_messages(_system(engine, checkpoint), question or "")]
                (said,) = engine.complete(asked, checkpoint=name, max_new_tokens=ANSWER_TOKENS)
                st.session_state[field] = said
    answer = st.text_area(t("visible.answer.text"), key=field, height=80, help=t("visible.answer.text.help"))
    if not (answer or "").strip():
        html_blocks.quiet(t("visible.answer.empty"))
        return
    with notices.show_errors(), st.spinner(t("visible.asking")):
        said_now = _said(
            engine.identity(name), name, _system(engine, checkpoint), question or "", answer or "", engine
        )
        _draw_tokens(said_now, checkpoint)


def _draw_tokens(said: Sequence[AnswerToken], checkpoint: Checkpoint | None) -> None:
    st.html(_caption(t("visible.answer.by_share"), t("visible.answer.by_share.legend"), "sure"))
    st.html(token_bars.tokens_by_share(said))
    if checkpoint is None:
        html_blocks.quiet(t("visible.answer.alone"))
    else:
        st.html(_caption(t("visible.answer.by_gain"), t("visible.answer.by_gain.legend"), "gain"))
        st.html(token_bars.tokens_by_gain(said))
    with st.expander(t("visible.answer.figures"), type="compact"):
        st.html(token_bars.tokens_table(said))


def _caption(name: str, legend: str, kind: str) -> str:
    return (
        f'<div class="tokens-caption"><b>{html_blocks.escaped(name)}</b>'
        f'<span class="quiet"><i class="{kind}"></i>{html_blocks.escaped(legend)}</span></div>'
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _said(
    identity: str | None, variant: str | None, system: str, question: str, answer: str, _engine: LocalEngine
) -> list[AnswerToken]:
    return answer_tokens(_engine, _messages(system, question), answer, variant)


# ---- the question


def _messages(system: str, question: str) -> list[Message]:
    head = [{"role": "system", "content": system}] if system.strip() else []
    return [*head, {"role": "user", "content": question}]


def _system(engine: LocalEngine, checkpoint: Checkpoint | None) -> str:
    """The system prompt of this tab, or the one that the checkpoint was tuned with."""
    return choices.prompt().system or engine.system_prompt(checkpoint.name if checkpoint else None)


def _question(checkpoint: Checkpoint | None) -> str:
    return memory.example_question(checkpoint)


def _key(name: str, checkpoint: Checkpoint | None) -> str:
    """The key of a field that starts over with another checkpoint, because its example is another."""
    return f"{name}-{checkpoint.id if checkpoint else 'base'}"
