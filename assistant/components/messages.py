"""One message of a conversation with its sources; a question can be edited. `message_actions` has what stands below."""

import contextlib
import re
from collections.abc import Iterator, Sequence

import streamlit as st

from assistant.chat.citations import CitedAnswer
from assistant.chat.nothing_found import says_foreign, says_nothing_found, says_nothing_known
from assistant.chat.verbatim import hardly_speaks
from assistant.components import formatting, html_blocks, message_actions, near_misses, theme
from assistant.history.records import ENDINGS, QUOTED, VERBATIM, StoredMessage
from assistant.i18n.texts import t
from assistant.language.refusals import is_refusal
from assistant.session import choices, notices, open_conversation, resources
from tuning.errors import TuningError

_DOCUMENTS = re.compile(r"\b(?:documents?|passages?)\b|文档|资料", re.IGNORECASE)


def draw(
    message: StoredMessage,
    *,
    question: str,
    attached: Sequence[str] = (),
    forgotten: bool = False,
    busy: bool = False,
    is_last: bool = False,
) -> None:
    """A message with its actions; `busy` while an answer is being written, `question` is what it answers.

    `attached` are the names of the files that went with a question.
    """
    with st.container(key=f"{'forgotten' if forgotten else 'kept'}-{message.id}"):
        if message.role == "user":
            _draw_question(message, busy, attached)
        else:
            _draw_answer(message, question, busy, is_last)


def _draw_question(message: StoredMessage, busy: bool, attached: Sequence[str]) -> None:
    if st.session_state.get("editing") == message.id:
        _draw_editor(message)
        return
    with st.container(
        key=f"asked-{message.id}",
        horizontal=True,
        horizontal_alignment="right",
        vertical_alignment="center",
        gap="xxsmall",
        wrap=False,
    ):
        if not busy:
            message_actions.draw_alternatives(message)
            html_blocks.copy_button(message.content)
            if message_actions.icon_button("edit", t("message.edit"), f"edit-{message.id}"):
                st.session_state["editing"] = message.id
                st.rerun()
        draw_user_text(message.content, key=f"user-{message.id}")
    if attached:
        st.html(html_blocks.attached(attached))


def draw_user_text(text: str, key: str) -> None:
    """The text of a user message."""
    with st.container(key=key, width="content"), st.chat_message("user"):
        html_blocks.paragraph(text)


def _draw_editor(message: StoredMessage) -> None:
    with st.form(f"edit-form-{message.id}", border=True):
        text = st.text_area(t("message.edit"), message.content, key=f"edited-{message.id}", height="content")
        with st.container(horizontal=True, horizontal_alignment="right"):
            cancelled = st.form_submit_button(t("cancel"), type="tertiary")
            sent = st.form_submit_button(t("message.resend"), type="primary", icon=":material/arrow_upward:")
    if cancelled:
        st.session_state.pop("editing", None)
        st.rerun()
    if sent:
        with notices.show_errors():
            open_conversation.edit_question(message, text or "")
            st.session_state.pop("editing", None)
            st.rerun()


def _draw_answer(message: StoredMessage, question: str, busy: bool, is_last: bool) -> None:
    with (
        st.container(key=f"assistant-{message.id}"),
        st.chat_message("assistant", avatar=str(theme.MARK)),
    ):
        st.html(origin(message))
        draw_thoughts(message.thoughts, t("message.thoughts"))
        _draw_text(message, question)
        _draw_sources(message, question)
        if is_last and not busy and (says_nothing_found(message.content) or has_no_source(message)):
            near_misses.draw(message, question)
        if is_last and not busy and says_nothing_known(message.content) and message.memory == "checkpoint":
            _draw_way_to_weights(message, question)
        if is_last and not busy and message.ending == QUOTED:
            _draw_way_to_answer(message)
        if is_last and not busy and says_foreign(message.content):
            _draw_way_out(message)
        if is_last and not busy and _needs_larger(message, question):
            _draw_way_to_models(message)
        if not busy:
            message_actions.draw(message, question, is_last)


def _draw_way_out(message: StoredMessage) -> None:
    """The documents are in another language than the question: the model that knows both."""
    from assistant.components import embedding_switch  # heavy: chromadb, torch

    base = resources.workspace().knowledge(choices.knowledge_base())
    if embedding_switch.draw_offer(base, f"multilingual-{message.id}"):
        st.switch_page(choices.page("knowledge"))


def _draw_way_to_weights(message: StoredMessage, question: str) -> None:
    """The lesson that comes nearest, and the way to what the weights say, which is no lesson's answer."""
    if message.checkpoint and resources.models_are_imported():
        with contextlib.suppress(TuningError):  # the checkpoint may be gone by now
            lesson = resources.workspace().notes.nearest(question, message.checkpoint)
            if lesson is not None:
                html_blocks.quiet(t("message.unknown.near", question=lesson.question, answer=lesson.answer))
    if st.button(t("message.unknown.anyway"), icon=":material/fingerprint:", key=f"anyway-{message.id}"):
        open_conversation.regenerate(message, anyway=True)
        st.rerun()


def _draw_way_to_answer(message: StoredMessage) -> None:
    """The way to what the model says where the documents were quoted."""
    label, icon = t("message.quoted.anyway"), ":material/notes:"
    if st.button(label, icon=icon, key=f"anyway-{message.id}", type="tertiary"):
        open_conversation.regenerate(message, anyway=True)
        st.rerun()


def _needs_larger(message: StoredMessage, question: str) -> bool:
    """Whether the model hardly knows the language of the question, and no note or checkpoint helped."""
    return (
        hardly_speaks(resources.workspace().settings.base_model, question)
        and resources.workspace().settings.engine_url is None
        and not message.checkpoint
        and not message.correction
        and (message.ending == VERBATIM or bool(message.engine))
    )


def _draw_way_to_models(message: StoredMessage) -> None:
    """What may be expected of the model, and the way to one that knows the language."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"larger-{message.id}"):
        if message.ending != VERBATIM:
            html_blocks.quiet(t("message.hardly_speaks"))
        if st.button(
            t("message.models"), icon=":material/arrow_forward:", key=f"models-{message.id}", type="tertiary"
        ):
            st.switch_page(choices.page("settings"))


def _draw_text(message: StoredMessage, question: str) -> None:
    if message.correction:
        st.markdown(html_blocks.prose(message.correction))
        with st.expander(t("message.before_correction"), icon=":material/history:", type="compact"):
            st.markdown(html_blocks.prose(message.content) or "–")
    elif has_no_source(message):
        said = t("message.no_source.checkpoint") if message.checkpoint else t("message.no_source")
        with st.container(key=f"unsourced-{message.id}"):
            st.html(f'<div class="unsourced" role="note">{html_blocks.escaped(said)}</div>')
            st.markdown(html_blocks.prose(message.content))
    elif message.content.strip():
        _draw_cited(message, question)
    elif message.status == "complete":
        html_blocks.quiet(t("message.empty"))
    for note in _notes(message):
        html_blocks.quiet(note)


def _draw_cited(message: StoredMessage, question: str) -> None:
    answer = _cited(message, question)
    st.markdown(
        html_blocks.cited(answer.text, answer.citations, message.id)
        if answer.citations
        else html_blocks.prose(message.content)
    )
    if any(not citation.supported for citation in answer.citations):
        html_blocks.quiet(t("message.unsupported"))


def has_no_source(message: StoredMessage) -> bool:
    """Whether documents were to be read and none stands behind the answer."""
    return (
        message.memory in ("documents", "both")
        and message.status == "complete"
        and bool(message.content.strip())
        and not message.sources
        and not message.correction
        and not says_nothing_found(message.content)
    )


def speaks_of_unread_documents(message: StoredMessage) -> bool:
    """Whether a model that read no documents says that it finds nothing in them: the packaged one learned to."""
    unread = message.memory in ("nothing", "checkpoint") and not message.sources and not message.correction
    return unread and is_refusal(message.content) and bool(_DOCUMENTS.search(message.content))


def draw_thoughts(thoughts: str, label: str) -> None:
    """What a model thought before its answer, folded away."""
    if thoughts.strip():
        with st.expander(label, icon=":material/psychology:", type="compact"):
            st.markdown(html_blocks.prose(thoughts))


def _notes(message: StoredMessage) -> Iterator[str]:
    """What a person should know of how an answer ended."""
    if message.status == "stopped" and not message.content.strip():
        yield t("message.unanswered")
    elif message.status in ("stopped", "failed"):
        yield t(f"message.{message.status}")
    elif message.ending in ENDINGS:
        yield t(f"message.{message.ending}")
    elif speaks_of_unread_documents(message):
        yield t("message.unread")


def _cited(message: StoredMessage, question: str) -> CitedAnswer:
    """Which passage supports which sentence; nothing where no documents were read."""
    if not message.sources or message.correction or message.status == "streaming":
        return CitedAnswer(message.content)
    return open_conversation.cited(message.content, message.sources, question)


def origin(message: StoredMessage) -> str:
    """Which memory answered, and how long it took, as one line of HTML."""
    parts = []
    if has_no_source(message):
        parts.append(html_blocks.badge(t("message.no_source.badge"), "warn"))
    elif any(source.is_attached for source in message.sources):
        parts.append(html_blocks.badge(t("attach.badge"), "documents", t("attach.badge.help")))
    elif message.memory in ("documents", "both"):
        parts.append(html_blocks.badge(t("memory.documents"), "documents", t("memory.documents.help")))
    if message.memory in ("checkpoint", "both") and message.checkpoint:
        parts.append(html_blocks.badge(message.checkpoint, "checkpoint", t("memory.checkpoint.help")))
    if any(source.is_note for source in message.sources):
        parts.append(html_blocks.badge(t("note.source"), "good", t("note.source.help")))
    if not parts:
        parts.append(html_blocks.badge(t("memory.alone"), "", t("memory.nothing.help")))
    if message.correction:
        parts.append(html_blocks.badge(t("message.corrected"), "good"))
    if message.seconds is not None and message.status in ("complete", "stopped"):
        said = formatting.seconds(message.seconds)
        if (message.completion_tokens or 0) > 1 or message.engine:  # else no model wrote it
            said = t("message.cost", count=message.completion_tokens or 0, seconds=said)
        if message.engine:
            said = f"{said} · {message.engine}"
        parts.append(f'<span class="numbers">{html_blocks.escaped(said)}</span>')
    return f'<div class="from">{"".join(parts)}</div>'


def _draw_sources(message: StoredMessage, question: str) -> None:
    if not message.sources:
        return
    spans: dict[int, list[tuple[int, int, str]]] = {}
    for place, one in enumerate(_cited(message, question).citations):
        if one.passage and one.span:
            spans.setdefault(one.passage, []).append(
                (*one.span, html_blocks.citation_anchor(message.id, place))
            )
    passages = [
        html_blocks.source(number, source, question, spans.get(number, ()))
        for number, source in enumerate(message.sources, 1)
    ]
    st.html(html_blocks.sources(t("message.sources", count=len(passages)), passages))
