"""A comparison as one HTML file that needs nothing else, and how it was counted; its data as CSV and JSON."""

import csv
import io
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from assistant.compare.evaluations import plain
from assistant.i18n.texts import t
from assistant.reports.html_page import (
    MAX_ROWS,
    duels_table,
    page,
    ranking_table,
    share,
    table,
    text,
)
from assistant.reports.verdict_text import caution, p_text, verdicts
from assistant.storage import write_whole

_NOTES = (
    "An answer is right when it contains one of the expected answers after normalisation: lower case, no "
    "punctuation, no articles, whole words; in Chinese without white space and punctuation. Exact match "
    "and F1 are those of SQuAD (characters in Chinese). Where nobody can know the answer, only a refusal is "
    "right; a refusal is told by its words.",
    "Supported: of the answers that had passages and claimed something, the share whose every sentence a "
    "passage supports, by its telling words and all of its numbers.",
    "Each question is asked by itself. An arm without sampling of its own answers greedily: asked again, it "
    "says the same.",
    "Intervals are 95 % percentile bootstrap intervals (expanded for few clusters) that resample whole "
    "documents, or facts where there are fewer than six documents, because questions about one text are not "
    "independent; where every cluster agrees, Wilson's interval over clusters.",
    "Two arms are compared on the same questions, twice: by McNemar's exact test, as if every question stood "
    "alone, and by a randomisation test that turns the sign of whole clusters. The second is the one to "
    "believe. Both are adjusted for the number of pairs by Holm's method. A p-value says how surprising the "
    "difference would be if there were none.",
    "Questions needed: how many independent questions show a difference of 10 points with 80 % power, at the "
    "rate at which these two arms disagree (Connor 1987).",
)


def write_report(result: dict[str, Any], figure: Figure, title: str, path: Path) -> Path:
    """Write the report of a comparison (`Comparison.to_dict`) so that it appears whole."""
    return write_whole(path, render(result, figure, title))


def write_data(result: dict[str, Any], stem: Path) -> dict[str, Path]:
    """Write the data beside the report, `STEM.json` and `STEM.csv`."""
    text = json.dumps(plain(result), ensure_ascii=False, indent=2, allow_nan=False)
    return {
        "json": write_whole(stem.with_suffix(".json"), text),
        "csv": write_whole(stem.with_suffix(".csv"), to_csv(result["rows"])),
    }


def to_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """One line for each question and arm."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [
            "question",
            "expected",
            "slice",
            "document",
            "fact",
            "arm",
            "answer",
            "correct",
            "refused",
            "supported",
        ]
    )
    for row in rows:
        for arm, answer in row["answers"].items():
            known = [row.get(name) or "" for name in ("slice", "document", "fact")]
            supported = row.get("grounded", {}).get(arm)
            judged = [int(row["correct"][arm]), int(row.get("refused", {}).get(arm, False))]
            writer.writerow(
                [
                    row["question"],
                    " | ".join(row["expected"]),
                    *known,
                    arm,
                    _safe(answer),
                    *judged,
                    "" if supported is None else int(supported),
                ]
            )
    return text.getvalue()


def render(result: dict[str, Any], figure: Figure, title: str) -> str:
    """The whole page; nothing in it is fetched and nothing from outside is run."""
    arms = list(result["arms"])
    parts = [
        f"<p class=note>{len(result['rows']):,} questions, {len(arms)} arms, {_when()}</p>",
        _verdicts(result),
        f"<figure class=wide>{_svg(figure)}</figure>",
        "<h2>The arms</h2>",
        _figures(result["arms"]),
    ]
    if len(result["slices"]) > 1:
        parts += ["<h2>By kind of question</h2>", _slices(result["slices"], arms)]
    if result["pairs"]:
        parts += ["<h2>Two by two</h2>", _pairs(result["pairs"])]
    if result.get("costs"):
        parts += [
            "<h2>What one answer costs</h2>",
            _costs(result["costs"]),
            _break_even(result["break_even"]),
        ]
    if result.get("judge"):
        parts += ["<h2>What a model judges</h2>", _judge(result["judge"])]
    parts += [
        "<h2>Every answer</h2>",
        _answers(result["rows"], arms),
        "<h2>How this was counted</h2>",
        *(f"<p>{text(note)}</p>" for note in _NOTES),
    ]
    return page(title, parts)


def _verdicts(result: dict[str, Any]) -> str:
    said = verdicts(result["pairs"])
    careful = caution(result)
    lines = "".join(f"<li>{text(sentence)}</li>" for sentence in said)
    return f"<ul>{lines}</ul>" + (f"<p class=note>{text(careful)}</p>" if careful else "")


def _figures(arms: dict[str, dict[str, Any]]) -> str:
    rows = [
        [
            name,
            share(one["accuracy"]),
            f"{share(one['confidence_interval'][0])} – {share(one['confidence_interval'][1])}",
            _number(one["f1"], ".2f"),
            _number(one["exact_match"], ".2f"),
            share(one.get("grounded")),
            share(one.get("refused_unknown")),
            share(one.get("refused_known")),
            _number(one["tokens_per_prompt"], ".0f"),
        ]
        for name, one in arms.items()
    ]
    headings = ["arm", "right", "95 % interval", "F1", "exact match", "supported"]
    headings += ["refused, unknown", "refused, known", "tokens a prompt"]
    return table(headings, rows)


def _slices(slices: dict[str, dict[str, dict[str, Any]]], arms: Sequence[str]) -> str:
    rows = [
        [name, *(f"{figures[arm]['correct']} of {figures[arm]['n']}" for arm in arms)]
        for name, figures in slices.items()
    ]
    return table(["questions", *arms], rows)


def _pairs(pairs: Iterable[dict[str, Any]]) -> str:
    rows = [
        [
            " − ".join(pair["arms"]),
            f"{pair['difference']:+.1%}",
            f"{pair['confidence_interval'][0]:+.1%} to {pair['confidence_interval'][1]:+.1%}",
            str(pair["only_first"]),
            str(pair["only_second"]),
            p_text(pair["p_value_holm"]),
            p_text(pair["p_value_clustered_holm"]),
            "–" if pair["needed"] is None else f"{pair['needed']:,}",
        ]
        for pair in pairs
    ]
    headings = ["difference of", "right", "95 % interval", "only the first", "only the second"]
    headings += ["p by question", "p by cluster", "questions needed"]
    return table(headings, rows)


def _costs(costs: dict[str, dict[str, Any]]) -> str:
    rows = [
        [
            name,
            _number(one["prompt_tokens"], ".0f"),
            _number(one["completion_tokens"], ".0f"),
            _number(one["seconds_to_first_token"], ".2f"),
            _number(one["seconds"], ".2f"),
        ]
        for name, one in costs.items()
    ]
    count = next(iter(costs.values()))["n"] if costs else 0
    note = f"<p class=note>Medians of {count} questions, each asked alone.</p>"
    return table(["arm", "tokens read", "tokens written", "seconds to the first", "seconds"], rows) + note


def _break_even(evens: Iterable[dict[str, Any]]) -> str:
    return "".join(f"<p>{text(break_even_sentence(one))}</p>" for one in evens)


def break_even_sentence(one: Mapping[str, Any]) -> str:
    """When a checkpoint has paid for its training, in a sentence."""
    key = "cost.never" if one["questions"] is None else "cost.even"
    return t(
        key,
        name=one["checkpoint"],
        training=f"{one['training_seconds']:.0f}",
        tokens=f"{one['tokens_saved']:.0f}",
        written=f"{one['written_saved']:.0f}",
        seconds=f"{abs(one['seconds_saved']):.2f}",
        questions=f"{one['questions'] or 0:,}",
    )


def _judge(judged: dict[str, Any]) -> str:
    note = (
        f"{judged['model']}: {judged['verdicts']:,} verdicts, each asked in both orders; "
        f"{judged['flipped']:,} turned "
        f"with the order and {judged['unclear']:,} were none, which count as ties."
    )
    return f"<p class=note>{text(note)}</p>{duels_table(judged['duels'])}{ranking_table(judged['ranking'])}"


def _answers(rows: Sequence[dict[str, Any]], arms: Sequence[str]) -> str:
    head = "".join(f"<th>{text(name)}</th>" for name in ("question", "expected", *arms))
    lines = []
    for row in rows[:MAX_ROWS]:
        expected = row["expected"][0] if row["expected"] else "nobody can know"
        cells = [f"<td>{text(row['question'])}</td>", f"<td>{text(expected)}</td>"]
        for arm in arms:
            kind, mark = ("right", "✓") if row["correct"][arm] else ("wrong", "✗")
            cells.append(f"<td><span class={kind}>{mark}</span> {text(row['answers'][arm])}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    body = (
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )
    left = len(rows) - len(lines)
    more = f"<p class=note>{left:,} more are in the CSV and JSON files.</p>" if left else ""
    return (
        f"<details><summary>{len(lines):,} questions with every arm's answer</summary>{body}</details>{more}"
    )


def _svg(figure: Figure) -> str:
    """The picture as SVG with its letters as shapes: no font is needed where it is read."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _number(value: float | None, form: str) -> str:
    return "–" if value is None or value != value else format(value, form)


def _safe(text: str) -> str:
    """An answer that a spreadsheet shows and does not compute."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _when() -> str:
    return time.strftime("%Y-%m-%d %H:%M")
