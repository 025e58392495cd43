"""The conversation that this tab shows, and its turns: ask, edit a question, regenerate an answer."""

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from assistant.chat.citations import CitedAnswer, cite_sources
from assistant.chat.context_window import Budget
from assistant.chat.live import LiveAnswer
from assistant.chat.stored_turn import history_of
from assistant.chat.turn import AnswerOptions, ChatEvent, TurnState
from assistant.engines.opening import needs_torch
from assistant.errors import AssistantError, ConversationError
from assistant.history.conversations import TEMPORARY
from assistant.history.records import StoredConversation, StoredMessage
from assistant.history.sources import Source
from assistant.i18n.texts import t
from assistant.session import attachments, choices
from assistant.session.choices import KEPT, chosen, knowledge_base, memory, only_documents, prompt
from assistant.session.notices import sentence
from assistant.session.resources import (
    answering,
    documents_of,
    import_models,
    knowledge_counts,
    workspace,
)
from knowledge.errors import KnowledgeError

log = logging.getLogger(__name__)


def conversation_id() -> int | None:
    """The id of the open conversation, from this tab or, after a refresh, from its address."""
    if "conversation" not in st.session_state:
        address = st.query_params.get("c", "")
        wanted = int(address) if address.isdecimal() else None
        st.session_state["conversation"] = wanted
        if wanted is not None and not any(name in st.query_params for name in KEPT):
            _take_choices(wanted)
    found: int | None = st.session_state["conversation"]
    return found


def open_conversation(wanted: int | None) -> None:
    """Open a conversation, or none for a new one; a temporary one that is left is erased."""
    left = st.session_state.get("conversation")
    if left is not None and left != wanted and is_temporary():
        workspace().store.erase(left)
    st.session_state["temporary"] = False
    st.session_state["conversation"] = wanted
    st.session_state.pop("editing", None)
    attachments.forget()
    if wanted is not None:
        _take_choices(wanted)


def is_temporary() -> bool:
    """Whether what is asked here is not kept: it was chosen for this tab, before its first question."""
    return bool(st.session_state.get("temporary"))


def make_temporary(wanted: bool) -> None:
    """Keep the conversation that begins with the next question out of the list, or no longer."""
    st.session_state["temporary"] = wanted


def _take_choices(conversation_id: int) -> None:
    """Choose what a conversation was answered with last: it goes on with its own memory, files and checkpoint."""
    try:
        stored = workspace().store.get(conversation_id)
    except ConversationError:  # said where it is drawn
        return
    if kept := stored.choices or _choices_of_last_answer(stored.messages):
        choices.take(kept)
    st.session_state["choices-kept"] = (conversation_id, choices.present())


def _choices_of_last_answer(messages: Sequence[StoredMessage]) -> dict[str, str]:
    """What conversations from before version 7 were answered with, as far as their last answer tells."""
    answers = [message for message in messages if message.role == "assistant" and message.memory]
    if not answers:
        return {}
    last = answers[-1]
    read = {source.document_id for source in last.sources if source.document_id}
    bases = (name for name in knowledge_counts() if read & {info.id for info in documents_of(name)})
    found = {"memory": last.memory, "kb": next(bases, None), "checkpoint": last.checkpoint}
    return {name: value for name, value in found.items() if value}


def _keep_choices(*, asked: bool = False) -> None:
    """Store with the open conversation what was chosen since it was opened, and with a question in any case."""
    chosen_id, present = conversation_id(), choices.present()
    before = st.session_state.get("choices-kept")
    st.session_state["choices-kept"] = (chosen_id, present)
    changed = before is not None and before[0] == chosen_id and before[1] != present
    if chosen_id is not None and (asked or changed):
        workspace().store.keep_choices(chosen_id, present)


def keep_address() -> None:
    """Write the open conversation and the choices into the address, so that a refresh and a bookmark find them."""
    _keep_choices()
    if choices.address() != st.query_params.to_dict():
        st.query_params.from_dict(choices.address())  # at once: each change is a step for the browser's Back


def follow_address() -> None:
    """Show what the address says where the browser went back or forward: the app keeps its own state otherwise."""
    run = get_script_run_ctx()
    if run is None or not run.is_history_navigation:
        return
    for shown in ("conversation", "editing", "compare-view"):
        st.session_state.pop(shown, None)
    choices.forget()


def conversation() -> StoredConversation | None:
    """The open conversation; where it was deleted, the page says so and opens a new one."""
    chosen_id = conversation_id()
    if chosen_id is None:
        return None
    try:
        return workspace().store.get(chosen_id)
    except ConversationError as error:
        open_conversation(None)
        st.warning(sentence(error), icon=":material/info:")
        return None


def answer_options() -> AnswerOptions:
    """The options of the next answer, from what is chosen on the page. Raises AssistantError."""
    settings, preset = workspace().settings, prompt()
    return AnswerOptions(
        memory=memory(),
        checkpoint=chosen("checkpoint"),
        knowledge_base=knowledge_base(),
        documents=only_documents(),
        passages=settings.passages,
        notes=True,
        quotes=True,
        system_prompt=preset.system,
        few_shot=tuple(preset.few_shot),
        order=preset.order,
        max_new_tokens=settings.max_new_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
    )


def ask(question: str) -> None:
    """Ask in the open conversation, or in a new one."""
    if not question.strip():
        raise AssistantError(t("chat.empty_question"))
    st.session_state.pop("deleted", None)
    options = replace(answer_options(), attached=attachments.attachments())
    chosen_id = conversation_id()
    if chosen_id is not None and (running := answering().get(chosen_id)) is not None and running.running:
        raise AssistantError(t("chat.busy"))  # another tab asked meanwhile
    if chosen_id is None:
        chosen_id = workspace().store.create(source=TEMPORARY if is_temporary() else "")
        st.session_state["conversation"] = chosen_id
    _keep_choices(asked=True)
    chat = workspace().chat

    def turn(stop: threading.Event) -> Iterator[ChatEvent]:
        events = chat.ask(question, options, conversation_id=chosen_id, stop=stop)
        yield next(events)  # the question is stored: the import takes seconds
        if options.memory != "nothing" or needs_torch(workspace().settings):
            import_models()
        yield from events

    answering().start(chosen_id, question, turn)
    attachments.hand_over()


def edit_question(question: StoredMessage, text: str) -> None:
    """Ask an earlier question in other words."""
    if not text.strip():
        raise AssistantError(t("chat.empty_question"))
    options, chat = answer_options(), workspace().chat
    _keep_choices(asked=True)
    answering().start(
        question.conversation_id,
        text,
        lambda stop: chat.edit(question.id, text, options, stop=stop),
        replaces=question.id,
    )


def regenerate(answer: StoredMessage, *, anyway: bool = False) -> None:
    """Answer the same question again, with what is chosen now; `anyway`: from the nearest passages or weights."""
    options, chat = replace(answer_options(), anyway=anyway), workspace().chat
    _keep_choices(asked=True)
    answering().start(
        answer.conversation_id,
        "",
        lambda stop: chat.regenerate(answer.id, options, stop=stop),
        replaces=answer.id,
    )


def answer() -> LiveAnswer | None:
    """The newest answer of the open conversation in this process."""
    chosen_id = conversation_id()
    return None if chosen_id is None else answering().get(chosen_id)


def budget(messages: Sequence[StoredMessage]) -> Budget | None:
    """The budget of the newest question with the present prompt; None before the model is open."""
    if workspace().engine_state != "ready":
        return None
    asked = [place for place, message in enumerate(messages) if message.role == "user"]
    last = asked[-1] if asked else 0
    preset, settings = prompt(), workspace().settings
    options = AnswerOptions(
        passages=settings.passages,
        system_prompt=preset.system,
        few_shot=tuple(preset.few_shot),
        order=preset.order,
        max_new_tokens=settings.max_new_tokens,
    )
    sources = messages[last + 1].sources if len(messages) > last + 1 else ()
    turn = TurnState(
        question=messages[last].content if asked else "",
        history=history_of(messages[:last]),
        passages=sources,
    )
    try:
        found = workspace().chat.budget(turn, options)
    except AssistantError:
        return None
    # Before the first question the template's tokens around it are nobody's words.
    return found if asked else replace(found, used={**found.used, "question": 0})


@st.cache_data(show_spinner=False, max_entries=300)
def cited(answer: str, sources: Sequence[Source], question: str = "") -> CitedAnswer:
    """Which source supports which sentence; by words alone where the embedding model cannot be opened."""
    try:
        return cite_sources(answer, sources, workspace().embeddings.embed_documents, question)
    except KnowledgeError as error:
        log.warning("citations by words alone: %s", error)
        return cite_sources(answer, sources, question=question)


def shown_title(title: str) -> str:
    """A conversation's title, or a text in place of an empty one."""
    return title or t("chats.untitled")
