"""A comparison as a picture: bars with intervals, all questions and each slice."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from assistant.storage import write_whole

# As on the pages: what a prompt holds can be erased (teal), what weights hold stays (indigo).
_COLOURS = {
    "base": "#a3a6ad",
    "documents": "#14776f",
    "given": "#7fb3a5",
    "checkpoint": "#333f8f",
    "both": "#8d5a97",
}
_INK, _FAINT = "#23262b", "#e3e0d7"
_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei", "SimHei")


def draw(
    arms: dict[str, dict[str, Any]],
    slices: dict[str, dict[str, dict[str, Any]]],
    title: str,
    kinds: Mapping[str, str] | None = None,
) -> Figure:
    """A figure of the accuracies: `arms` and `slices` of `Comparison.to_dict`, `kinds` as in `Arm.kind`."""
    kinds = {name: (kinds or {}).get(name) or _kind(name) for name in arms}
    groups = {"all": arms, **slices} if len(slices) > 1 else {"all": arms}
    width = max(6.4, 1.6 + 0.42 * len(arms) * len(groups) + 0.5 * len(groups))
    with matplotlib.rc_context({"font.family": _known_fonts(), "text.color": _INK, "axes.labelcolor": _INK}):
        figure = Figure(figsize=(width, 4.4), dpi=150, layout="constrained")
        axes = figure.add_subplot()
        _bars(axes, kinds, groups)
        axes.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=34)
        figure.canvas.draw()  # with these fonts, while they are set
    return figure


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG so that it appears whole."""
    png = BytesIO()
    figure.savefig(png, format="png", facecolor="white")
    return write_whole(path, png.getvalue())


def _bars(axes: Axes, kinds: Mapping[str, str], groups: dict[str, dict[str, dict[str, Any]]]) -> None:
    names = list(kinds)
    wide = min(0.8 / len(names), 0.22)  # a single bar is no wall
    for number, name in enumerate(names):
        places = [group + (number - (len(names) - 1) / 2) * wide for group in range(len(groups))]
        heights = [figures[name]["accuracy"] for figures in groups.values()]
        ends = [figures[name]["confidence_interval"] for figures in groups.values()]
        reach = [
            [max(0.0, height - low) for height, (low, _) in zip(heights, ends, strict=True)],
            [max(0.0, high - height) for height, (_, high) in zip(heights, ends, strict=True)],
        ]
        axes.bar(places, heights, wide * 0.92, color=_colour(name, kinds), label=name, zorder=2)
        axes.errorbar(places, heights, yerr=reach, fmt="none", ecolor=_INK, elinewidth=1, capsize=2, zorder=3)
        for place, height, (_, high) in zip(places, heights, ends, strict=True):
            axes.annotate(
                f"{height:.0%}",
                (place, max(height, high)),
                (0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )
    counts = [next(iter(figures.values()))["n"] for figures in groups.values()]
    axes.set_xticks(
        range(len(groups)), [f"{name}\n{n} questions" for name, n in zip(groups, counts, strict=True)]
    )
    axes.set_ylim(0, 1.06)
    axes.set_xlim(-0.5, len(groups) - 0.5)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.tick_params(length=0, labelcolor=_INK)
    axes.grid(axis="y", color=_FAINT, zorder=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.legend(
        loc="lower left", bbox_to_anchor=(0, 1.02), ncols=len(names), frameon=False, borderaxespad=0.2
    )


def _colour(name: str, kinds: Mapping[str, str]) -> tuple[float, float, float]:
    """A hue for the kind of memory, lighter for each further arm of the kind."""
    same = [other for other in kinds if kinds[other] == kinds[name]]
    red, green, blue = matplotlib.colors.to_rgb(_COLOURS[kinds[name]])
    lighter = 0.45 * same.index(name) / max(1, len(same) - 1) if len(same) > 1 else 0.0
    return red + (1 - red) * lighter, green + (1 - green) * lighter, blue + (1 - blue) * lighter


def _kind(name: str) -> str:
    """What a name alone tells."""
    if name in ("base", "base+given"):
        return "given" if "+" in name else "base"
    if name in ("rag", "base+rag"):
        return "documents"
    return "both" if name.endswith("+rag") else "checkpoint"


def _known_fonts() -> list[str]:
    known = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in _FONTS if name in known]
