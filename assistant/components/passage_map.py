"""The map on the Knowledge page: passages in two dimensions, near each other where they mean the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import altair as alt
import pandas as pd
import streamlit as st
from streamlit.elements.vega_charts import AltairChart

from assistant.components import formatting, html_blocks, theme
from assistant.documents.listing import labels
from assistant.i18n.texts import t
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.projection import MapPoint
from knowledge.index.records import DocumentInfo
from knowledge.ingest.fetch import name_of

QUESTION = "map-question"
NEIGHBOURS = 6
MAX_SHOWN = 3  # passages below the map
MAX_NAMED = 12  # documents in the legend
# Ten that the eye can tell apart, for each shape; the first are the theme's.
COLOURS = (
    *("#333f8f", "#14776f", "#a8641a", "#75787f", "#8d5a97", "#b23a3a"),
    *("#4a94c4", "#7d8f2a", "#d08fae", "#5b4636"),
)
SHAPES = {"circle": "●", "square": "■", "triangle-up": "▲", "diamond": "◆"}


@dataclass(frozen=True)
class _Style:
    """How the passages of one document are drawn."""

    name: str
    colour: str
    shape: str


def keep_question() -> None:
    """Keep what was asked while another tab is open: Streamlit forgets a field that it does not draw."""
    if QUESTION in st.session_state:
        st.session_state[QUESTION] = st.session_state[QUESTION]


def draw(base: KnowledgeBase, documents: Sequence[DocumentInfo]) -> None:
    """The map; a click on a point shows its passage, a question lights up what it would find."""
    question = st.text_input(
        t("knowledge.map.question"),
        key=QUESTION,
        placeholder=t("knowledge.map.question"),
        icon=":material/my_location:",
        label_visibility="collapsed",
    )
    points, asked = base.map(question)
    styles = _styles(documents)
    points = [point for point in points if point.document_id in styles]  # more may be on their way in
    if not points:
        html_blocks.quiet(t("knowledge.map.none"))
        return
    near = [hit.passage.id for hit in base.search(question, k=NEIGHBOURS)] if question else []
    picked = st.altair_chart(
        _chart(_frame(points, styles, set(near)), asked, bool(near)), on_select="rerun", key="map"
    )
    st.html(_legend(list(styles.values())))
    clicked = [str(place["passage"]) for place in picked["selection"].get("pick", ())]
    shown = clicked or near
    html_blocks.quiet(t("knowledge.map.near" if near and not clicked else "knowledge.map.lead"))
    for passage_id in shown[:MAX_SHOWN]:
        found = base.passage(passage_id)
        place = formatting.location(name_of(found.source), found.page, found.headings)
        st.html(html_blocks.passage(found.text, place, question))


def _styles(documents: Sequence[DocumentInfo]) -> dict[str, _Style]:
    shapes = list(SHAPES)
    return {
        one: _Style(name, theme.shown(COLOURS[at % len(COLOURS)]), shapes[at // len(COLOURS) % len(shapes)])
        for at, (one, name) in enumerate(labels(documents).items())
    }


def _frame(points: Sequence[MapPoint], styles: dict[str, _Style], near: set[str]) -> pd.DataFrame:
    """One row a point, those that light up last, so that they lie on top."""
    rows = [
        {
            "x": point.x,
            "y": point.y,
            "document": styles[point.document_id].name,
            "colour": styles[point.document_id].colour,
            "shape": styles[point.document_id].shape,
            "text": point.text,
            "passage": point.passage_id,
            "near": point.passage_id in near,
        }
        for point in points
    ]
    return pd.DataFrame(rows).sort_values("near", kind="stable")


def _legend(styles: Sequence[_Style]) -> str:
    entries = [
        f'<span><i style="color: {one.colour}">{SHAPES[one.shape]}</i>{html_blocks.escaped(one.name)}</span>'
        for one in styles[:MAX_NAMED]
    ]
    if len(styles) > MAX_NAMED:
        entries.append(
            f"<span>{html_blocks.escaped(t('knowledge.map.more', count=len(styles) - MAX_NAMED))}</span>"
        )
    return f'<div class="map-legend">{"".join(entries)}</div>'


def _chart(frame: pd.DataFrame, asked: tuple[float, float] | None, some_near: bool) -> "AltairChart":
    hidden = alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    points = (
        alt.Chart(frame)
        .mark_point(filled=True, stroke=theme.paper(), strokeWidth=1)
        .encode(
            x=alt.X("x:Q", axis=hidden, title=None),
            y=alt.Y("y:Q", axis=hidden, title=None),
            color=alt.Color("colour:N", scale=None),
            shape=alt.Shape("shape:N", scale=None),
            size=alt.condition("datum.near", alt.value(300), alt.value(110)),
            opacity=alt.condition("datum.near", alt.value(1), alt.value(0.25 if some_near else 0.85)),
            tooltip=["document", "text"],
        )
        .add_params(alt.selection_point(name="pick", fields=["passage"]))
    )
    place = pd.DataFrame([{"x": asked[0], "y": asked[1]}] if asked else [], columns=["x", "y"])
    cross = (
        alt.Chart(place)
        .mark_point(shape="cross", size=260, color=theme.shown(theme.RED), strokeWidth=2, aria=False)
        .encode(x="x:Q", y="y:Q")
    )
    return alt.layer(points, cross).properties(height=420)
