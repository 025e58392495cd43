"""What can be done with an answer: rate, correct, remember, ask again, copy, go on, and look at the alternatives."""

import streamlit as st

from assistant.components import html_blocks
from assistant.history.records import StoredMessage
from assistant.i18n.texts import t
from assistant.session import notices, open_conversation, popovers, resources

LIKED, DISLIKED = 1, -1


def draw(message: StoredMessage, question: str, is_last: bool) -> None:
    """What can be done with an answer to `question`."""
    store = resources.workspace().store
    with st.container(
        key=f"actions-{message.id}", horizontal=True, vertical_alignment="center", gap="xxsmall"
    ):
        for rating, icon, name in ((LIKED, "thumb_up", "like"), (DISLIKED, "thumb_down", "dislike")):
            given = message.rating == rating
            with st.container(key=f"given-{name}-{message.id}" if given else None, width="content"):
                if icon_button(icon, t(f"message.{name}"), f"{name}-{message.id}"):
                    store.rate(message.id, 0 if given else rating)
                    st.rerun()
        with st.popover(
            t("message.correct"),
            icon=":material/edit:",
            type="tertiary",
            key=popovers.popover_key(f"correct-{message.id}"),
        ):
            _draw_correction(message, question)
        if icon_button("bookmark_add", t("message.remember"), f"remember-{message.id}"):
            with notices.show_errors():
                _remember(message, question, message.correction or message.content)
                st.rerun()
        if icon_button("refresh", t("message.regenerate"), f"again-{message.id}"):
            with notices.show_errors():
                open_conversation.regenerate(message)
                st.rerun()
        html_blocks.copy_button(message.correction or message.content)
        html_blocks.speak_button(message.correction or message.content)
        if is_last and message.ending == "length" and message.status == "complete":
            _draw_continue(message)
        draw_alternatives(message)


def _draw_continue(message: StoredMessage) -> None:
    """The way on where an answer was cut at its longest length."""
    icon = ":material/arrow_forward:"
    if st.button(t("message.continue"), icon=icon, key=f"continue-{message.id}", type="tertiary"):
        with notices.show_errors():
            open_conversation.ask(t("message.continue.question"))
            st.rerun()


def _draw_correction(message: StoredMessage, question: str) -> None:
    with st.form(f"correction-{message.id}", border=False):
        text = st.text_area(
            t("message.correct.label"),
            message.correction or message.content,
            key=f"correction-text-{message.id}",
            help=t("message.correct.help"),
            width=420,
            height=120,
        )
        saved = st.form_submit_button(t("message.correct.save"), type="primary")
        remembered = st.form_submit_button(t("message.correct.remember"), icon=":material/bookmark_add:")
        if saved or remembered:
            with notices.show_errors():
                same = (text or "").strip() == message.content.strip()
                resources.workspace().store.correct(message.id, None if same else text)
                if remembered:
                    _remember(message, question, text or "")
                else:
                    notices.queue_toast(t("message.corrected.note"))
                popovers.close(f"correct-{message.id}")
                st.rerun()


def _remember(message: StoredMessage, question: str, answer: str) -> None:
    """Keep the answer as a note: it is quoted from the next question on."""
    resources.workspace().notes.home.add(question, answer, f"conversation {message.conversation_id}")
    notices.queue_toast(t("message.remembered"), ":material/bookmark_added:")


def draw_alternatives(message: StoredMessage) -> None:
    """Arrows between the answers (or wordings) that stand at the same place."""
    if message.alternatives < 2:
        return
    store = resources.workspace().store
    places = store.alternatives(message.id)
    at = message.alternative - 1
    if icon_button("chevron_left", t("message.previous"), f"before-{message.id}", disabled=at == 0):
        store.select(places[at - 1].id)
        st.rerun()
    st.html(
        f'<span class="quiet numbers">{message.alternative}/{message.alternatives}</span>', width="content"
    )
    if icon_button("chevron_right", t("message.next"), f"after-{message.id}", disabled=at == len(places) - 1):
        store.select(places[at + 1].id)
        st.rerun()


def icon_button(icon: str, name: str, key: str, *, disabled: bool = False) -> bool:
    """A button of which only the icon is seen: its name is there for those who do not see it."""
    return st.button(
        name, icon=f":material/{icon}:", help=name, key=f"icon-{key}", type="tertiary", disabled=disabled
    )
