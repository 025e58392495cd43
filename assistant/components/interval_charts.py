"""Charts of the Compare page: a dot or a bar with its interval for each variant."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from assistant.components import theme
from assistant.reports.palette import KIND_COLOURS

_INTERVAL = _TEXT = "#85878e"  # seen on light and on dark


def draw_bars(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """Bars from 0 to 1 with their interval; a row has name, kind, value, low, high and a label."""
    _draw(rows, title, bars=True)


def draw_spans(rows: Sequence[Mapping[str, Any]], title: str, *, middle: float) -> None:
    """Dots on their interval, with a line at the value that means no difference."""
    _draw(rows, title, middle=middle)


def _draw(
    rows: Sequence[Mapping[str, Any]], title: str, *, bars: bool = False, middle: float | None = None
) -> None:
    frame = pd.DataFrame(list(rows))
    order = list(frame["name"])
    base = alt.Chart(frame).encode(
        y=alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=230, ticks=False, domain=False))
    )
    colour = alt.Color(
        "kind:N",
        scale=alt.Scale(domain=list(KIND_COLOURS), range=[theme.shown(one) for one in KIND_COLOURS.values()]),
        legend=None,
    )
    across = alt.X(
        "value:Q",
        scale=alt.Scale(domain=[0, 1]),
        title=title,
        axis=alt.Axis(format="%", tickCount=5),
    )
    spans = base.mark_rule(strokeWidth=2, color=_INTERVAL).encode(x="low:Q", x2="high:Q")
    labels = base.mark_text(align="left", dx=6, dy=-14, color=_TEXT).encode(x="value:Q", text="label:N")
    if bars:
        layers = base.mark_bar(height=20, cornerRadiusEnd=4).encode(x=across, color=colour) + spans + labels
    else:
        dots = base.mark_circle(size=150, opacity=1).encode(x=across, color=colour)
        layers = spans + dots + labels
    if middle is not None:
        line = alt.Chart(pd.DataFrame([{"at": middle}])).mark_rule(strokeDash=[4, 4], color=_TEXT)
        layers = line.encode(x="at:Q") + layers
    st.altair_chart(layers.properties(height=56 * len(frame) + 40))
