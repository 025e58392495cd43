"""The list of conversations in the sidebar: new, search, open, and a menu for the open one."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import streamlit as st

from assistant.components import chat_labels, deletions, formatting, html_blocks, shortcuts
from assistant.history.records import ConversationInfo
from assistant.i18n.texts import t
from assistant.session import choices, notices, open_conversation, resources

FEW = 30  # conversations that are drawn at once, and that a click adds: each costs every page of the app
LISTED = "chats-listed"


def draw() -> None:
    """The sidebar below the navigation."""
    with st.sidebar:
        _draw_new()
        with st.container(
            key="chats-search-row", horizontal=True, vertical_alignment="center", gap="xxsmall", wrap=False
        ):
            search = st.text_input(
                t("chats.search"),
                placeholder=t("chats.search"),
                label_visibility="collapsed",
                icon=":material/search:",
                key="search-chats",
            )
            if st.button(
                t("chats.manage"), icon=":material/checklist:", key="icon-manage-chats", type="tertiary"
            ):
                deletions.open_manager()
        with notices.show_errors():
            archived, tag = chat_labels.draw_filter()
            shown = st.session_state.get(LISTED, FEW)
            store = resources.workspace().store
            found = store.list(search or "", limit=shown + 1, archived=archived, tag=tag)
            _draw_list(found[:shown], search or "")
            if len(found) > shown:
                _draw_more(shown)
        shortcuts.draw_button()
    shortcuts.draw_wanted_tour()


def _draw_new() -> None:
    """A new chat, and beside it one that is not kept."""
    with st.container(key="new-row", horizontal=True, vertical_alignment="center", gap="xxsmall", wrap=False):
        if st.button(t("chats.new"), icon=":material/add:", width="stretch", key="new-chat"):
            open_conversation.open_conversation(None)
            choices.go_to_chat()
        if st.button(
            t("chats.temporary"),
            icon=":material/ink_eraser:",
            help=t("chats.temporary"),
            key="icon-temporary-chat",
            type="tertiary",
        ):
            open_conversation.open_conversation(None)
            open_conversation.make_temporary(True)
            choices.go_to_chat()


def _draw_list(found: Sequence[ConversationInfo], search: str) -> None:
    if not found:
        html_blocks.quiet(t("chats.none_found", search=search) if search else t("chats.none"))
        return
    titles = Counter(info.title for info in found)
    with st.container(key="conversations"):
        for group, conversations in _by_age(found):
            st.html(f'<div class="group">{html_blocks.escaped(group)}</div>')
            for info in conversations:
                _draw_line(info, search, alone=titles[info.title] == 1)


def _draw_more(shown: int) -> None:
    st.button(
        t("chats.more"),
        icon=":material/expand_more:",
        key="more-chats",
        type="tertiary",
        on_click=st.session_state.update,
        kwargs={LISTED: shown + FEW},
    )


def _draw_line(info: ConversationInfo, search: str, *, alone: bool) -> None:
    """A conversation to open, with its time where another has the same title, and where a search found it."""
    current = info.id == open_conversation.conversation_id()
    with st.container(key="current" if current else f"chat-{info.id}"):
        title = formatting.escape_markdown(info.title) or t("chats.untitled")
        if not alone:
            # In front of it: a long title is cut at its end.
            title = f":gray[{formatting.escape_markdown(formatting.moment_ago(info.updated))}] {title}"
        if st.button(title, key=f"open-{info.id}", width="stretch", type="tertiary"):
            open_conversation.open_conversation(info.id)
            choices.go_to_chat()
        if info.excerpt:
            st.html(f'<div class="snippet">{html_blocks.highlighted(info.excerpt, search)}</div>')


def _by_age(found: Sequence[ConversationInfo]) -> Iterator[tuple[str, list[ConversationInfo]]]:
    """Conversations in groups by when they were last changed, newest first."""
    today = date.today()
    names = ("chats.pinned", "chats.today", "chats.yesterday", "chats.week", "chats.earlier")
    groups: dict[str, list[ConversationInfo]] = {name: [] for name in names}
    for info in found:
        time = formatting.local_time(info.updated)
        day = time.date() if time else date.min
        if info.pinned:
            groups["chats.pinned"].append(info)
        elif day >= today:
            groups["chats.today"].append(info)
        elif day == today - timedelta(days=1):
            groups["chats.yesterday"].append(info)
        elif day > today - timedelta(days=7):
            groups["chats.week"].append(info)
        else:
            groups["chats.earlier"].append(info)
    for name, members in groups.items():
        if members:
            yield t(name), members
