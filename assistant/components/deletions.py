"""Deleting conversations: the question before, the undo after, and the table for many at once."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from assistant.components import chat_export, chat_import, confirmation, formatting, html_blocks
from assistant.history.records import ConversationInfo
from assistant.i18n.texts import t
from assistant.session import deletion, notices, open_conversation, resources

MAX_LISTED = 1000


def ask_to_delete(conversation_id: int, title: str) -> None:
    """Open the dialog that asks before a conversation is deleted."""
    said = t("chats.delete.ask", title=title)
    confirmation.ask(t("chats.delete"), said, partial(deletion.delete, [conversation_id]))


def draw_undo() -> None:
    """What was deleted a moment ago, with the way back."""
    titles = deletion.deleted()
    if not titles:
        return
    with st.container(key="undo", horizontal=True, vertical_alignment="center", gap="small"):
        said = t("chats.deleted", count=len(titles), title=titles[0])
        st.html(f"<span>{html_blocks.escaped(said)}</span>", width="content")
        st.button(t("undo"), icon=":material/undo:", key="undo-delete", on_click=deletion.undo)
        st.button(
            t("dismiss"),
            icon=":material/close:",
            key="icon-undo-done",
            type="tertiary",
            on_click=deletion.forget,
        )


def open_manager() -> None:
    """Open the dialog that shows all conversations, to delete several or bring some back."""
    st.dialog(t("chats.manage"), width="large")(_draw_manager)()


def _draw_manager() -> None:
    notices.apply_language()
    store = resources.workspace().store
    with notices.show_errors():
        there, gone, more, out = st.tabs(
            [t("chats.manage.there"), t("chats.manage.gone"), t("chats.import"), t("chats.training.tab")]
        )
        with more:
            chat_import.draw()
        with out:
            _draw_export()
        with there:
            chosen = _draw_table(store.list(limit=MAX_LISTED), "there", t("chats.none"))
            with st.container(horizontal=True, gap="small"):
                _draw_what_to_do(chosen)
        with gone:
            html_blocks.quiet(t("chats.manage.gone.note"))
            chosen = _draw_table(store.deleted(), "gone", t("chats.manage.gone.none"))
            label = t("chats.manage.restore", count=len(chosen))
            if st.button(label, icon=":material/undo:", key="restore-many", disabled=not chosen):
                for info in chosen:
                    store.restore(info.id)
                deletion.forget()
                st.rerun()


def _draw_what_to_do(chosen: Sequence[ConversationInfo]) -> None:
    """Delete the selected conversations, or archive them."""
    store, ids = resources.workspace().store, [info.id for info in chosen]
    if st.button(
        t("chats.manage.delete", count=len(ids)),
        icon=":material/delete:",
        key="delete-many",
        disabled=not ids,
        on_click=deletion.delete,
        args=(ids,),
    ):
        st.rerun()
    if st.button(
        t("chats.manage.archive", count=len(ids)),
        icon=":material/archive:",
        key="archive-many",
        disabled=not ids,
    ):
        with store.transaction():
            for one in ids:
                store.labels.archive(one)
        st.rerun()


def _draw_table(found: Sequence[ConversationInfo], name: str, none: str) -> list[ConversationInfo]:
    """Conversations as a table; those that are selected in it."""
    if not found:
        html_blocks.quiet(none)
        return []
    frame = pd.DataFrame(
        {
            "title": [open_conversation.shown_title(info.title) for info in found],
            "updated": [formatting.local_time(info.updated) for info in found],
            "messages": [info.message_count for info in found],
        }
    )
    picked = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"chats-{name}-{len(found)}",
        height=min(38 + 35 * len(frame), 420),
        column_config={
            "title": st.column_config.TextColumn(t("chats.rename"), width="large"),
            "updated": st.column_config.DatetimeColumn(t("chats.updated"), format=t("date.column")),
            "messages": st.column_config.NumberColumn(t("chats.messages"), width="small"),
        },
    )
    return [found[row] for row in picked["selection"]["rows"]]


def _draw_export() -> None:
    """All chats as one file to train from."""
    found = resources.workspace().store.list(limit=MAX_LISTED)
    html_blocks.quiet(t("chats.training.lead", count=len(found)))
    if found:
        chat_export.draw([info.id for info in found], "chats", "all")
