"""The accuracies of an evaluation as a chart: bars with intervals, over all questions and each slice."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import matplotlib
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from assistant.compare.results import EvaluationResult, FiguresByVariant
from assistant.reports.palette import KIND_COLOURS
from assistant.storage import write_whole

_INK, _FAINT = "#23262b", "#e3e0d7"
_FONTS = ("DejaVu Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei", "SimHei")


def draw(result: EvaluationResult, title: str) -> Figure:
    """A figure of the accuracies of all variants."""
    groups = {"all": result.variants, **(result.slices if len(result.slices) > 1 else {})}
    kinds = {name: result.definitions[name].kind for name in result.variants}
    width = max(6.4, 1.6 + 0.42 * len(kinds) * len(groups) + 0.5 * len(groups))
    with matplotlib.rc_context(
        {
            "font.family": _known_fonts(),
            "text.color": _INK,
            "axes.labelcolor": _INK,
            "text.parse_math": False,  # a name with $ is no formula
        }
    ):
        figure = Figure(figsize=(width, 4.4), dpi=150, layout="constrained")
        axes = figure.add_subplot()
        _draw_bars(axes, kinds, groups)
        _style(axes, groups, columns=len(kinds))
        axes.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=34)
        figure.canvas.draw()  # with these fonts, while they are set
    return figure


def save(figure: Figure, path: Path) -> Path:
    """Write a PNG atomically: the file appears whole or not at all."""
    png = BytesIO()
    figure.savefig(png, format="png", facecolor="white")
    return write_whole(path, png.getvalue())


def _draw_bars(axes: Axes, kinds: Mapping[str, str], groups: Mapping[str, FiguresByVariant]) -> None:
    names = list(kinds)
    width = min(0.8 / len(names), 0.22)
    for number, name in enumerate(names):
        places = [group + (number - (len(names) - 1) / 2) * width for group in range(len(groups))]
        figures = [group[name] for group in groups.values()]
        heights = [one.accuracy for one in figures]
        reach = [
            [max(0.0, one.accuracy - one.confidence_interval.low) for one in figures],
            [max(0.0, one.confidence_interval.high - one.accuracy) for one in figures],
        ]
        axes.bar(places, heights, width * 0.92, color=_colour(name, kinds), label=_label(name), zorder=2)
        axes.errorbar(places, heights, yerr=reach, fmt="none", ecolor=_INK, elinewidth=1, capsize=2, zorder=3)
        for place, one in zip(places, figures, strict=True):
            axes.annotate(
                f"{one.accuracy:.0%}",
                (place, max(one.accuracy, one.confidence_interval.high)),
                (0, 3),
                textcoords="offset points",
                ha="center",
                fontsize=8,
            )


def _style(axes: Axes, groups: Mapping[str, FiguresByVariant], *, columns: int) -> None:
    labels = [f"{name}\n{next(iter(group.values())).n} questions" for name, group in groups.items()]
    axes.set_xticks(range(len(groups)), labels)
    axes.set_ylim(0, 1.06)
    axes.set_xlim(-0.5, len(groups) - 0.5)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])
    axes.tick_params(length=0, labelcolor=_INK)
    axes.grid(axis="y", color=_FAINT, zorder=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.02), ncols=columns, frameon=False, borderaxespad=0.2)


def _label(name: str) -> str:
    """A name as the legend shows it, which would leave out one that begins with an underscore."""
    return f" {name}" if name.startswith("_") else name


def _colour(name: str, kinds: Mapping[str, str]) -> tuple[float, float, float]:
    """The colour of the variant's kind, lighter for each further variant of that kind."""
    same = [other for other in kinds if kinds[other] == kinds[name]]
    red, green, blue = matplotlib.colors.to_rgb(KIND_COLOURS[kinds[name]])
    lighter = 0.45 * same.index(name) / max(1, len(same) - 1) if len(same) > 1 else 0.0
    return red + (1 - red) * lighter, green + (1 - green) * lighter, blue + (1 - blue) * lighter


def _known_fonts() -> list[str]:
    known = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in _FONTS if name in known]
