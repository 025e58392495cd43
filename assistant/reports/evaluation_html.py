"""The report of an evaluation as one self-contained HTML page, with the methods behind its figures."""

import io
import time
from collections.abc import Iterable, Mapping, Sequence

from matplotlib.figure import Figure

from assistant.compare.costs import Cost
from assistant.compare.judge import JudgeSummary
from assistant.compare.results import EvaluationResult, FiguresByVariant, PairComparison, QuestionResult
from assistant.reports.html_page import (
    MAX_ROWS,
    head_to_head_table,
    interval,
    page,
    ranking_table,
    share,
    table,
    text,
)
from assistant.reports.verdict_text import break_even_sentence, caution, p_text, verdicts

_NOTES = (
    "An answer is right when it contains one of the expected answers after normalisation: lower case, no "
    "punctuation, no articles, whole words; in Chinese without white space and punctuation. Exact match "
    "and F1 are those of SQuAD (characters in Chinese). For an unanswerable question only a refusal is right; "
    "a refusal is recognised by its wording.",
    "Supported: of the answers that had passages and claimed something, the share whose every sentence a "
    "passage supports, by its content words and all of its numbers.",
    "Each question is asked by itself. A variant without sampling of its own answers greedily: asked again, it "
    "gives the same answer.",
    "Intervals are 95 % percentile bootstrap intervals (expanded for few clusters) that resample whole "
    "documents, or facts where there are fewer than six documents, because questions about one text are not "
    "independent; where every cluster agrees, Wilson's interval over clusters.",
    "Two variants are compared on the same questions, twice: by McNemar's exact test, as if all questions were "
    "independent, and by a randomisation test that flips the sign of whole clusters. Rely on the second. Both "
    "are adjusted for the number of pairs by Holm's method. A p-value says how surprising the difference would "
    "be if there were none.",
    "Questions needed: how many independent questions show a difference of 10 points with 80 % power, at the "
    "rate at which these two variants disagree (Connor 1987).",
)


def render(result: EvaluationResult, figure: Figure, title: str) -> str:
    """The whole page; it loads nothing and runs no script."""
    names = list(result.variants)
    parts = [
        f"<p class=note>{len(result.rows):,} questions, {len(names)} variants, {_now()}</p>",
        _verdicts(result),
        f"<figure class=wide>{_svg(figure)}</figure>",
        "<h2>The variants</h2>",
        _figures_table(result.variants),
    ]
    if len(result.slices) > 1:
        parts += ["<h2>By kind of question</h2>", _slices_table(result.slices, names)]
    if result.pairs:
        parts += ["<h2>Pairwise</h2>", _pairs_table(result.pairs)]
    if result.costs:
        parts += ["<h2>What one answer costs</h2>", _costs_table(result.costs)]
        parts += [f"<p>{text(break_even_sentence(one))}</p>" for one in result.break_even]
    if result.judge is not None:
        parts += ["<h2>What a model judges</h2>", _judge(result.judge)]
    parts += [
        "<h2>Every answer</h2>",
        _answers_table(result.rows, names),
        "<h2>How this was counted</h2>",
        *(f"<p>{text(note)}</p>" for note in _NOTES),
    ]
    return page(title, parts)


def _verdicts(result: EvaluationResult) -> str:
    lines = "".join(f"<li>{text(sentence)}</li>" for sentence in verdicts(result.pairs))
    limits = caution(result)
    return f"<ul>{lines}</ul>" + (f"<p class=note>{text(limits)}</p>" if limits else "")


def _figures_table(variants: FiguresByVariant) -> str:
    rows = [
        [
            name,
            share(one.accuracy),
            interval(one.confidence_interval),
            f"{one.f1:.2f}",
            f"{one.exact_match:.2f}",
            share(one.grounded),
            share(one.refused_unknown),
            share(one.refused_known),
            f"{one.tokens_per_prompt:.0f}",
        ]
        for name, one in variants.items()
    ]
    headings = ["variant", "right", "95 % interval", "F1", "exact match", "supported"]
    headings += ["refused, unknown", "refused, known", "tokens a prompt"]
    return table(headings, rows)


def _slices_table(slices: Mapping[str, FiguresByVariant], names: Sequence[str]) -> str:
    rows = [
        [label, *(f"{figures[name].correct} of {figures[name].n}" for name in names)]
        for label, figures in slices.items()
    ]
    return table(["questions", *names], rows)


def _pairs_table(pairs: Iterable[PairComparison]) -> str:
    rows = [
        [
            f"{pair.first} − {pair.second}",
            f"{pair.test.difference:+.1%}",
            f"{pair.test.interval.low:+.1%} to {pair.test.interval.high:+.1%}",
            str(pair.test.only_first),
            str(pair.test.only_second),
            p_text(pair.p_value_holm),
            p_text(pair.p_value_clustered_holm),
            "–" if (needed := pair.questions_needed()) is None else f"{needed:,}",
        ]
        for pair in pairs
    ]
    headings = ["difference of", "right", "95 % interval", "only the first", "only the second"]
    headings += ["p by question", "p by cluster", "questions needed"]
    return table(headings, rows)


def _costs_table(costs: Sequence[Cost]) -> str:
    rows = [
        [
            one.variant,
            f"{one.prompt_tokens:.0f}",
            f"{one.completion_tokens:.0f}",
            f"{one.seconds_to_first_token:.2f}",
            f"{one.seconds:.2f}",
        ]
        for one in costs
    ]
    headings = ["variant", "prompt tokens", "answer tokens", "seconds to first token", "seconds"]
    note = f"<p class=note>Medians of {costs[0].n} questions, each asked alone.</p>"
    return table(headings, rows) + note


def _judge(judged: JudgeSummary) -> str:
    note = (
        f"{judged.choice.model}: {judged.verdicts:,} verdicts, each asked in both orders; {judged.flipped:,} "
        f"changed with the order, and {judged.unclear:,} replies held no verdict: these count as ties."
    )
    tables = head_to_head_table(judged.tally.pairs) + ranking_table(judged.tally.ranking)
    return f"<p class=note>{text(note)}</p>{tables}"


def _answers_table(rows: Sequence[QuestionResult], names: Sequence[str]) -> str:
    head = "".join(f"<th>{text(name)}</th>" for name in ("question", "expected", *names))
    shown = rows[:MAX_ROWS]
    lines = "".join(f"<tr>{_cells(row, names)}</tr>" for row in shown)
    body = f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    left = len(rows) - len(shown)
    more = f"<p class=note>{left:,} more are in the CSV and JSON files.</p>" if left else ""
    summary = f"{len(shown):,} questions with every variant's answer"
    return f"<details><summary>{summary}</summary>{body}</details>{more}"


def _cells(row: QuestionResult, names: Sequence[str]) -> str:
    expected = "unanswerable" if row.question.is_unknown else row.question.answers[0]
    cells = [text(row.question.text), text(expected)]
    for name in names:
        answer = row.answers[name]
        css, mark = ("right", "✓") if answer.correct else ("wrong", "✗")
        cells.append(f"<span class={css}>{mark}</span> {text(answer.text)}")
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _svg(figure: Figure) -> str:
    """The chart as SVG with its letters as shapes, so that the reader needs no font."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()[text.getvalue().index("<svg") :]


def _now() -> str:
    return time.strftime("%Y-%m-%d %H:%M")
