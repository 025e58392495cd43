"""What a checkpoint holds, as HTML and charts: its size to scale, weight changes, attention, nearest words.

Everything here takes plain values and escapes them; nothing here asks a model.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import altair as alt
import pandas as pd

from assistant.components import formatting, html_blocks, theme
from assistant.components.token_bars import readable
from assistant.i18n.texts import t

if TYPE_CHECKING:  # these import torch, and the Checkpoints page draws words without it
    from tuning.checkpoints.inspection import PrefixAttention, Sizes, WeightChange

SCALE_SIDE = 170.0  # of the square that stands for the base, in CSS pixels
SMALLEST_SIDE = 1.5
# From nothing, which is the ground of the page, to the most.
HEAT = ["#f3f2ed", "#c3c8ea", "#7f89cc", theme.INK, "#1d2560"]
HEAT_ON_DARK = ["#25262b", "#363b60", "#5963a8", "#9aa6f0", "#e3e7ff"]


def sizes_to_scale(sizes: "Sizes", base: str, checkpoint: str) -> str:
    """Two squares whose areas are the parameters of the base and of the checkpoint."""
    larger = max(sizes.base, sizes.learned)
    squares = "".join(
        f'<figure><div class="square {role}" style="width:{side:.1f}px;height:{side:.1f}px"></div>'
        f"<figcaption><b>{html_blocks.escaped(name)}</b><br>{html_blocks.escaped(count(numbers))}</figcaption></figure>"
        for role, name, numbers in (("base", base, sizes.base), ("ink", checkpoint, sizes.learned))
        for side in [max(SCALE_SIDE * math.sqrt(numbers / larger), SMALLEST_SIDE)]
    )
    return f'<div class="scale">{squares}</div>'


def count(numbers: int) -> str:
    """A count of parameters in words: 134.5 million."""
    return t("visible.count", count=formatting.large(numbers))


def change_map(found: "Sequence[WeightChange]") -> alt.Chart:
    """How much each weight matrix changed: a heat map of layers and modules."""
    outside = t("visible.changes.outside")
    rows = [
        {
            "layer": outside if change.layer is None else str(change.layer),
            "module": change.module,
            "size": change.size,
        }
        for change in found
    ]
    layers = list(dict.fromkeys(str(row["layer"]) for row in rows))
    modules = list(dict.fromkeys(change.module for change in found))
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect(stroke=theme.paper(), strokeWidth=1)
        .encode(
            x=alt.X("layer:N", sort=layers, title=t("visible.layer"), axis=_layers_axis(layers)),
            y=alt.Y("module:N", sort=modules, title=None),
            color=alt.Color("size:Q", title=None, scale=_heat(), legend=_legend()),
            tooltip=[
                alt.Tooltip("layer:N", title=t("visible.layer")),
                alt.Tooltip("module:N", title=t("visible.module")),
                alt.Tooltip("size:Q", title=t("visible.changes.size"), format=".2%"),
            ],
        )
        .properties(height=34 * len(modules) + 170)
    )


def attention_chart(found: "Sequence[PrefixAttention]") -> alt.Chart:
    """The share of attention that each layer gives to the prefix: its first position apart from the others."""
    rows = [
        {"layer": str(layer.layer), "part": t(f"visible.attention.{part}"), "share": share, "order": order}
        for layer in found
        for order, (part, share) in enumerate(
            (("rest", max(layer.share - layer.first, 0.0)), ("first", layer.first))
        )
    ]
    layers = [str(layer.layer) for layer in found]
    parts = [t("visible.attention.rest"), t("visible.attention.first")]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            x=alt.X("layer:N", sort=layers, title=t("visible.layer"), axis=_layers_axis(layers)),
            y=alt.Y("share:Q", title=None, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
            color=alt.Color(
                "part:N",
                title=None,
                scale=alt.Scale(
                    domain=parts, range=[theme.series()[0], "#4a4d5c" if theme.is_dark() else "#c9ccd9"]
                ),
                legend=alt.Legend(orient="bottom", labelLimit=340, columns=1),
            ),
            order="order:Q",
            tooltip=["layer", "part", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=260)
    )


def head_map(found: "Sequence[PrefixAttention]") -> alt.Chart:
    """The same for each head alone."""
    rows = [
        {"layer": str(layer.layer), "head": str(head), "share": share}
        for layer in found
        for head, share in enumerate(layer.heads)
    ]
    layers = [str(layer.layer) for layer in found]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_rect(stroke=theme.paper(), strokeWidth=1)
        .encode(
            x=alt.X("layer:N", sort=layers, title=t("visible.layer"), axis=_layers_axis(layers)),
            y=alt.Y("head:N", sort=None, title=t("visible.head")),
            color=alt.Color("share:Q", title=None, scale=_heat([0, 1]), legend=_legend()),
            tooltip=["layer", "head", alt.Tooltip("share:Q", format=".1%")],
        )
        .properties(height=26 * max(len(layer.heads) for layer in found) + 170)
    )


def nearest_words(words: Sequence[Sequence[str]]) -> str:
    """Each virtual token with the words of the vocabulary that are nearest to it."""
    chips = "".join(
        f'<span class="near"><small>{place}</small><b>{html_blocks.escaped(readable(near[0]))}</b>'
        f"{html_blocks.escaped(', '.join(readable(word) for word in near[1:]))}</span>"
        for place, near in enumerate(words, 1)
        if near
    )
    return f'<div class="nears">{chips}</div>'


def _layers_axis(layers: Sequence[str]) -> alt.Axis:
    """Every second layer is named where there are many."""
    step = 1 if len(layers) <= 16 else 5
    return alt.Axis(labelAngle=0, values=list(layers)[::step], grid=False)


def _heat(domain: list[float] | None = None) -> alt.Scale:
    colours = HEAT_ON_DARK if theme.is_dark() else HEAT
    if domain:
        return alt.Scale(range=colours, interpolate="rgb", domain=domain)
    return alt.Scale(range=colours, interpolate="rgb", domainMin=0)


def _legend() -> alt.Legend:
    return alt.Legend(format=".1%", orient="bottom", gradientLength=220, gradientThickness=10)
