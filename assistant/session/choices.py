"""The choices of this tab (memory, checkpoint, knowledge base, prompt), which the page's address keeps too."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from assistant.chat.presets import BUILT_IN, Preset
from assistant.errors import PresetError
from assistant.session.resources import documents_of, knowledge_counts, workspace
from assistant.settings import MEMORIES, Memory

# Choices that the address of the page holds besides the conversation.
KEPT = ("memory", "kb", "only", "checkpoint", "preset")


def set_pages(pages: dict[str, Any]) -> None:
    """Store the pages of the app, for links between them."""
    st.session_state["pages"] = pages


def page(name: str) -> Any:
    """The page called chat, knowledge, tune, compare or settings."""
    return st.session_state["pages"][name]


def go_to_chat() -> None:
    """Show the chat page with what is open now."""
    st.switch_page(page("chat"), query_params=address())


def address() -> dict[str, str]:
    """What the address of the chat page says: the open conversation, and the choices."""
    wanted = {"c": st.session_state.get("conversation"), **{name: chosen(name) for name in KEPT}}
    return {name: str(value) for name, value in wanted.items() if value is not None}


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
    """Answer with this checkpoint. A callback, so that it takes effect before the page is drawn again.

    The memory's widgets get new keys: a browser that has not been redrawn yet still sends the values of the old.
    """
    choose("memory", "checkpoint")
    choose("checkpoint", name)
    _renew_controls()


def take(kept: Mapping[str, str]) -> None:
    """Make all the choices that a conversation kept; what it did not keep goes back to the default."""
    for name in KEPT:
        choose(name, kept.get(name))
    _renew_controls()


def forget() -> None:
    """Make no choice any longer: the address is read again."""
    for name in KEPT:
        st.session_state.pop(f"chosen-{name}", None)
    _renew_controls()


def present() -> dict[str, str]:
    """The choices as they are now, for a conversation to keep."""
    named = {name: value for name in ("only", "checkpoint", "preset") if (value := chosen(name))}
    return {"memory": memory(), "kb": knowledge_base(), **named}


def _renew_controls() -> None:
    st.session_state["controls"] = st.session_state.get("controls", 0) + 1


def control(name: str) -> str:
    """The key of one of the memory's widgets."""
    return f"{name}-choice-{st.session_state.get('controls', 0)}"


def choose_by(name: str, key: str) -> None:
    """Make the choice of the widget with this key, unless another has replaced it."""
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
    """The knowledge base that is searched."""
    return chosen("kb") or workspace().settings.knowledge_base


def choose_knowledge_base(name: str) -> None:
    """Search this knowledge base from now on, in all of its documents."""
    if name != knowledge_base():  # a widget that is gone may send its value once more
        choose("kb", name)
        choose("only", None)


def only_documents() -> tuple[str, ...] | None:
    """Ids of the documents that are searched; None for all. Documents that were removed are left out."""
    there = {info.id for info in documents_of(knowledge_base())}
    return tuple(one for one in (chosen("only") or "").split() if one in there) or None


def has_documents() -> bool:
    """Whether the chosen knowledge base holds anything; answered without opening it."""
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
