"""The curves of a run over preferences, step by step: what it should raise, and what gives reward hacking away."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from assistant.components import html_blocks, theme
from assistant.i18n.texts import t

# Measure of a step -> its colour, its number format, and whether it is a share.
MEASURES = {
    "accuracy": (theme.INK, ".0%", True),
    "margin": (theme.INK, ".1f", False),
    "reward": (theme.INK, ".2f", False),
    "kl": (theme.AMBER, ".3f", False),
    "length": (theme.PENCIL, ".0f", False),
    "repetition": (theme.RED, ".0%", True),
    "distinct": (theme.PENCIL, ".0%", True),
    "ended": (theme.PENCIL, ".0%", True),
}
COLUMNS = 3
HEIGHT = 120


def measured(curve: Sequence[Mapping[str, Any]]) -> list[str]:
    """The measures of which a run has at least two points."""
    return [name for name in MEASURES if sum(event.get(name) is not None for event in curve) > 1]


def draw(curve: Sequence[Mapping[str, Any]], key: str) -> bool:
    """A small chart for each measure; whether there was any."""
    names = measured(curve)
    for start in range(0, len(names), COLUMNS):
        for column, name in zip(st.columns(COLUMNS), names[start : start + COLUMNS], strict=False):
            with column:
                html_blocks.quiet(t(f"preferences.curve.{name}"))
                st.altair_chart(_chart(curve, name), key=f"curve-{key}-{name}")
    return bool(names)


def last(curve: Sequence[Mapping[str, Any]]) -> list[html_blocks.Tile]:
    """The newest figures."""
    newest = curve[-1] if curve else {}
    return [
        html_blocks.Tile(t(f"preferences.curve.{name}"), format(newest[name], MEASURES[name][1]))
        for name in measured(curve)
        if newest.get(name) is not None
    ]


def _chart(curve: Sequence[Mapping[str, Any]], name: str) -> alt.Chart:
    hue, form, is_share = MEASURES[name]
    colour = theme.shown(hue)
    points = [{"step": event["step"], "value": event[name]} for event in curve if event.get(name) is not None]
    scale = alt.Scale(domain=[0, 1]) if is_share else alt.Scale(zero=False)
    chart = alt.Chart(pd.DataFrame(points)).encode(
        x=alt.X("step:Q", title=None, axis=alt.Axis(grid=False, tickMinStep=1, tickCount=4)),
        y=alt.Y("value:Q", title=None, scale=scale, axis=alt.Axis(tickCount=3, format=form)),
        tooltip=[
            alt.Tooltip("step:Q", title=t("job.axis.step")),
            alt.Tooltip("value:Q", title=t(f"preferences.curve.{name}"), format=form),
        ],
    )
    dots = chart.mark_point(size=10, opacity=0.25, color=colour, filled=True)
    smooth = (
        chart.transform_window(smooth="mean(value)", frame=[-4, 0])
        .mark_line(strokeWidth=2, color=colour, interpolate="monotone")
        .encode(y=alt.Y("smooth:Q", title=None, scale=scale, axis=alt.Axis(tickCount=3, format=form)))
    )
    layered: alt.Chart = (dots + smooth).properties(height=HEIGHT)
    return layered
