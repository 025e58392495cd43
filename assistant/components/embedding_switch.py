"""The way to a model that knows the language of documents, questions and facts, in one click."""

from functools import partial

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.i18n.texts import t
from assistant.models.multilingual import fetch_multilingual
from assistant.session import notices, resources
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.embedding_models import FETCHED, MULTILINGUAL, is_fetched
from knowledge.index.model_families import family_of


def draw_offer(base: KnowledgeBase, key: str) -> bool:
    """A button that chooses the multilingual model and embeds the passages again; whether that has begun."""
    opened = resources.workspace()
    if opened.settings.embedding_model == MULTILINGUAL or not base.count:
        return False
    seconds = formatting.seconds(family_of(MULTILINGUAL).embedding_seconds(base.size))
    if is_fetched(MULTILINGUAL, opened.home):
        html_blocks.quiet(t("embedding.switch.here", name=base.name, time=seconds))
    else:
        megabytes = FETCHED[MULTILINGUAL].download_bytes // 1_000_000
        html_blocks.quiet(t("embedding.switch.note", megabytes=megabytes, name=base.name, time=seconds))
    if not st.button(t("embedding.switch"), icon=":material/translate:", key=key):
        return False
    with notices.show_errors():
        opened.change(embedding_model=MULTILINGUAL)
        begin_rebuild(base.name)
        return True
    return False


def draw_offer_to_fetch(key: str, why: str = "note.far") -> None:
    """A button that fetches the multilingual model; `why`: the text that says what for, as by default for notes."""
    home = resources.workspace().home
    if is_fetched(MULTILINGUAL, home):
        return
    megabytes = FETCHED[MULTILINGUAL].download_bytes // 1_000_000
    html_blocks.quiet(t(why, megabytes=megabytes))
    if st.button(t("note.far.fetch"), icon=":material/translate:", key=f"far-{key}"):
        with notices.show_errors():
            with st.spinner(t("note.far.fetching")):
                fetch_multilingual(home)
            notices.queue_toast(t("note.far.here"), ":material/translate:")
            st.rerun()


def begin_rebuild(name: str) -> None:
    """Embed a knowledge base with the chosen model, which is fetched first. Raises AssistantError."""
    opened = resources.workspace()
    is_here = is_fetched(opened.settings.embedding_model, opened.home)
    fetch = None if is_here else partial(fetch_multilingual, opened.home)
    resources.indexing().rebuild(name, partial(opened.knowledge, name), fetch)
