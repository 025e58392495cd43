"""The Checkpoints page: jobs that run, the checkpoints with their lineage, methods, import."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import streamlit as st

from assistant.components import (
    checkpoint_export,
    checkpoint_report,
    empty_state,
    formatting,
    html_blocks,
    job_card,
    lineage,
    nearest_words,
    notes,
)
from assistant.i18n.texts import t
from assistant.pages import checkpoints_jobs
from assistant.session import choices, notices, open_conversation, resources, sample
from tuning.checkpoints.manifest import Checkpoint
from tuning.jobs import turns
from tuning.jobs.folder import Job

FEW = 6  # checkpoints whose menus are drawn at once
MOST = 12  # checkpoints that are drawn at once, and that a click adds
LISTED = "checkpoints-listed"


def draw() -> None:
    """The page."""
    html_blocks.title(t("page.checkpoints"), t("tune.lead"))
    jobs = resources.workspace().jobs.list()
    checkpoints = resources.workspace().registry.list()
    for job in _underway(jobs):
        job_card.draw(job)
    checkpoints_jobs.draw_interrupted([job for job in jobs if job.interrupted])
    titles = [t(f"tune.{name}") for name in ("checkpoints", "notes", "jobs", "methods", "import")]
    found, noted, past, methods, imports = st.tabs(titles, key="tune-tabs", on_change="rerun")
    with found:
        if checkpoints or jobs:
            _draw_checkpoints(checkpoints)
        else:
            lessons = t("tune.empty.text.sample", count=sample.lesson_count())
            empty_state.draw("checkpoints", t("tune.empty"), t("tune.empty.text"), lessons)
    with noted:
        notes.draw_home()
    if past.open:  # draws the curves of every job
        with past:
            checkpoints_jobs.draw(jobs)
    if methods.open:  # imports torch
        with methods:
            _draw_methods()
    with imports, notices.show_errors():
        _draw_import()


def _underway(jobs: Sequence[Job]) -> list[Job]:
    """Those that run, then those that wait in the order in which they start."""
    running = [job for job in jobs if job.status == "running"]
    return [*running, *turns.waiting(jobs)]


def _draw_checkpoints(checkpoints: Sequence[Checkpoint]) -> None:
    for broken in resources.workspace().registry.broken():
        st.warning(notices.sentence(Exception(broken.reason)), icon=":material/warning:")
    if not checkpoints:
        html_blocks.quiet(t("tune.no_checkpoints"))
        return
    free = shutil.disk_usage(resources.workspace().home).free
    taken = resources.workspace().registry.size_bytes()
    html_blocks.quiet(
        t("tune.disk", count=len(checkpoints), size=formatting.size(taken), free=formatting.size(free))
    )
    if any(checkpoint.parent for checkpoint in checkpoints):
        st.markdown(f"**{t('tune.lineage')}**")
        st.html(lineage.tree(resources.workspace().registry.tree()))
    shown = st.session_state.get(LISTED, MOST)
    for checkpoint in checkpoints[::-1][:shown]:
        _draw_checkpoint(checkpoint, when_opened=len(checkpoints) > FEW)
    if len(checkpoints) > shown:
        st.button(
            t("tune.more", count=len(checkpoints) - shown),
            icon=":material/expand_more:",
            key="more-checkpoints",
            on_click=st.session_state.update,
            kwargs={LISTED: shown + MOST},
        )


def _draw_checkpoint(checkpoint: Checkpoint, *, when_opened: bool) -> None:
    """One checkpoint; of many, the menu is drawn `when_opened`: folded away it costs as much."""
    reruns: Literal["rerun", "ignore"] = "rerun" if when_opened else "ignore"
    with st.container(border=True, key=f"checkpoint-{checkpoint.id}"):
        with st.container(
            key=f"head-{checkpoint.id}", horizontal=True, vertical_alignment="center", gap="small"
        ):
            st.html(_headline(checkpoint), width="stretch")
            if not checkpoint.is_reward_model and st.button(
                t("job.use"),
                icon=":material/chat_bubble:",
                key=f"use-{checkpoint.id}",
                type="primary",
                on_click=choices.use_checkpoint,
                args=(checkpoint.name,),
            ):
                open_conversation.open_conversation(None)
                choices.go_to_chat()
            with st.popover(
                t("checkpoint.menu", name=checkpoint.name),
                icon=":material/more_horiz:",
                type="tertiary",
                key=f"icon-menu-{checkpoint.id}",
                on_change=reruns,
            ) as menu:
                if not when_opened or menu.open:
                    _draw_menu(checkpoint)
        if checkpoint.note:
            html_blocks.quiet(checkpoint.note)
        with st.expander(
            t("tune.report"), type="compact", key=f"report-{checkpoint.id}", on_change="rerun"
        ) as report:
            if report.open:  # it asks the documents for every fact
                checkpoint_report.draw(checkpoint.evaluation)
                notes.draw_facts(checkpoint)
        nearest_words.draw(checkpoint.nearest_words)


def _headline(checkpoint: Checkpoint) -> str:
    made = formatting.moment(checkpoint.created)
    facts = [
        t("tune.examples", count=checkpoint.examples_count) if checkpoint.examples_count else "",
        lineage.remembered(checkpoint.evaluation),
        formatting.size(checkpoint.size_bytes),
        made,
    ]
    parent = html_blocks.badge(t("tune.from", name=checkpoint.parent)) if checkpoint.parent else ""
    return (
        f'<div class="job-head"><b>{html_blocks.escaped(checkpoint.name)}</b>'
        f"{html_blocks.badge(job_card.method_title(checkpoint.method), 'checkpoint')}{parent}</div>"
        f'<div class="quiet numbers">{html_blocks.escaped(" · ".join(fact for fact in facts if fact))}</div>'
    )


def _draw_menu(checkpoint: Checkpoint) -> None:
    registry = resources.workspace().registry
    with st.form(f"rename-{checkpoint.id}", border=False):
        name = st.text_input(t("tune.rename"), checkpoint.name, key=f"name-{checkpoint.id}")
        note = st.text_area(t("tune.note"), checkpoint.note, key=f"note-{checkpoint.id}", height=80)
        if st.form_submit_button(t("save"), width="stretch"):
            with notices.show_errors():
                if (note or "") != checkpoint.note:
                    registry.set_note(checkpoint.name, note or "")
                if name != checkpoint.name:
                    registry.rename(checkpoint.name, name or "")
                    if choices.chosen("checkpoint") == checkpoint.name:
                        choices.choose("checkpoint", name)
                st.rerun()
    if not checkpoint.is_reward_model:
        _draw_next_steps(checkpoint)
    if st.button(t("export.open"), icon=":material/download:", key=f"out-{checkpoint.id}", width="stretch"):
        checkpoint_export.open_dialog(checkpoint)
    _draw_delete(checkpoint)


def _draw_next_steps(checkpoint: Checkpoint) -> None:
    """What can be done with a checkpoint that answers."""
    if st.button(
        t("tune.compare"), icon=":material/compare_arrows:", key=f"cmp-{checkpoint.id}", width="stretch"
    ):
        st.session_state["variants"] = ["rag", checkpoint.name]
        st.switch_page(choices.page("compare"))
    if st.button(t("tune.next_round"), icon=":material/add:", key=f"next-{checkpoint.id}", width="stretch"):
        _begin_next_round(checkpoint)


def _begin_next_round(checkpoint: Checkpoint) -> None:
    """Open a chat with a checkpoint, whose corrections become its next round."""
    st.session_state["parent"] = checkpoint.name
    choices.use_checkpoint(checkpoint.name)
    open_conversation.open_conversation(None)
    notices.queue_toast(t("tune.next_round.note", name=checkpoint.name), ":material/fingerprint:")
    choices.go_to_chat()


def _draw_delete(checkpoint: Checkpoint) -> None:
    """Deleting takes two clicks, and is refused while something uses the checkpoint."""
    if st.session_state.get("deleting") != checkpoint.id:
        st.button(
            t("tune.delete"),
            icon=":material/delete:",
            key=f"del-{checkpoint.id}",
            width="stretch",
            on_click=st.session_state.update,
            kwargs={"deleting": checkpoint.id},
        )
        return
    st.markdown(f"**{t('tune.delete.sure')}**")
    with st.container(horizontal=True, gap="small"):
        if st.button(t("delete"), icon=":material/delete:", key=f"sure-{checkpoint.id}", type="primary"):
            with notices.show_errors():
                resources.workspace().registry.delete(checkpoint.name)
                st.session_state.pop("deleting")
                notices.queue_toast(t("tune.deleted", name=checkpoint.name), ":material/delete:")
                st.rerun()
        st.button(
            t("tune.delete.keep"),
            key=f"keep-{checkpoint.id}",
            on_click=lambda: st.session_state.pop("deleting", None),
        )


def _draw_methods() -> None:
    """Every method as a card."""
    html_blocks.quiet(t("tune.methods.lead"))
    if not resources.models_are_imported():
        with st.spinner(t("model.importing")):
            resources.import_models()
    from assistant.components import method_cards  # heavy: torch, peft

    method_cards.draw_all()


def _draw_import() -> None:
    """Import an adapter folder that another program wrote; `import_peft` checks it."""
    html_blocks.quiet(t("tune.import.lead"))
    with st.form("import-form", border=True):
        folder = st.text_input(t("tune.import.folder"), key="import-folder")
        name = st.text_input(t("tune.import.name"), key="import-name")
        same = st.checkbox(
            t("tune.import.other_base"), key="import-other-base", help=t("tune.import.other_base.help")
        )
        asked = st.form_submit_button(t("tune.import.do"), type="primary", icon=":material/download:")
    if not asked:
        return
    with st.spinner(t("tune.import.checking")):
        resources.import_models()
        from tuning.checkpoints.import_peft import import_peft  # heavy: torch, peft

        engine = resources.workspace().local_engine()
        place = Path(folder or "").expanduser()
        with engine.with_checkpoint() as base:
            made = import_peft(
                resources.workspace().registry,
                place,
                (name or "").strip() or place.name,
                base,
                other_base=same,
            )
    notices.queue_toast(t("tune.imported", name=made.name), ":material/download:")
    st.rerun()
