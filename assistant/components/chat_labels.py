"""The archive and the tags of conversations: what the list shows of them, and the part of a conversation's menu."""

import streamlit as st

from assistant.history.records import StoredConversation
from assistant.i18n.texts import t
from assistant.session import notices, popovers, resources

FILTER = "chats-shown"
ARCHIVE = ""  # the choice that is no tag


def draw_filter() -> tuple[bool | None, str]:
    """The tags and the archive to choose from, where there are any; `archived` and `tag` for the list."""
    labels = resources.workspace().store.labels
    offered = [*labels.tags(), *([ARCHIVE] if labels.has_archived() else [])]
    if not offered:
        return False, ""
    if st.session_state.get(FILTER) not in offered:  # its last conversation lost the tag, or left the archive
        st.session_state[FILTER] = None
    chosen = st.pills(
        t("chats.filter"),
        offered,
        key=FILTER,
        label_visibility="collapsed",
        format_func=lambda name: f"#{name}" if name else t("chats.archived"),
    )
    return (True, "") if chosen == ARCHIVE else (False, chosen or "")


def draw_menu(conversation: StoredConversation) -> None:
    """Archive the conversation or bring it back, and its tags."""
    labels = resources.workspace().store.labels
    archived = conversation.archived
    if st.button(
        t("chats.unarchive" if archived else "chats.archive"),
        icon=":material/unarchive:" if archived else ":material/archive:",
        key="archive-chat",
        width="stretch",
    ):
        labels.archive(conversation.id, not archived)
        popovers.close("conversation-menu")
        if not archived:
            notices.queue_toast(t("chats.archived.note"), ":material/archive:")
        st.rerun()
    key = f"tags-{conversation.id}"
    st.session_state.setdefault(key, list(conversation.tags))
    st.multiselect(
        t("chats.tags"),
        list(dict.fromkeys([*labels.tags(), *st.session_state[key]])),
        key=key,
        placeholder=t("chats.tags.placeholder"),
        accept_new_options=True,
        on_change=_set_tags,
        args=(conversation.id, key),
    )


def _set_tags(conversation_id: int, key: str) -> None:
    notices.apply_language()
    with notices.show_errors():
        resources.workspace().store.labels.set_tags(conversation_id, st.session_state[key])
