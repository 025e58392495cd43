"""One question to several variants: the answers as they stream, where they differ, what they come from."""

from collections.abc import Sequence

import streamlit as st

from assistant.chat.live import LiveAnswer
from assistant.compare.attribution import NearestExample, nearest_example
from assistant.compare.differences import Piece, differences, differs_throughout
from assistant.compare.side_by_side import MAX_SIDE_BY_SIDE, SideBySide
from assistant.compare.variants import Variant
from assistant.components import formatting, html_blocks
from assistant.components.variant_picker import default_options, draw_picker, label
from assistant.i18n.texts import t, translated
from assistant.session import choices, notices, open_conversation, resources

POLL_SECONDS = 0.2


def draw() -> None:
    """The view."""
    variants = draw_picker("one", most=MAX_SIDE_BY_SIDE)
    passage = ""
    if any(variant.given for variant in variants):
        passage = st.text_area(t("compare.passage"), key="given-passage", height=90)
    with (
        st.form("compare-form", border=False),
        st.container(key="compare-row", horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        question = st.text_input(
            t("compare.question"),
            key="compare-question",
            placeholder=t("compare.question.placeholder"),
            label_visibility="collapsed",
        )
        asked = st.form_submit_button(t("compare.ask"), type="primary", icon=":material/compare_arrows:")
    at_once = st.toggle(t("compare.at_once"), value=True, key="at-once", help=t("compare.at_once.help"))
    if asked:
        with notices.show_errors():
            _ask(question or "", variants, passage or "", at_once)
    shown = resources.side_by_side().get(choices.chosen("run") or "")
    if shown is None:
        html_blocks.quiet(t("compare.question.lead"))
    elif shown.running:
        st.session_state["columns-were-drawn"] = True
        _draw_live(shown)
    else:
        _draw_columns(shown)


def _ask(question: str, variants: Sequence[Variant], passage: str, at_once: bool) -> None:
    opened = resources.workspace()
    chat, open_checkpoints = opened.batched_chat()

    def prepare(checkpoints: Sequence[str | None]) -> None:
        resources.import_models()
        if at_once:
            open_checkpoints(checkpoints)

    run = resources.side_by_side().ask(
        chat if at_once else opened.chat,
        question,
        variants,
        default_options(),
        passage=passage,
        prepare=prepare,
        at_once=at_once,
    )
    choices.choose("run", run.id)
    st.session_state["votes"] = None
    st.rerun()


@st.fragment(run_every=POLL_SECONDS)
def _draw_live(shown: SideBySide) -> None:
    """The answers as they grow; see `chat._draw_live` for why it stays in one run."""
    notices.apply_language()
    st.markdown(f"**{formatting.escape_markdown(shown.question)}**")
    places = [column.empty() for column in st.columns(len(shown.variants))]
    stays = not st.session_state.pop("columns-were-drawn", False)
    while True:
        for place, variant, answer in zip(places, shown.variants, shown.answers, strict=True):
            place.html(_column(variant, answer, [(answer.text, False)]))
        if not stays or not shown.running:
            break
        next(answer for answer in shown.answers if answer.running).wait(POLL_SECONDS)
    st.button(t("chat.stop"), icon=":material/stop_circle:", key="stop-comparison", on_click=shown.stop)
    if not shown.running:
        st.rerun()


def _draw_columns(shown: SideBySide) -> None:
    st.markdown(f"**{formatting.escape_markdown(shown.question)}**")
    pieces = differences([answer.text for answer in shown.answers])
    for place, column in enumerate(st.columns(len(shown.variants))):
        variant, answer = shown.variants[place], shown.answers[place]
        with column:
            st.html(_column(variant, answer, pieces[place], _origin(shown, place)))
            _draw_sources(shown.question, answer)
            _draw_vote(shown, place)
    note = html_blocks.escaped(t("compare.at_once.note")) if shown.at_once else ""
    legend = html_blocks.escaped(t("compare.legend"))
    st.html(f'<div class="quiet"><mark class="own">{legend}</mark>&ensp;{note}</div>')


def _draw_sources(question: str, answer: LiveAnswer) -> None:
    if answer.done is None or not answer.done.sources:
        return
    sources = answer.done.sources
    cited = open_conversation.cited(answer.text, sources, question).citations
    spans = {one.passage: [(*one.span, "")] for one in cited if one.span}
    with st.expander(t("message.sources", count=len(sources)), icon=":material/description:", type="compact"):
        st.html(
            "".join(
                html_blocks.source(number, source, question, spans.get(number, ()))
                for number, source in enumerate(sources, 1)
            )
        )


def _draw_vote(shown: SideBySide, place: int) -> None:
    voted = st.session_state.get("votes")
    if voted == place:
        st.html(html_blocks.badge(t("compare.chosen"), "good"))
    if voted is not None or not shown.answers[place].text:
        return
    if st.button(t("compare.best"), icon=":material/thumb_up:", key=f"best-{place}", type="tertiary"):
        shown.vote(resources.workspace().preferences, place)
        st.session_state["votes"] = place
        notices.queue_toast(t("compare.voted"))
        st.rerun()


def _origin(shown: SideBySide, place: int) -> str:
    """Where an answer is from, as HTML: the passages of its sentences, or the nearest training example."""
    variant, answer = shown.variants[place], shown.answers[place]
    if not answer.text.strip():
        return ""
    lines = []
    if answer.done is not None and answer.done.sources:
        citations = open_conversation.cited(answer.text, answer.done.sources, shown.question).citations
        numbers = sorted({one.passage for one in citations if one.passage is not None})
        lines += [html_blocks.badge(t("compare.supported", number=number), "documents") for number in numbers]
        lines += [html_blocks.badge(t("compare.unsupported"), "warn")] if not numbers else []
    if variant.checkpoint is not None:
        lines.append(_taught(variant.checkpoint, _nearest(variant.checkpoint, shown.question, answer.text)))
    return f'<div class="origin">{"".join(lines)}</div>' if lines else ""


def _nearest(checkpoint: str, question: str, answer: str) -> NearestExample | None:
    registry = resources.workspace().registry
    if not registry.exists(checkpoint):
        return None
    return nearest_example(question, answer, registry.examples_of(checkpoint))


def _taught(checkpoint: str, origin: NearestExample | None) -> str:
    if origin is None or not (origin.is_near or origin.is_question_taught):
        return html_blocks.badge(t("compare.origin.none"), "warn")
    key = "compare.origin.near" if origin.is_near else "compare.origin.other"
    kind = "live" if origin.is_near else "warn"
    said = f"{origin.example.question} → {origin.example.answer}"
    return (
        f'{html_blocks.badge(t(key, name=origin.checkpoint), kind, origin.example.source)}<div class="taught">'
        f"{html_blocks.escaped(said)}</div>"
    )


def _column(variant: Variant, answer: LiveAnswer, pieces: Sequence[Piece], origin: str = "") -> str:
    if answer.error:
        text = f'<p class="failed">{html_blocks.escaped(translated(answer.error))}</p>'
    elif answer.running:
        text = f'<p>{html_blocks.escaped(answer.text)}<span class="caret"></span></p>'
    elif differs_throughout(pieces):
        text = f"<p>{html_blocks.escaped(answer.text)}</p>"
        origin = f'<div class="origin">{html_blocks.badge(t("compare.throughout"))}</div>{origin}'
    else:
        text = f"<p>{_marked(pieces) or '–'}</p>"
    name = html_blocks.escaped(label(variant))
    return (
        f'<div class="arm {variant.kind}"><div class="arm-name">{name}</div>{text}{origin}'
        f'<div class="quiet numbers">{html_blocks.escaped(_figures(answer))}</div></div>'
    )


def _marked(pieces: Sequence[Piece]) -> str:
    return "".join(_own(text) if is_own else html_blocks.escaped(text) for text, is_own in pieces)


def _own(text: str) -> str:
    """A marked piece; the space around it is not part of it."""
    said = text.strip()
    before, _, after = text.partition(said)
    return f'{before}<mark class="own">{html_blocks.escaped(said)}</mark>{after}' if said else text


def _figures(answer: LiveAnswer) -> str:
    if answer.done is not None:
        return t(
            "compare.figures",
            prompt=answer.done.prompt_tokens,
            answer=answer.done.completion_tokens,
            first=formatting.seconds(answer.done.seconds_to_first_token),
            seconds=formatting.seconds(answer.done.seconds),
        )
    if answer.phase == "writing":
        return t("answer.writing")
    return t("status.failed") if answer.error else t("compare.waiting")
