"""What the runs of `benchmarks.memory` found: shares with intervals, and the table."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assistant.compare.stats import Interval, bootstrap_mean

KINDS = (
    "training", "rephrased", "weights and notes", "reversed", "reversed, with notes", "sentence in hand",
    "untaught, quoted", "general, quoted",
    "rephrased, refused", "rephrased, refused though known", "reversed, refused",
    "untaught, refused", "general, refused",
    "documents", "both", "untaught documents", "untaught both",
)  # fmt: skip


def share(cells: Sequence[dict[str, Any]], kind: str) -> tuple[float, Interval, int]:
    """The share of right answers of one kind, its interval by fact, and how many were asked."""
    rows = [
        (float(row["correct"]), (cell["domain"], row["fact"]))
        for cell in cells
        for row in cell["rows"]
        if row["kind"] == kind
    ]
    values = [value for value, _ in rows]
    mean = sum(values) / len(values) if values else float("nan")
    return mean, bootstrap_mean(values, [cluster for _, cluster in rows]), len(values)


def retained(cells: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """General questions: right before, right after, and the kept share of what was right before."""
    rows = [row for cell in cells for row in cell["rows"] if row["kind"] == "general"]
    before = [row for row in rows if row["before"]]
    return (
        len(before) / max(1, len(rows)),
        sum(row["correct"] for row in rows) / max(1, len(rows)),
        sum(row["correct"] for row in before) / max(1, len(before)),
    )


def read_cells(results: Path) -> list[dict[str, Any]]:
    """Every finished run."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))]


def groups(cells: Sequence[dict[str, Any]]) -> Iterator[tuple[tuple[int, str], list[dict[str, Any]]]]:
    """Runs of one size and recipe together."""
    for key in sorted({(cell["facts"], cell["recipe"]) for cell in cells}):
        yield key, [cell for cell in cells if (cell["facts"], cell["recipe"]) == key]


def _mean(runs: Sequence[dict[str, Any]], key: str) -> float:
    return float(sum(run[key] for run in runs)) / len(runs)


def table(runs: Sequence[dict[str, Any]]) -> str:
    """The runs as Markdown."""
    heads = ["facts", "recipe", "runs", *KINDS, "general before → after", "kept", "KL", "seconds"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for (facts, recipe), chosen in groups(runs):
        before, after, kept = retained(chosen)
        cells = [str(facts), recipe, str(len(chosen)), *(_figure(chosen, kind) for kind in KINDS)]
        cells += [f"{before:.3f} → {after:.3f}", f"{kept:.3f}"]
        cells += [f"{_mean(chosen, 'divergence'):.3f}", f"{_mean(chosen, 'seconds'):.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _figure(cells: Sequence[dict[str, Any]], kind: str) -> str:
    mean, interval, count = share(cells, kind)
    if not count:
        return "–"
    shown = f"{mean:.3f}"
    return f"{shown} [{interval.low:.2f}, {interval.high:.2f}]" if kind == "rephrased" else shown
