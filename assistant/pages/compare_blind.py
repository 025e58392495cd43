"""Blind trials: two anonymous answers, a vote, and at the end who was who."""

import time
import uuid
from functools import partial

import streamlit as st

from assistant.arena.pairing import Ballot, BlindTrial
from assistant.arena.prefetch import PrefetchTask
from assistant.compare.votes import Outcome
from assistant.components import formatting, html_blocks
from assistant.components.variant_picker import default_options, draw_picker
from assistant.i18n.texts import t
from assistant.pages.compare_blind_result import draw_result
from assistant.pages.compare_question_sets import choose
from assistant.session import notices, resources

POLL_SECONDS = 0.5
# outcome -> its text, its key and its icon, from left to right
BUTTONS: dict[Outcome, tuple[str, str, str]] = {
    "first": ("blind.a", "A", "arrow_back"),
    "second": ("blind.b", "B", "arrow_forward"),
    "tie": ("blind.tie", "T", "drag_handle"),
    "bad": ("blind.bad", "N", "thumb_down"),
}


def draw() -> None:
    """The view: all trials, or the one in the address."""
    trial = _open_trial()
    if trial is None:
        _draw_trials()
    elif st.session_state.get("blind-ended") == trial.id:
        _draw_end(trial)
    else:
        _draw_voting(trial)


def _open_trial() -> BlindTrial | None:
    chosen = st.query_params.get("trial")
    if not chosen:
        return None
    with notices.show_errors():
        return resources.blind_trials().get(chosen)
    return None


def _go(trial_id: str | None, *, ended: bool = False) -> None:
    """Open a trial, or the list."""
    if trial_id is None:
        st.query_params.pop("trial", None)
    else:
        st.query_params["trial"] = trial_id
    st.session_state["blind-ended"] = trial_id if ended else None
    st.session_state.pop("own-place", None)


# ---- all trials


def _draw_trials() -> None:
    html_blocks.quiet(t("blind.lead"))
    variants = draw_picker("blind")
    left, right = st.columns([3, 2])
    with left:
        own_only = st.toggle(t("blind.own"), key="blind-own-only")
        questions = [] if own_only else choose("blind")
    default = t("blind.name.default", date=time.strftime("%Y-%m-%d"))
    name = right.text_input(t("blind.name"), default, key="blind-name")
    if len(variants) < 2:
        html_blocks.quiet(t("blind.two"))
    if st.button(
        t("blind.start"),
        type="primary",
        icon=":material/visibility_off:",
        key="start-blind",
        disabled=len(variants) < 2,
    ):
        with notices.show_errors():
            trial = resources.blind_trials().create(name or default, variants, questions, default_options())
            _go(trial.id)
            st.rerun()
    _draw_list()


def _draw_list() -> None:
    store = resources.blind_trials()
    trials = store.list()
    if trials:
        st.subheader(t("blind.earlier"), anchor=False)
    for trial in trials:
        with st.container(horizontal=True, vertical_alignment="center", key=f"trial-{trial.id}"):
            names = " · ".join(variant.name for variant in trial.variants)
            votes = t("blind.votes", count=len(store.ballots(trial.id)))
            st.html(html_blocks.card(trial.name, names, votes))
            st.button(t("blind.open"), key=f"open-{trial.id}", on_click=partial(_go, trial.id))
            st.button(
                t("blind.result"),
                key=f"result-{trial.id}",
                type="tertiary",
                on_click=partial(_go, trial.id, ended=True),
            )


# ---- voting


def _voter() -> str:
    """Who votes in this tab: a name that was typed, or this tab alone."""
    if "voter" not in st.session_state:
        st.session_state["voter"] = uuid.uuid4().hex[:8]
    named = " ".join(str(st.session_state.get("voter-name") or "").split())
    return named or str(st.session_state["voter"])


def _draw_voting(trial: BlindTrial) -> None:
    store, opened = resources.blind_trials(), resources.workspace()
    with notices.show_errors():
        at = st.session_state.get("own-place")
        ballot = store.next_ballot(trial.id, _voter(), at=at)
        if ballot is None and at is not None:
            st.session_state.pop("own-place", None)
            ballot = store.next_ballot(trial.id, _voter())
        work = resources.answers_ahead().start(store, trial, opened.chat, resources.engine())
        if ballot is None:
            st.info(t("blind.empty" if not trial.questions else "blind.done"))
        else:
            _draw_ballot(trial, ballot, work)
    _draw_below(trial)


def _draw_ballot(trial: BlindTrial, ballot: Ballot, work: PrefetchTask | None) -> None:
    store = resources.blind_trials()
    cast = sum(one.voter == ballot.voter for one in store.ballots(trial.id))
    total = len(trial.questions) * len(trial.pairs)
    progress = t("blind.progress", number=cast + 1, total=total)
    st.progress(min(1.0, cast / total), text=progress)
    st.markdown(f"### {formatting.escape_markdown(trial.questions[ballot.place].text)}")
    answers = store.answers(trial.id, ballot.place)
    ready = ballot.first_arm in answers and ballot.second_arm in answers
    shown = [answers[ballot.first_arm], answers[ballot.second_arm]] if ready else ["", ""]
    for column, letter, text in zip(st.columns(2), "AB", shown, strict=True):
        column.html(_card(letter, text, ready))
    with st.container(horizontal=True, key="vote-row", gap="small"):
        for outcome, (text, key, icon) in BUTTONS.items():
            st.button(
                t(text),
                key=f"vote-{outcome}-{ballot.id}",  # a late key on the question before must not count here
                icon=f":material/{icon}:",
                shortcut=key,
                disabled=not ready,
                type="primary" if outcome in ("first", "second") else "secondary",
                on_click=partial(_vote, ballot.id, outcome),
            )
    if ready:
        return
    if work is not None and work.error:
        st.error(notices.sentence(Exception(work.error)), icon=":material/error:")
        st.button(
            t("blind.retry"),
            key="retry-blind",
            on_click=lambda: resources.answers_ahead().forget_failure(trial),
        )
    else:
        _wait(trial, ballot)


@st.fragment(run_every=POLL_SECONDS)
def _wait(trial: BlindTrial, ballot: Ballot) -> None:
    """Refresh until both answers are there: neither may be seen before the other."""
    notices.apply_language()
    html_blocks.quiet(t("blind.writing"))
    answers = resources.blind_trials().answers(trial.id, ballot.place)
    opened = resources.workspace()
    work = resources.answers_ahead().start(resources.blind_trials(), trial, opened.chat, resources.engine())
    if (ballot.first_arm in answers and ballot.second_arm in answers) or (work is not None and work.error):
        st.rerun()


def _vote(ballot_id: int, outcome: Outcome) -> None:
    resources.blind_trials().vote(ballot_id, outcome)
    st.session_state.pop("own-place", None)


def _undo_vote(trial_id: str) -> None:
    resources.blind_trials().withdraw(trial_id, _voter())


def _card(letter: str, text: str, ready: bool) -> str:
    said = html_blocks.escaped(text) or "–" if ready else '<span class="caret"></span>'
    return f'<div class="arm blind"><div class="arm-name">{letter}</div><p>{said}</p></div>'


def _draw_below(trial: BlindTrial) -> None:
    """What a person can do besides voting."""
    with (
        st.form("own-question-form", border=False, clear_on_submit=True),
        st.container(horizontal=True, vertical_alignment="bottom", gap="small"),
    ):
        text = st.text_input(t("blind.ask"), key="own-question")
        sent = st.form_submit_button(t("blind.ask.send"), icon=":material/add_comment:")
    if sent:
        with notices.show_errors():
            st.session_state["own-place"] = resources.blind_trials().add_question(trial.id, text or "")
            st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button(
            t("blind.end"),
            key="end-blind",
            icon=":material/visibility:",
            on_click=partial(_go, trial.id, ended=True),
        )
        st.button(
            t("blind.undo"),
            key="undo-vote",
            icon=":material/undo:",
            type="tertiary",
            on_click=partial(_undo_vote, trial.id),
        )
        st.button(t("blind.leave"), key="leave-blind", type="tertiary", on_click=partial(_go, None))
        st.text_input(t("blind.voter"), key="voter-name", help=t("blind.voter.help"), width=200)
    html_blocks.quiet(t("blind.link"))


# ---- the end


def _draw_end(trial: BlindTrial) -> None:
    with st.container(horizontal=True):
        st.button(
            t("blind.go_on"),
            key="go-on-blind",
            icon=":material/how_to_vote:",
            on_click=partial(_go, trial.id),
        )
        st.button(t("blind.leave"), key="leave-blind", type="tertiary", on_click=partial(_go, None))
    draw_result(trial)
    if st.button(t("blind.delete"), icon=":material/delete:", type="tertiary", key="delete-trial"):
        resources.blind_trials().delete(trial.id)
        _go(None)
        st.rerun()
