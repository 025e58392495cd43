"""The Knowledge page: adding documents, the documents there are, searching them, their map."""

from functools import partial

import streamlit as st

from assistant.components import confirmation, html_blocks, passage_map
from assistant.errors import AssistantError
from assistant.i18n.texts import t
from assistant.pages import knowledge_files, knowledge_intake, knowledge_search
from assistant.session import choices, notices, resources


def draw() -> None:
    """The page."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(t("page.knowledge"), anchor=False, width="stretch")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            _draw_new()
            _draw_rename()
            _draw_delete()
    html_blocks.lead(t("knowledge.lead"))
    _draw_choice()
    name = choices.knowledge_base()
    with st.spinner(t("knowledge.opening")):
        resources.import_models()
        base = resources.workspace().knowledge(name)
    documents = base.documents()
    knowledge_intake.draw(base, empty=not documents)
    if not documents or base.stale_model:
        return
    passage_map.keep_question()
    # By its key the chosen tab outlives a redrawing that moves what stands above it.
    titles = [t("knowledge.documents"), t("knowledge.search"), t("knowledge.map")]
    files, search, chart = st.tabs(titles, key="knowledge-tabs", on_change="rerun")
    with files:
        knowledge_files.draw(base, documents)
    with search:
        knowledge_search.draw(base, documents)
    if chart.open:  # drawing a point a passage takes longer than all the rest of the page
        with chart:
            passage_map.draw(base, documents)


def _draw_choice() -> None:
    """Which knowledge base, where there are several."""
    names = sorted({*resources.workspace().knowledge_bases(), choices.knowledge_base()})
    if len(names) < 2:
        return
    st.session_state["kb-page-choice"] = choices.knowledge_base()
    st.pills(
        t("memory.kb"),
        names,
        required=True,
        key="kb-page-choice",
        label_visibility="collapsed",
        on_change=lambda: choices.choose_knowledge_base(st.session_state["kb-page-choice"]),
    )


def _draw_rename() -> None:
    """Give the chosen one another name."""
    name = choices.knowledge_base()
    if name not in resources.knowledge_counts():
        return
    # As in _draw_new: renaming closes the popover, because it has another key then.
    with (
        st.popover(
            t("knowledge.rename"),
            icon=":material/edit:",
            type="tertiary",
            key=f"icon-rename-kb-{name}",
            help=t("knowledge.rename"),
        ),
        st.form("rename-kb-form", border=False),
    ):
        wanted = st.text_input(t("knowledge.new.name"), name, key=f"renamed-kb-{name}")
        if st.form_submit_button(t("chats.rename.save"), type="primary"):
            with notices.show_errors():
                _rename(name, (wanted or "").strip())
                st.rerun()


def _rename(name: str, wanted: str) -> None:
    if wanted == name:
        return
    upload = resources.indexing().get(name)
    if upload is not None and upload.running:
        raise AssistantError(t("knowledge.rename.busy", name=name))
    resources.workspace().rename_knowledge(name, wanted)
    resources.count_knowledge()
    choices.choose_knowledge_base(wanted)


def _draw_delete() -> None:
    """Delete the chosen one, after a question."""
    name = choices.knowledge_base()
    if name not in resources.knowledge_counts():
        return
    if st.button(
        t("knowledge.delete"),
        icon=":material/delete:",
        key="icon-delete-kb",
        type="tertiary",
        help=t("knowledge.delete"),
    ):
        count = len(resources.documents_of(name))
        said = t("knowledge.delete.ask", name=name, count=count)
        confirmation.ask(t("knowledge.delete"), said, partial(_delete, name))


def _delete(name: str) -> None:
    resources.workspace().delete_knowledge(name)
    resources.count_knowledge()
    names = sorted(resources.knowledge_counts())
    choices.choose_knowledge_base(names[0] if names else resources.workspace().settings.knowledge_base)
    notices.queue_toast(t("knowledge.deleted", name=name), ":material/delete:")


def _draw_new() -> None:
    # A popover with a new key is a closed one: making a knowledge base chooses it.
    key = f"new-kb-{choices.knowledge_base()}"
    with (
        st.popover(t("knowledge.new"), icon=":material/add:", type="tertiary", key=key),
        st.form("new-kb-form", border=False, clear_on_submit=True),
    ):
        wanted = st.text_input(t("knowledge.new.name"), key="new-kb-name")
        if st.form_submit_button(t("knowledge.new.make"), type="primary"):
            with notices.show_errors():
                name = (wanted or "").strip()
                resources.workspace().knowledge(name)
                choices.choose_knowledge_base(name)
                resources.count_knowledge()
                st.rerun()
