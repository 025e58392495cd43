"""The Search tab: the passages that a question retrieves, with their ranks by keywords and by meaning."""

from collections.abc import Sequence

import streamlit as st

from assistant.components import formatting, html_blocks
from assistant.documents.listing import labels
from assistant.i18n.texts import t
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.records import DocumentInfo
from knowledge.ingest.fetch import name_of
from knowledge.search.selection import Hit

HITS = 6
NEAR = 3  # passages that are shown where none is about the question: a person may see that one is


def draw(base: KnowledgeBase, documents: Sequence[DocumentInfo]) -> None:
    """The tab."""
    with st.container(horizontal=True, gap="small", key="search-row"):
        question = st.text_input(
            t("knowledge.search"),
            key="search-passages",
            placeholder=t("knowledge.search.placeholder"),
            icon=":material/search:",
            label_visibility="collapsed",
        )
        names = labels(documents)
        only = st.multiselect(
            t("memory.only"),
            sorted(names, key=lambda one: names[one].casefold()),
            key=f"search-only-{base.name}",
            format_func=names.__getitem__,
            placeholder=t("memory.only.all"),
            label_visibility="collapsed",
            width=280,
        )
    if not question:
        html_blocks.quiet(t("knowledge.search.lead"))
        return
    hits = base.search(question, k=HITS, documents=only or None)
    if not hits:
        none = "knowledge.search.none.only" if only else "knowledge.search.none"
        st.info(t(none, count=len(only)), icon=":material/search_off:")
        hits = base.search(question, k=NEAR, documents=only or None, min_relevance=0)
        if not hits:
            return
        html_blocks.quiet(t("knowledge.search.near"))
    st.html("".join(_hit(hit, question) for hit in hits))


def _hit(hit: Hit, question: str) -> str:
    ranks = [html_blocks.badge(t("knowledge.rank", rank=hit.rank), "checkpoint")]
    if hit.rank_lexical is not None:
        score = f"{hit.lexical:.1f}" if hit.lexical is not None else "–"
        ranks.append(html_blocks.badge(t("knowledge.rank.words", rank=hit.rank_lexical, score=score)))
    if hit.rank_dense is not None:
        score = f"{hit.dense:.2f}" if hit.dense is not None else "–"
        ranks.append(html_blocks.badge(t("knowledge.rank.meaning", rank=hit.rank_dense, score=score)))
    found = hit.passage
    place = formatting.location(name_of(found.source), found.page, found.headings)
    return f'<div class="from">{"".join(ranks)}</div>' + html_blocks.passage(found.text, place, question)
