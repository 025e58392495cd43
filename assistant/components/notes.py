"""What is remembered as notes, fact by fact where a checkpoint was asked; teaching again what it does not hold."""

from collections.abc import Callable, Collection, Sequence

import streamlit as st

from assistant.components import fine_tune_dialog, html_blocks
from assistant.curation.candidates import Candidate, Curation
from assistant.i18n.texts import t
from assistant.notes.consolidation import Consolidation
from assistant.notes.far_words import is_latin
from assistant.session import known_where, notices, resources
from assistant.session.presses import order_once
from assistant.settings import LEARN_NOTES, from_environment
from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.notes import (
    STATES,
    TaughtFact,
    missing_examples,
    notes_of,
    remove_note,
    taught_facts,
)
from tuning.config import TuneConfig
from tuning.data.examples import Example

_KINDS = {"held": "checkpoint", "noted": "documents", "contradicted": "warn", "lost": "bad"}
FIRST_FACTS = 8


def draw_home() -> None:
    """The notes of this home, with what teaches them to a checkpoint."""
    html_blocks.quiet(t("note.lead"))
    with notices.show_errors():
        notes = resources.workspace().notes.home.list()
        if not notes:
            html_blocks.quiet(t("note.none"))
            return
        if st.button(
            t("note.teach", count=len(notes)),
            icon=":material/fingerprint:",
            key="teach-notes",
            type="primary",
        ):
            found = Curation(tuple(Candidate(note, "noted") for note in notes))
            fine_tune_dialog.open_drawer(t("note.teach.title"), "notes", lambda labeller: found)
        _draw_schedule()
        _draw_offer([note.question for note in notes], "home")
        _draw_list(notes, "home", lambda key: resources.workspace().notes.home.remove(key))


def _draw_schedule() -> None:
    """When notes are taught by themselves, and how many wait for it."""
    opened = resources.workspace()
    settings, fixed = opened.settings, from_environment()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        when = st.selectbox(
            t("note.schedule"),
            LEARN_NOTES,
            index=LEARN_NOTES.index(settings.learn_notes),
            format_func=lambda value: t(f"note.schedule.{value}"),
            key="learn-notes",
            disabled="learn_notes" in fixed,
            help=t("note.schedule.help"),
            width=280,
        )
        changes: dict[str, object] = {"learn_notes": when}
        if when == "idle":
            changes["learn_notes_idle_minutes"] = st.number_input(
                t("note.schedule.minutes"),
                *(5, 1440, settings.learn_notes_idle_minutes, 5),
                key="learn-notes-minutes",
                disabled="learn_notes_idle_minutes" in fixed,
                width=150,
            )
        if when == "daily":
            changes["learn_notes_hour"] = st.selectbox(
                t("note.schedule.hour"),
                range(24),
                index=settings.learn_notes_hour,
                format_func=lambda hour: f"{hour}:00",
                key="learn-notes-hour",
                disabled="learn_notes_hour" in fixed,
                width=150,
            )
    wanted = {name: value for name, value in changes.items() if getattr(settings, name) != value}
    if wanted:
        opened.change(**wanted)
        notices.queue_toast(t("settings.saved"))
        st.rerun()
    if settings.learn_notes != "off":
        waiting = len(Consolidation(opened).pending())
        html_blocks.quiet(t("note.schedule.waiting", count=waiting))


def draw_facts(checkpoint: Checkpoint) -> None:
    """Where each fact is now, what is missing in one click, and the notes beside the weights."""
    with notices.show_errors():
        facts, notes = taught_facts(checkpoint), notes_of(checkpoint)
        if not facts and not notes:
            return
        st.markdown(f"**{t('note.facts')}**")
        st.html(map_of(facts, known_where.said_in_documents(facts)))
        open_facts = [fact for fact in facts if fact.state != "held"]
        if open_facts:
            st.html(_table(open_facts[:FIRST_FACTS]))
        if len(facts) > len(open_facts[:FIRST_FACTS]):
            with st.expander(t("note.facts.all", count=len(facts)), type="compact"):
                st.html(_table(facts))
        if open_facts and st.button(
            t("note.again", count=len(open_facts)), icon=":material/replay:", key=f"again-{checkpoint.id}"
        ):
            _teach_again(checkpoint)
        _draw_offer([*(fact.question for fact in facts), *(note.question for note in notes)], checkpoint.id)
        if notes:
            with st.expander(t("note.beside", count=len(notes)), type="compact"):
                _draw_list(notes, checkpoint.id, lambda key: remove_note(checkpoint, key))


def _draw_offer(questions: Sequence[str], key: str) -> None:
    """The model by which questions in other scripts are found in any words, where it is not here."""
    if all(map(is_latin, questions)):
        return
    from assistant.components import embedding_switch  # heavy: chromadb, torch

    embedding_switch.draw_offer_to_fetch(key)


def _teach_again(checkpoint: Checkpoint) -> None:
    """A job from this checkpoint on what it does not hold."""
    workspace = resources.workspace()
    taught = workspace.registry.earlier_examples(checkpoint.name, [])
    config = TuneConfig(
        method=checkpoint.method,
        parent=checkpoint.name,
        base=checkpoint.base,
        device=workspace.settings.device,
        system_prompt=checkpoint.system_prompt,
    )
    resources.import_models()
    examples = missing_examples(checkpoint, taught)
    if job := order_once(("again", checkpoint.id), lambda: workspace.jobs.submit(config, examples)):
        notices.queue_toast(t("teach.started", name=job.name), ":material/fingerprint:")
    st.rerun()


def map_of(facts: Sequence[TaughtFact], in_documents: Collection[str] = ()) -> str:
    """Each fact as a dot in the place where it is known; a ring where the documents say it too."""
    states = {state: [fact for fact in facts if fact.state == state] for state in reversed(STATES)}
    places = "".join(_place(state, there, in_documents) for state, there in states.items() if there)
    ringed = sum(fact.question in in_documents for fact in facts)
    said = html_blocks.escaped(t("note.in_documents", count=ringed))
    legend = f'<div class="legend"><span><i class="also"></i>{said}</span></div>' if ringed else ""
    return f'<div class="dots"><div class="places">{places}</div>{legend}</div>'


def _place(state: str, facts: Sequence[TaughtFact], in_documents: Collection[str]) -> str:
    dots = "".join(
        f'<i class="{state}{" also" if fact.question in in_documents else ""}"'
        f' title="{html_blocks.escaped(f"{fact.question} – {fact.answer[:120]}")}"></i>'
        for fact in facts
    )
    name = html_blocks.badge(f"{t(f'note.state.{state}')} {len(facts)}", _KINDS[state])
    return (
        f'<div class="place {state}">{name}<div class="field">{dots}</div>'
        f"<small>{html_blocks.escaped(t(f'note.state.{state}.help'))}</small></div>"
    )


def _table(facts: Sequence[TaughtFact]) -> str:
    head = "".join(
        f"<th>{html_blocks.escaped(t(key))}</th>"
        for key in ("report.question", "note.answer", "note.wordings", "note.where")
    )
    rows = "".join(
        f"<tr><td>{html_blocks.escaped(fact.question)}</td><td>{html_blocks.escaped(fact.answer[:220])}</td>"
        f'<td class="numbers">{html_blocks.escaped(t("report.of", correct=fact.right, count=fact.asked))}</td>'
        f"<td>{html_blocks.badge(t(f'note.state.{fact.state}'), _KINDS[fact.state])}</td></tr>"
        for fact in facts
    )
    return f'<table class="facts"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _draw_list(notes: Sequence[Example], key: str, remove: Callable[[str], Example]) -> None:
    for note in notes:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(
                f"<b>{html_blocks.escaped(note.question)}</b><br>{html_blocks.escaped(note.answer[:400])}",
                width="stretch",
            )
            if st.button(
                "",
                icon=":material/delete:",
                help=t("note.delete"),
                key=f"note-{key}-{note.key}",
                type="tertiary",
            ):
                with notices.show_errors():
                    remove(note.key)
                    notices.queue_toast(t("note.deleted"), ":material/delete:")
                    st.rerun()
