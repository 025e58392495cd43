"""The Chat page: the open conversation, the answer being written, and the offer to fine-tune on it."""

from collections.abc import Sequence

import streamlit as st

from assistant.chat.context_window import Budget
from assistant.chat.live import LiveAnswer
from assistant.components import (
    chat_export,
    chat_labels,
    composer,
    deletions,
    fine_tune_dialog,
    first_steps,
    formatting,
    html_blocks,
    job_card,
    messages,
    theme,
)
from assistant.errors import ConversationError
from assistant.history import transfer
from assistant.history.records import StoredConversation, StoredMessage
from assistant.i18n.texts import t
from assistant.reports import conversation_html
from assistant.session import attachments, choices, notices, open_conversation, popovers, resources, sample
from tuning.config import DEFAULT_BASE, PLAIN_BASE

POLL_SECONDS = 0.12
STORE_POLL_SECONDS = 0.5
USUAL_BYTES_PER_SECOND = 10e6  # of a line that models are fetched over


def draw() -> None:
    """The page."""
    answer = open_conversation.answer()
    # Looked at before the conversation is read: an answer that ends meanwhile is still drawn as live.
    live = answer if answer is not None and answer.running else None
    conversation = open_conversation.conversation()
    open_conversation.keep_address()
    settled = _settled(conversation, live)
    budget = live.budget if live and live.budget else open_conversation.budget(settled)
    with st.container(key="chat-page"):
        if open_conversation.is_temporary():
            _draw_temporary()
        if not settled and answer is None:
            _draw_welcome()
        else:
            if conversation is not None:
                _draw_heading(conversation)
            _draw_messages(settled, live, budget)
            if live is not None:
                _draw_pending(settled, live)
            elif answer is not None and answer.error:
                _draw_failure(answer, settled)
        if settled and live is None:
            fine_tune_dialog.draw_offer(settled[-1].conversation_id)
        job_card.draw_current(open_conversation.conversation_id())
    composer.draw(live, budget, keeps_end=bool(settled) or answer is not None)


def _settled(conversation: StoredConversation | None, live: LiveAnswer | None) -> list[StoredMessage]:
    """The messages that stay as they are: without the answer being written and what it replaces."""
    shown = list(conversation.messages) if conversation else []
    if live is None:
        return shown
    if live.asked is not None:
        return [message for message in shown if message.id < live.asked.answer_id]
    return [message for message in shown if live.replaces is None or message.id < live.replaces]


def _draw_heading(conversation: StoredConversation) -> None:
    with st.container(key="heading", horizontal=True, vertical_alignment="center"):
        st.subheader(
            formatting.escape_markdown(open_conversation.shown_title(conversation.title)),
            anchor=False,
            width="stretch",
        )
        with st.popover(
            t("chats.menu"),
            icon=":material/more_horiz:",
            type="tertiary",
            key=f"icon-{popovers.popover_key('conversation-menu')}",
        ):
            _draw_menu(conversation)


def _draw_menu(conversation: StoredConversation) -> None:
    store = resources.workspace().store
    pin = t("chats.unpin") if conversation.pinned else t("chats.pin")
    if st.button(pin, icon=":material/keep:", key="pin-chat", width="stretch"):
        store.pin(conversation.id, not conversation.pinned)
        popovers.close("conversation-menu")
        st.rerun()
    chat_labels.draw_menu(conversation)
    with st.form("rename", border=False):
        title = st.text_input(t("chats.rename"), conversation.title, key=f"title-{conversation.id}")
        if st.form_submit_button(t("chats.rename.save"), width="stretch"):
            with notices.show_errors():
                store.rename(conversation.id, title or "")
                popovers.close("conversation-menu")
                st.rerun()
    name = "".join(c if c.isalnum() else "-" for c in conversation.title.lower())[:40].strip("-") or "chat"
    for kind, mime in (("md", "text/markdown"), ("json", "application/json")):
        st.download_button(
            t(f"chats.export.{kind}"),
            transfer.export(store, conversation.id, kind),
            f"{name}.{kind}",
            mime,
            key=f"export-{kind}",
            icon=":material/download:",
            width="stretch",
            on_click="ignore",
        )
    st.download_button(
        t("chats.export.html"),
        lambda: conversation_html.render(conversation),
        f"{name}.html",
        "text/html",
        key="export-html",
        icon=":material/share:",
        width="stretch",
        on_click="ignore",
    )
    chat_export.draw([conversation.id], name, "one")
    if st.button(
        t("chats.delete"),
        icon=":material/delete:",
        key="delete-chat",
        width="stretch",
        on_click=popovers.close,
        args=("conversation-menu",),
    ):
        deletions.ask_to_delete(conversation.id, open_conversation.shown_title(conversation.title))


def _draw_messages(settled: Sequence[StoredMessage], live: LiveAnswer | None, budget: Budget | None) -> None:
    forgotten = len(budget.forgotten) if budget else 0
    for place, message in enumerate(settled):
        if forgotten and place == forgotten:
            note = t("budget.forgotten", count=forgotten)
            st.html(f'<div class="divider">{html_blocks.escaped(note)}</div>')
        if message.status == "streaming":
            _draw_elsewhere(message.id)
        else:
            question = settled[place - 1].content if place else ""
            after = settled[place + 1 : place + 2]
            sources = after[0].sources if after else live.passages if live else ()
            messages.draw(
                message,
                question=question,
                attached=[source.title for source in sources if source.is_attached],
                forgotten=place < forgotten,
                busy=live is not None,
                is_last=message is settled[-1],
            )


def _draw_pending(settled: Sequence[StoredMessage], live: LiveAnswer) -> None:
    """The answer that is being written, below its question."""
    if live.question and not any(live.asked and m.id == live.asked.question_id for m in settled):
        messages.draw_user_text(live.question, key="user-pending")
    st.session_state["page-was-drawn"] = True
    _draw_live(live)


def _draw_temporary() -> None:
    """That this conversation is not kept, where that was chosen."""
    with st.container(key="temporary-note", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(html_blocks.badge(t("chat.temporary"), "documents"), width="content")
        html_blocks.quiet(t("chat.temporary.note"))


def _draw_failure(answer: LiveAnswer, settled: Sequence[StoredMessage]) -> None:
    """Why there is no answer; a question that was not stored, or taken back, returns to the input field."""
    st.error(notices.sentence(Exception(answer.error)), icon=":material/error:")
    is_kept = answer.asked is not None and any(one.id == answer.asked.question_id for one in settled)
    if not is_kept and answer.question and st.session_state.get("given-back") != id(answer):
        st.session_state["given-back"] = id(answer)
        st.session_state["question"] = answer.question
        attachments.take_back()


@st.fragment(run_every=POLL_SECONDS)
def _draw_live(answer: LiveAnswer) -> None:
    """The answer as it grows; the page is drawn anew when it ends.

    The first run ends at once, so that the page is whole. The next one stays in a loop, because that costs
    the model's thread far less than ten runs a second. What is clicked meanwhile interrupts the loop, not
    the answer.
    """
    notices.apply_language()
    with st.container(key="assistant-live"), st.chat_message("assistant", avatar=str(theme.MARK)):
        doing, thoughts, text = st.empty(), st.empty(), st.empty()
    stays = not st.session_state.pop("page-was-drawn", False)
    while True:
        doing.html(f'<div class="from">{html_blocks.badge(_doing(answer), "live")}</div>')
        if answer.thoughts and not answer.text:
            thoughts.html(html_blocks.thoughts(t("message.thoughts"), answer.thoughts))
        text.markdown(html_blocks.prose(answer.text + " ▍"))
        if not stays or answer.wait(POLL_SECONDS):
            break
    if not answer.running:
        st.rerun()


def _doing(answer: LiveAnswer) -> str:
    opened = resources.workspace()
    if answer.stopping:
        return t("chat.stopping")
    if answer.phase == "preparing" and opened.engine_state != "ready":
        return t(f"model.{opened.engine_stage or 'opening'}", name=opened.settings.base_model)
    if resources.answering().is_waiting(answer):
        return t("answer.waiting")
    if answer.searched and answer.phase == "reading":
        return t("answer.reading.searched", count=len(answer.passages), question=answer.searched)
    if answer.passages and answer.phase == "reading":
        return t("answer.reading.passages", count=len(answer.passages))
    return t(f"answer.{answer.phase}")


@st.fragment(run_every=STORE_POLL_SECONDS)
def _draw_elsewhere(message_id: int) -> None:
    """An answer that another process is writing, as far as it is kept."""
    notices.apply_language()
    try:
        message = resources.workspace().store.message(message_id)
    except ConversationError:
        st.rerun()
        return
    if message.status != "streaming":
        st.rerun()
    with (
        st.container(key=f"assistant-{message.id}"),
        st.chat_message("assistant", avatar=str(theme.MARK)),
    ):
        st.html(f'<div class="from">{html_blocks.badge(t("answer.elsewhere"), "live")}</div>')
        st.markdown(html_blocks.prose(message.content + " ▍"))


def _draw_welcome() -> None:
    """The page before the first question: what the two memories are, and what to do next."""
    html_blocks.title(t("welcome.title"), t("welcome.lead"))
    st.html(
        html_blocks.two_memories(
            t("welcome.temporary"),
            t("welcome.temporary.text"),
            t("welcome.permanent"),
            t("welcome.permanent.text"),
        )
    )
    if sample.is_offered() and sample.is_chosen():
        with st.container(horizontal=True, gap="small", key="welcome-next"):
            _draw_suggestions()
    first_steps.draw()
    _draw_larger()


def _draw_larger() -> None:
    """That a larger model would answer better, and what it costs; while the default is in use."""
    opened = resources.workspace()
    if not resources.models_are_imported() or opened.settings.base_model not in (DEFAULT_BASE, PLAIN_BASE):
        return
    if (larger := resources.larger_model()) is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="welcome-larger"):
        left = formatting.seconds(larger.chat_download_bytes / USUAL_BYTES_PER_SECOND)
        text = t(
            "welcome.larger",
            title=larger.title,
            size=formatting.size(larger.chat_download_bytes),
            time=t("welcome.larger.time", left=left),
            memory=formatting.size(larger.chat_bytes),
            rate=f"{larger.tokens_per_second:.0f}",
        )
        st.html(f'<div class="quiet">{html_blocks.escaped(text)}</div>', width="stretch")
        if st.button(t("welcome.larger.open"), key="to-models", type="tertiary"):
            st.switch_page(choices.page("settings"))


def _draw_suggestions() -> None:
    for number, question in enumerate(sample.questions()):
        if st.button(
            formatting.escape_markdown(question),
            icon=":material/subdirectory_arrow_right:",
            key=f"suggest-{number}",
        ):
            with notices.show_errors():
                open_conversation.ask(question)
                st.rerun()
