"""The runs of `memory` as a picture: what is known by which recipe, against facts and against seconds.

python -m benchmarks.memory_picture RESULTS_FOLDER docs/memory.png
python -m benchmarks.memory_picture RESULTS_FOLDER docs/memory-notes.png --notes    # what notes add to the weights
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes

from benchmarks.memory_table import groups, read_cells, retained, share

_SHOWN = {
    "training": "as taught",
    "rephrased": "in other\nwords",
    "weights and notes": "in other words,\nwith lessons",
    "reversed": "from the\nother end",
    "reversed, with notes": "from the other\nend, with lessons",
    "untaught, refused": "not taught:\nwithheld",
    "untaught documents": "not taught,\ndocuments",
    "untaught both": "not taught,\nboth",
    "kept": "general,\nkept",
}
_COLOURS = {"lora": "#2563eb", "p-tuning-v2": "#db2777", "tutorial": "#9ca3af", "retrieval": "#059669"}
_FACTS = 20
_SECONDS = (30, 100, 300, 1000, 3000)


def draw(cells: Sequence[dict[str, Any]], path: Path) -> None:
    """Kinds of questions at 20 facts; where there are other numbers of facts, also against facts and seconds."""
    if len({cell["facts"] for cell in cells}) > 1:
        figure, axes = pyplot.subplots(1, 3, figsize=(16, 4.6), gridspec_kw={"width_ratios": [2, 1, 1]})
        _against_facts(axes[1], cells)
        _against_seconds(axes[2], cells)
    else:
        figure, axes = pyplot.subplots(1, 1, figsize=(11, 4.6), squeeze=False)
        axes = axes[0]
    _kinds(axes[0], [cell for cell in cells if cell["facts"] == _FACTS])
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", color="#e5e7eb", linewidth=0.8)
        axis.set_axisbelow(True)
        axis.set_ylim(0, 1.03)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


_WITH_NOTES = {"rephrased": "weights and notes", "reversed": "reversed, with notes"}


def draw_notes(cells: Sequence[dict[str, Any]], path: Path) -> None:
    """For each domain: what the weights answer alone, and with the lessons that are quoted beside them."""
    domains = sorted({str(cell["domain"]) for cell in cells})
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 4.2))
    for axis, (alone, together) in zip(axes, _WITH_NOTES.items(), strict=True):
        for place, name in enumerate(domains):
            some = [cell for cell in cells if cell["domain"] == name]
            for shift, kind, colour in ((-0.2, alone, "#2563eb"), (0.2, together, "#059669")):
                mean, interval, _ = share(some, kind)
                label = ("the weights alone", "with lessons and notes")[shift > 0] if not place else None
                axis.bar(place + shift, mean, 0.36, color=colour, label=label)
                axis.plot([place + shift] * 2, [interval.low, interval.high], color="#111827", linewidth=1)
                axis.text(place + shift, 0.03, f"{mean:.2f}", ha="center", color="white", fontsize=9)
        axis.set_xticks(range(len(domains)), domains, fontsize=9)
        axis.set_title(_SHOWN[alone].replace("\n", " "), fontsize=10, loc="left")
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_ylim(0, 1.03)
    axes[0].legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(0, -0.08), ncols=2)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _kinds(axis: Axes, cells: Sequence[dict[str, Any]]) -> None:
    by_recipe = {recipe: runs for (_, recipe), runs in groups(cells) if recipe in _COLOURS}
    width = 0.8 / max(1, len(by_recipe))
    shown = [kind for kind in _SHOWN if kind == "kept" or share(cells, kind)[2]]
    for place, (recipe, runs) in enumerate(by_recipe.items()):
        for column, kind in enumerate(shown):
            where = column + (place - (len(by_recipe) - 1) / 2) * width
            label = recipe if column == 0 else None
            if kind == "kept":
                axis.bar(where, retained(runs)[2], width * 0.9, color=_COLOURS[recipe], label=label)
                continue
            mean, interval, count = share(runs, kind)
            if count:
                axis.bar(where, mean, width * 0.9, color=_COLOURS[recipe], label=label)
                axis.plot([where, where], [interval.low, interval.high], color="#111827", linewidth=1)
    ceiling, _, asked = share(cells, "sentence in hand")
    if asked:
        axis.plot([0.55, 1.45], [ceiling, ceiling], "--", color="#111827", linewidth=1.2)
        axis.text(1.0, ceiling + 0.015, "base, sentence in hand", fontsize=8, ha="center")
    axis.set_xticks(range(len(shown)), [_SHOWN[kind] for kind in shown], fontsize=9)
    axis.set_title(f"{_FACTS} facts: right answers, 95 % intervals by fact", fontsize=10, loc="left")
    axis.legend(frameon=False, fontsize=9, loc="upper left", bbox_to_anchor=(0, -0.14), ncols=3)


def _against_facts(axis: Axes, cells: Sequence[dict[str, Any]]) -> None:
    for recipe, colour in _COLOURS.items():
        kind = "documents" if recipe == "retrieval" else "rephrased"
        some = [cell for cell in cells if cell["recipe"] == ("lora" if recipe == "retrieval" else recipe)]
        points = [(facts, share(runs, kind)) for (facts, _), runs in groups(some)]
        points = [(facts, one) for facts, one in points if one[2]]
        if not points:
            continue
        sizes = [facts for facts, _ in points]
        axis.plot(sizes, [mean for _, (mean, _, _) in points], "o-", color=colour, label=recipe)
        axis.fill_between(
            sizes,
            [interval.low for _, (_, interval, _) in points],
            [interval.high for _, (_, interval, _) in points],
            color=colour,
            alpha=0.12,
            linewidth=0,
        )
    axis.set_xscale("log")
    sizes = sorted({cell["facts"] for cell in cells})
    axis.set_xticks(sizes, [str(size) for size in sizes])
    axis.minorticks_off()
    axis.set_xlabel("facts taught")
    axis.set_title("In other words, against facts", fontsize=10, loc="left")
    axis.legend(frameon=False, fontsize=9)


def _against_seconds(axis: Axes, cells: Sequence[dict[str, Any]]) -> None:
    for recipe, colour in _COLOURS.items():
        some = [cell for cell in cells if cell["recipe"] == recipe]
        seconds = [cell["seconds"] for cell in some]
        axis.scatter(seconds, [share([cell], "rephrased")[0] for cell in some], s=26, color=colour)
        axis.scatter(
            seconds, [retained([cell])[2] for cell in some], s=26, facecolors="none", edgecolors=colour
        )
    axis.set_xscale("log")
    axis.set_xticks(_SECONDS, [f"{one:,}" for one in _SECONDS])
    axis.minorticks_off()
    axis.set_xlabel("seconds of training")
    axis.set_title("Each run: filled in other words, hollow general, kept", fontsize=10, loc="left")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read a folder of results and draw it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--notes", action="store_true", help="what notes add to the weights")
    options = parser.parse_args(arguments)
    cells = read_cells(options.results)
    if not cells:
        raise SystemExit(f"No runs are in {options.results}: run `python -m benchmarks.memory` first.")
    (draw_notes if options.notes else draw)(cells, options.picture)


if __name__ == "__main__":
    main()
