"""A tour of one minute: both memories on the sample domain, with the answers that this machine's model writes.

It is offered once; whoever takes or declines it is not asked again. Nothing of it is stored.
"""

import streamlit as st

from assistant.chat.live import LiveAnswer
from assistant.compare.side_by_side import SideBySide
from assistant.compare.variants import Variant
from assistant.components import html_blocks
from assistant.components.variant_picker import default_options
from assistant.i18n.texts import t
from assistant.session import choices, notices, open_conversation, resources, sample

STEPS = ("ask", "forget", "keep")
POLL_SECONDS = 0.4


def draw_offer() -> None:
    """The offer, until it was taken or declined."""
    if resources.workspace().settings.tour_seen:
        return
    with st.container(key="tour-offer", horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.html(f'<span class="quiet">{html_blocks.escaped(t("tour.offer"))}</span>', width="stretch")
        if st.button(t("tour.start"), icon=":material/play_circle:", key="tour-start"):
            open_tour()
        st.button(t("tour.skip"), key="tour-skip", type="tertiary", on_click=_remember_seen)


def open_tour() -> None:
    """Open the tour at its first step."""
    st.session_state["tour-step"] = 0
    st.session_state.pop("tour-run", None)
    st.dialog(t("tour.title"), width="large", on_dismiss=_remember_seen)(_draw)()


def _remember_seen() -> None:
    notices.apply_language()
    if not resources.workspace().settings.tour_seen:
        resources.workspace().change(tour_seen=True)


def _draw() -> None:
    notices.apply_language()
    place = int(st.session_state.get("tour-step", 0))
    name = STEPS[place]
    html_blocks.quiet(t("tour.place", step=place + 1, steps=len(STEPS)))
    st.subheader(t(f"tour.{name}"), anchor=False)
    html_blocks.paragraph(t(f"tour.{name}.text"))
    with notices.show_errors():
        if name == "ask":
            _draw_answers()
        elif name == "forget":
            st.html(html_blocks.two_memories(*(t(f"welcome.{key}") for key in _MEMORIES)))
        else:
            _draw_ways_on()
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if place and st.button(t("tour.back"), key="tour-back", type="tertiary"):
            _go(place - 1)
        if place + 1 < len(STEPS) and st.button(t("tour.next"), key="tour-next", type="primary"):
            _go(place + 1)


_MEMORIES = ("temporary", "temporary.text", "permanent", "permanent.text")


def _go(place: int) -> None:
    st.session_state["tour-step"] = place
    _remember_seen()
    st.rerun(scope="fragment")


def _draw_answers() -> None:
    """One question to the model alone and to the model with the sentence in front of it."""
    run: SideBySide | None = st.session_state.get("tour-run")
    if run is None:
        run = st.session_state["tour-run"] = _ask()
    st.html(f'<p class="plain"><b>{html_blocks.escaped(run.question)}</b></p>')
    st.fragment(_draw_columns, run_every=POLL_SECONDS if run.running else None)(run)


def _ask() -> SideBySide:
    fact = sample.first_fact()
    variants = (Variant("base"), Variant("base+given", given=True))
    return resources.side_by_side().ask(
        resources.workspace().chat,
        fact.question,
        variants,
        default_options(),
        passage=fact.statement,
        prepare=lambda checkpoints: resources.import_models(),
    )


def _draw_columns(run: SideBySide) -> None:
    notices.apply_language()
    kinds = ("base", "documents")
    for column, kind, answer in zip(st.columns(2), kinds, run.answers, strict=True):
        column.html(_column(kind, answer))


def _column(kind: str, answer: LiveAnswer) -> str:
    name = html_blocks.escaped(t(f"tour.{kind}"))
    waiting = t("model.opening", name="") if answer.phase == "preparing" else t("answer.reading")
    text = answer.text or answer.error or waiting
    caret = '<span class="caret"></span>' if answer.running else ""
    return f'<div class="arm {kind}"><div class="arm-name">{name}</div><p>{html_blocks.escaped(text)}{caret}</p></div>'


def _draw_ways_on() -> None:
    with st.container(horizontal=True, gap="small"):
        if sample.is_offered() and st.button(
            t("welcome.sample_chat"), icon=":material/forum:", key="tour-sample", type="primary"
        ):
            open_conversation.open_conversation(sample.import_chat())
            _remember_seen()
            choices.go_to_chat()
        if st.button(t("welcome.documents"), icon=":material/menu_book:", key="tour-documents"):
            _remember_seen()
            st.switch_page(choices.page("knowledge"))
