"""The curves of runs of PPO or GRPO side by side: python -m benchmarks.preference_picture OUT.png TITLE=JOB_FOLDER ...

A column a run, read from its job's events: the reward, and beside it what tells a hacked reward (KL, length,
repetition, how many answers differ and how many come to an end). A run that the watch has ended is marked where.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes

_ROWS = (
    ("reward", ("reward",)),
    ("KL, nats a token", ("kl",)),
    ("tokens an answer", ("length",)),
    ("share of the answers", ("distinct", "ended", "repetition")),
)
_NAMES = {"distinct": "differ", "ended": "come to an end", "repetition": "repeated within"}
_COLOURS = {
    "reward": "#2563eb", "kl": "#db2777", "length": "#6b7280", "distinct": "#059669", "ended": "#d97706",
    "repetition": "#dc2626",
}  # fmt: skip


def steps_of(folder: Path) -> list[dict[str, Any]]:
    """What each step measured, in order."""
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    events = (json.loads(line) for line in lines)
    return [event for event in events if event.get("kind") == "step" and "reward" in event]


def reason_of(folder: Path) -> str:
    """Why the run was ended early; empty where it was not."""
    path = folder / "result.json"
    result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return str(result.get("metrics", result).get("reason") or "")


def draw(runs: list[tuple[str, Path]], path: Path) -> None:
    """One file for all runs."""
    figure, axes = pyplot.subplots(
        len(_ROWS), len(runs), figsize=(5.2 * len(runs), 9), squeeze=False, sharex="col", sharey="row"
    )
    for column, (title, folder) in enumerate(runs):
        steps, reason = steps_of(folder), reason_of(folder)
        axes[0][column].set_title(title, fontsize=12)
        for row, (label, names) in enumerate(_ROWS):
            axis = axes[row][column]
            _lines(axis, steps, names)
            if column == 0:
                axis.set_ylabel(label)
            if reason:
                axis.axvline(steps[-1]["step"], color="#dc2626", linestyle="--", linewidth=1)
        axes[-1][column].set_xlabel("step")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _lines(axis: Axes, steps: list[dict[str, Any]], names: tuple[str, ...]) -> None:
    for name in names:
        axis.plot(
            [one["step"] for one in steps],
            [one[name] for one in steps],
            color=_COLOURS[name],
            label=_NAMES.get(name),
        )
    if len(names) > 1:
        axis.legend(fontsize=8, frameon=False, loc="center left")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(axis="y", color="#e5e7eb", linewidth=0.8)


def main() -> None:
    """Draw what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path)
    parser.add_argument("runs", nargs="+", metavar="TITLE=JOB_FOLDER")
    options = parser.parse_args()
    draw(
        [(title, Path(folder)) for title, folder in (one.split("=", 1) for one in options.runs)],
        options.output,
    )


if __name__ == "__main__":
    main()
