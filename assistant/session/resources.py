"""What this browser tab is looking at: the workspace behind it, the open conversation, the chosen memory.

It remembers choices between reruns and pages; what they mean is decided in `assistant`.
"""

import gc
import importlib
import json
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from assistant.chat.chat import MEMORIES, ChatEvent, How, Memory, Source, Turn, history_of
from assistant.chat.citations import cite_sources
from assistant.chat.context_window import Budget
from assistant.chat.live import Answer, Answering
from assistant.chat.prompt import BUILT_IN, Preset
from assistant.errors import AssistantError, ConversationError, PresetError
from assistant.history.records import StoredConversation, StoredMessage
from assistant.i18n.texts import t, use_language
from assistant.workspace import Workspace
from knowledge.errors import KnowledgeError
from knowledge.grounding.citations import Citation
from knowledge.index.passage_store import Catalogue, DocumentInfo
from knowledge.ingest.fetch import name_of
from tuning.errors import TuningError

if TYPE_CHECKING:
    from assistant.arena.trials import BlindTrials
    from assistant.compare.running import Trials
    from assistant.documents.upload import Indexing
    from assistant.engines.base import Engine

log = logging.getLogger(__name__)
_importing, _imported = threading.Lock(), threading.Event()

ERRORS = (AssistantError, KnowledgeError, TuningError, OSError)
# Choices that the address of the page holds besides the conversation.
KEPT = ("memory", "kb", "only", "checkpoint", "preset")


@st.cache_resource(show_spinner=False)
def workspace() -> Workspace:
    """The Imprint home of this process, with the model on its way into memory."""
    opened = Workspace()
    threading.Thread(target=_warm_up, args=(opened,), name="warm-up", daemon=True).start()
    return opened


def import_models() -> None:
    """Import what opens models, one thread at a time: transformers cannot be imported by two at once."""
    with _importing:
        for name in ("tuning.training.methods", "sentence_transformers"):
            importlib.import_module(name)
    _imported.set()


def engine() -> "Engine":
    """The engine, for what cannot go on without it. Raises EngineError."""
    import_models()
    return workspace().engine()


def models_are_imported() -> bool:
    """Whether `import_models` returns at once."""
    return _imported.is_set()


def _warm_up(opened: Workspace) -> None:
    """Open the model, and then the index, before anybody asks. What fails is told when it is needed."""
    try:
        import_models()
        opened.engine()
        _spare_what_stays()
        opened.knowledge()
    except ERRORS as error:
        log.warning("not ready before the first question: %s", error)
    _spare_what_stays()


def _spare_what_stays() -> None:
    """Streamlit collects garbage after every run: a third of a second if it had to search the libraries."""
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def answering() -> Answering:
    """The answers that are being written in this process, whichever tab asked for them."""
    return Answering()


@st.cache_resource(show_spinner=False)
def indexing() -> "Indexing":
    """The files that are being indexed in this process."""
    from assistant.documents.upload import Indexing  # heavy: chromadb, torch

    return Indexing()


@st.cache_resource(show_spinner=False)
def trials() -> "Trials":
    """What is compared in this process."""
    from assistant.compare.running import Trials  # heavy: scipy

    return Trials(answering())


@st.cache_resource(show_spinner=False)
def blind_trials() -> "BlindTrials":
    """The blind trials of this home."""
    from assistant.arena.trials import BlindTrials  # heavy: scipy

    return BlindTrials(workspace().settings.conversations_path)


def speak() -> None:
    """Use the person's language in this run; fragments run in threads of their own and begin with this."""
    language = workspace().settings.language
    if language == "auto":
        language = (st.context.locale or "").split("-")[0].lower()
    use_language(language)


@contextmanager
def told() -> Iterator[None]:
    """Turn any error that Imprint knows into one sentence on the page."""
    try:
        yield
    except ERRORS as error:
        st.error(sentence(error), icon=":material/error:")


def sentence(error: Exception) -> str:
    """What went wrong, as one sentence; `$` and the like stay what they are."""
    return str(error).replace("$", "\\$") or type(error).__name__


def later(text: str, icon: str = ":material/check:") -> None:
    """Say something after the rerun that is about to happen."""
    st.session_state.setdefault("notes", []).append((text, icon))


def say_notes() -> None:
    """Say what was kept by `later`."""
    for text, icon in st.session_state.pop("notes", []):
        st.toast(text, icon=icon)


# ---- the open conversation


def conversation_id() -> int | None:
    """The id of the open conversation, from this tab or, after a refresh, from its address."""
    if "conversation" not in st.session_state:
        address = st.query_params.get("c", "")
        st.session_state["conversation"] = int(address) if address.isdecimal() else None
    found: int | None = st.session_state["conversation"]
    return found


def open_conversation(wanted: int | None) -> None:
    """Open a conversation, or none for a new one."""
    st.session_state["conversation"] = wanted
    st.session_state.pop("editing", None)


def keep_address() -> None:
    """Write the open conversation into the address, so that a refresh and a bookmark find it."""
    wanted = {"c": conversation_id(), **{name: chosen(name) for name in KEPT}}
    for name, value in wanted.items():
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != str(value):
            st.query_params[name] = str(value)


def conversation() -> StoredConversation | None:
    """The open conversation; one that is gone is named, and a new one takes its place."""
    chosen_id = conversation_id()
    if chosen_id is None:
        return None
    try:
        return workspace().store.get(chosen_id)
    except ConversationError as error:
        open_conversation(None)
        st.warning(sentence(error), icon=":material/info:")
        return None


# ---- pages


def set_pages(pages: dict[str, Any]) -> None:
    """Remember the pages of the app for links between them."""
    st.session_state["pages"] = pages


def page(name: str) -> Any:
    """The page called chat, knowledge, tune, compare or settings."""
    return st.session_state["pages"][name]


def go_to_chat() -> None:
    """Show the chat page with what is open now."""
    st.switch_page(page("chat"))


# ---- the sample domain

SAMPLE = Path(__file__).parents[2] / "examples" / "halden"


def import_sample_chat() -> int:
    """Put the sample conversation into the store; its id."""
    found = workspace().store.import_json((SAMPLE / "conversation.json").read_text(encoding="utf-8"))
    return found


def sample_questions(count: int = 3) -> list[str]:
    """A few questions that the sample domain answers."""
    lines = (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [record["question"] for record in map(json.loads, lines) if record.get("slice") == "training"]
    return asked[:count]


# ---- asking


def how() -> How:
    """How the next question is answered, from what is chosen. Raises AssistantError."""
    settings, preset = workspace().settings, prompt()
    return How(
        memory=memory(),
        checkpoint=chosen("checkpoint"),
        knowledge_base=knowledge_base(),
        documents=only_documents(),
        passages=settings.passages,
        system_prompt=preset.system,
        few_shot=tuple(preset.few_shot),
        max_new_tokens=settings.max_new_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
    )


def ask(question: str) -> None:
    """Ask in the open conversation, or in a new one."""
    if not question.strip():
        raise AssistantError(t("chat.empty_question"))
    way, chosen_id = how(), conversation_id()
    if chosen_id is None:
        chosen_id = workspace().store.create()
        open_conversation(chosen_id)
    talk = workspace().chat

    def turn(stop: threading.Event) -> Iterator[ChatEvent]:
        import_models()
        yield from talk.ask(question, way, conversation_id=chosen_id, stop=stop)

    answering().start(chosen_id, question, turn)


def ask_instead(question: StoredMessage, text: str) -> None:
    """Ask an earlier question in other words."""
    if not text.strip():
        raise AssistantError(t("chat.empty_question"))
    way, talk = how(), workspace().chat
    answering().start(
        question.conversation_id,
        text,
        lambda stop: talk.edit(question.id, text, way, stop=stop),
        replaces=question.id,
    )


def ask_again(answer: StoredMessage) -> None:
    """Answer the same question again, with what is chosen now."""
    way, talk = how(), workspace().chat
    answering().start(
        answer.conversation_id,
        "",
        lambda stop: talk.regenerate(answer.id, way, stop=stop),
        replaces=answer.id,
    )


def answer() -> Answer | None:
    """The newest answer of the open conversation in this process."""
    chosen_id = conversation_id()
    return None if chosen_id is None else answering().get(chosen_id)


def budget(messages: Sequence[StoredMessage]) -> Budget | None:
    """How the newest question fills the window with the prompt of now; None while that is unknown."""
    if workspace().engine_state != "ready":
        return None
    asked = [place for place, message in enumerate(messages) if message.role == "user"]
    last = asked[-1] if asked else 0
    preset, settings = prompt(), workspace().settings
    way = How(
        system_prompt=preset.system, few_shot=tuple(preset.few_shot), max_new_tokens=settings.max_new_tokens
    )
    sources = messages[last + 1].sources if len(messages) > last + 1 else ()
    turn = Turn(
        question=messages[last].content if asked else "",
        history=history_of(messages[:last]),
        passages=sources,
    )
    try:
        return workspace().chat.budget(turn, way)
    except AssistantError:
        return None


@st.cache_data(show_spinner=False, max_entries=300)
def citations(answer: str, sources: Sequence[Source]) -> list[Citation]:
    """Which source supports which sentence; by words alone where the embedding model cannot be opened."""
    try:
        return cite_sources(answer, sources, workspace().embeddings.embed_documents)
    except KnowledgeError as error:
        log.warning("citations without meanings: %s", error)
        return cite_sources(answer, sources)


# ---- choices


def chosen(name: str) -> str | None:
    """A choice of this tab; after a refresh its address still knows it."""
    key = f"chosen-{name}"
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(name)
    value: str | None = st.session_state[key]
    return value


def choose(name: str, value: str | None) -> None:
    """Make a choice; None goes back to the default."""
    st.session_state[f"chosen-{name}"] = value


def use_checkpoint(name: str) -> None:
    """Answer with this checkpoint; as a callback it counts also where the next click comes at once.

    The controls of the memory are new ones then: a browser that was not yet told sends what stands in the old ones.
    """
    choose("memory", "checkpoint")
    choose("checkpoint", name)
    st.session_state["controls"] = st.session_state.get("controls", 0) + 1


def control(name: str) -> str:
    """The key of one of the memory's controls."""
    return f"{name}-choice-{st.session_state.get('controls', 0)}"


def choose_by(name: str, key: str) -> None:
    """Make the choice that a control says, unless a new one has taken its place."""
    if key == control(name):
        choose(name, st.session_state[key])


def memory() -> Memory:
    """The chosen memory; without a choice, documents as soon as there are any."""
    wanted = chosen("memory") or workspace().settings.memory
    if chosen("memory") is None and wanted in ("documents", "both") and not has_documents():
        wanted = "nothing"
    if chosen("memory") is None and wanted in ("checkpoint", "both"):
        wanted = "nothing"
    for known in MEMORIES:
        if known == wanted:
            return known
    return "nothing"


def knowledge_base() -> str:
    """The knowledge base that questions are looked up in."""
    return chosen("kb") or workspace().settings.knowledge_base


def choose_knowledge_base(name: str) -> None:
    """Look questions up in this knowledge base, in all of its documents."""
    if name != knowledge_base():  # a control that is gone may say once more what it said
        choose("kb", name)
        choose("only", None)


def only_documents() -> tuple[str, ...] | None:
    """Ids of the documents that questions are looked up in; None for all. What is gone is no longer chosen."""
    there = {info.id for info in documents_of(knowledge_base())}
    return tuple(one for one in (chosen("only") or "").split() if one in there) or None


def has_documents() -> bool:
    """Whether the chosen knowledge base holds anything, as far as is known without waiting for it."""
    return bool(knowledge_counts().get(knowledge_base()))


def prompt() -> Preset:
    """The system prompt and examples in use: edited in this tab, or a preset by name."""
    edited: Preset | None = st.session_state.get("edited-prompt")
    if edited is not None:
        return edited
    presets = workspace().presets
    try:
        return presets.get(chosen("preset") or BUILT_IN[0].name)
    except PresetError:
        choose("preset", None)
        return presets.get(BUILT_IN[0].name)


# ---- knowledge bases


@st.cache_resource(show_spinner=False)
def knowledge_counts() -> dict[str, int]:
    """Passages by knowledge base, without opening the index; `count_knowledge` counts anew."""
    counts = {}
    for path in sorted((workspace().home / "knowledge").glob("*.sqlite3")):
        try:
            catalogue = Catalogue(path)
            counts[path.stem] = catalogue.count
            catalogue.close()
        except KnowledgeError as error:  # told where it is opened: on its page, or when a question needs it
            log.warning("%s", error)
            counts[path.stem] = 0
    return counts


@st.cache_resource(show_spinner=False)
def documents_of(name: str) -> list[DocumentInfo]:
    """The documents of a knowledge base by name, without opening the index; none where there is none."""
    if name not in knowledge_counts():  # an address may name anything
        return []
    try:
        catalogue = Catalogue(workspace().home / "knowledge" / f"{name}.sqlite3")
        documents = catalogue.documents()
        catalogue.close()
    except KnowledgeError as error:  # told where it is opened
        log.warning("%s", error)
        return []
    return sorted(documents, key=lambda info: name_of(info.path).casefold())


def count_knowledge() -> None:
    """Count anew: something was added or removed."""
    knowledge_counts.clear()
    documents_of.clear()


def untitled(title: str) -> str:
    """A title, or the words for none."""
    return title or t("chats.untitled")
