"""A comparison as one HTML file that needs nothing else: figures, tests, every answer, how it was counted."""

import html
import io
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2933; --faint: #d9dee4; --paper: #fff;
  --good: #2f8f4e; --bad: #c2452d }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --faint: #3a444e; --paper: #14191e } }
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; color: var(--ink); background: var(--paper);
  max-width: 1080px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .35rem .6rem;
  border-bottom: 1px solid var(--faint); vertical-align: top } td.n, th.n { text-align: right;
  font-variant-numeric: tabular-nums } .right { color: var(--good) } .wrong { color: var(--bad) }
figure { margin: 1rem 0; background: #fff; border-radius: 8px; overflow-x: auto }
figure svg { max-width: 100%; height: auto }
.wide { overflow-x: auto } .note { opacity: .75 } details { margin: .5rem 0 } summary { cursor: pointer }
"""
_NOTES = (
    "An answer is right when it contains one of the expected answers after normalisation: lower case, no "
    "punctuation, no articles, whole words; in Chinese without white space and punctuation. Exact match "
    "and F1 are those of SQuAD (characters in Chinese).",
    "Each question is asked by itself, and every arm answers it greedily: asked again, it says the same.",
    "Intervals are 95 % percentile bootstrap intervals that resample whole facts, because questions about "
    "one fact are not independent; where every fact agrees, Wilson's interval over facts.",
    "Two arms are compared on the same questions by McNemar's exact test; p-values are adjusted for the "
    "number of pairs by Holm's method. A p-value says how surprising the difference would be if there were "
    "none.",
)


def write_report(result: dict[str, Any], figure: Figure, title: str, path: Path) -> Path:
    """Write the report of a comparison (`Comparison.to_dict`) so that it appears whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(render(result, figure, title), encoding="utf-8")
    partial.replace(path)
    return path


def render(result: dict[str, Any], figure: Figure, title: str) -> str:
    """The whole page; nothing in it is fetched and nothing from outside is run."""
    arms = list(result["arms"])
    parts = [
        f"<h1>{_text(title)}</h1>",
        f"<p class=note>{len(result['rows'])} questions, {len(arms)} arms, {_when()}</p>",
        f"<figure>{_svg(figure)}</figure>",
        "<h2>The arms</h2>",
        _figures(result["arms"]),
    ]
    if len(result["slices"]) > 1:
        parts += ["<h2>By kind of question</h2>", _slices(result["slices"], arms)]
    if result["pairs"]:
        parts += ["<h2>Two by two</h2>", _pairs(result["pairs"])]
    parts += [
        "<h2>Every answer</h2>",
        _answers(result["rows"], arms),
        "<h2>How this was counted</h2>",
        *(f"<p>{_text(note)}</p>" for note in _NOTES),
    ]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{_text(title)}'
    style = f"</title><style>{_STYLE}</style>"
    return f"<!doctype html><html><head>{head}{style}</head><body>{''.join(parts)}</body></html>\n"


def _figures(arms: dict[str, dict[str, Any]]) -> str:
    rows = [
        [
            name,
            _share(one["accuracy"]),
            f"{_share(one['confidence_interval'][0])} – {_share(one['confidence_interval'][1])}",
            f"{one['f1']:.2f}",
            f"{one['exact_match']:.2f}",
            f"{one['tokens_per_prompt']:.0f}",
            f"{one['seconds']:.1f}",
        ]
        for name, one in arms.items()
    ]
    return _table(["arm", "right", "95 % interval", "F1", "exact match", "tokens a prompt", "seconds"], rows)


def _slices(slices: dict[str, dict[str, dict[str, Any]]], arms: Sequence[str]) -> str:
    rows = [
        [name, *(f"{figures[arm]['correct']} of {figures[arm]['n']}" for arm in arms)]
        for name, figures in slices.items()
    ]
    return _table(["questions", *arms], rows)


def _pairs(pairs: Iterable[dict[str, Any]]) -> str:
    rows = [
        [
            " − ".join(pair["arms"]),
            f"{pair['difference']:+.1%}",
            f"{pair['confidence_interval'][0]:+.1%} to {pair['confidence_interval'][1]:+.1%}",
            str(pair["only_first"]),
            str(pair["only_second"]),
            f"{pair['p_value']:.3g}",
            f"{pair['p_value_holm']:.3g}",
        ]
        for pair in pairs
    ]
    headings = [
        "difference of",
        "right",
        "95 % interval",
        "only the first",
        "only the second",
        "p",
        "p (Holm)",
    ]
    return _table(headings, rows)


def _answers(rows: Iterable[dict[str, Any]], arms: Sequence[str]) -> str:
    head = "".join(f"<th>{_text(name)}</th>" for name in ("question", "expected", *arms))
    lines = []
    for row in rows:
        cells = [f"<td>{_text(row['question'])}</td>", f"<td>{_text(row['expected'][0])}</td>"]
        for arm in arms:
            kind, mark = ("right", "✓") if row["correct"][arm] else ("wrong", "✗")
            cells.append(f"<td><span class={kind}>{mark}</span> {_text(row['answers'][arm])}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    table = (
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )
    return f"<details><summary>{len(lines)} questions with every arm's answer</summary>{table}</details>"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are numbers."""
    body = "".join(_line(row, "td") for row in rows)
    return f"<div class=wide><table><thead>{_line(headings, 'th')}</thead><tbody>{body}</tbody></table></div>"


def _line(cells: Sequence[str], tag: str) -> str:
    first, *numbers = cells
    others = "".join(f"<{tag} class=n>{_text(number)}</{tag}>" for number in numbers)
    return f"<tr><{tag}>{_text(first)}</{tag}>{others}</tr>"


def _svg(figure: Figure) -> str:
    """The picture as SVG with its letters as shapes: no font is needed where it is read."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _share(value: float) -> str:
    return f"{value:.1%}"


def _when() -> str:
    return time.strftime("%Y-%m-%d %H:%M")


def _text(value: object) -> str:
    return html.escape(str(value))
