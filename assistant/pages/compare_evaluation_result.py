"""The result of an evaluation: accuracy with intervals, tests, costs, every answer, files to download."""

import json
from collections.abc import Mapping, Sequence

import streamlit as st

from assistant.compare.results import EvaluationResult, FiguresByVariant, PairComparison, QuestionResult
from assistant.compare.variants import Variant
from assistant.components import formatting, html_blocks
from assistant.components.interval_charts import draw_bars
from assistant.components.variant_picker import label
from assistant.i18n.texts import t, translated
from assistant.reports.chart import draw
from assistant.reports.evaluation_files import answers_csv
from assistant.reports.evaluation_html import render
from assistant.reports.verdict_text import break_even_sentence, caution, headline, p_text, verdicts

ON_A_PAGE = 50
DIFFERENCES = (2, 5, 10, 15, 20, 30)  # in points
FILTERS = ("all", "differ", "wrong")
# Columns of the tables: the keys of their headings
ACCURACY = ("arm", "right", "interval", "f1", "exact", "supported", "refused", "refused_known", "tokens")
PAIRS = ("arm", "difference", "interval", "only", "p", "p_clustered", "needed")
COSTS = ("arm", "tokens", "written", "first", "seconds")
FIGURES = frozenset({*ACCURACY, *PAIRS, *COSTS})
NONE = "–"  # a figure that does not exist; a column of these is left out


def draw_result(name: str, result: EvaluationResult) -> None:
    """The result of an evaluation."""
    data, result = result, worded(result)
    st.subheader(formatting.escape_markdown(name), anchor=False)
    worthwhile = st.session_state.get("worthwhile", 10) / 100
    st.html(f'<div class="card verdict">{html_blocks.escaped(headline(result))}</div>')
    if careful := caution(result):
        html_blocks.quiet(careful)
    slices = list(result.slices)
    chosen = t("evaluation.all")
    if len(slices) > 1:
        chosen = str(
            st.segmented_control(
                t("evaluation.slice"),
                [chosen, *slices],
                default=chosen,
                required=True,
                key="shown-slice",
                format_func=lambda name: formatting.escape_markdown(translated(name)),
            )
        )
    figures = result.slices.get(chosen, result.variants)
    pairs = result.slice_pairs.get(chosen, result.pairs)
    _draw_bars(figures, result.definitions)
    st.html(_figures(figures))
    if pairs:
        st.markdown(f"**{t('evaluation.pairs')}**", help=t("evaluation.pairs.help"))
        said = verdicts(result.pairs, worthwhile)
        st.markdown("\n".join(f"- {formatting.escape_markdown(sentence)}" for sentence in said))
        st.html(_pairs(pairs, worthwhile))
        st.select_slider(
            t("evaluation.worthwhile"),
            DIFFERENCES,
            value=10,
            key="worthwhile",
            help=t("evaluation.worthwhile.help"),
            width=320,
        )
    _draw_costs(result)
    _draw_judge(result)
    _draw_answers(result)
    _draw_files(name, result, data)


def worded(result: EvaluationResult) -> EvaluationResult:
    """The result with every variant called what the page calls it; questions and answers stay as they are."""
    known = {name: label(one) for name, one in result.definitions.items()}
    if len(set(known.values())) < len(known):  # a saved variant is named like one of the page's
        return result
    return result.renamed(known)


def _draw_bars(figures: FiguresByVariant, definitions: Mapping[str, Variant]) -> None:
    rows = [
        {
            "name": name,
            "kind": definitions[name].kind,
            "value": one.accuracy,
            "low": one.confidence_interval.low,
            "high": one.confidence_interval.high,
            "label": t("report.of", correct=one.correct, count=one.n),
        }
        for name, one in figures.items()
    ]
    draw_bars(rows, t("compare.accuracy"))


def _figures(figures: FiguresByVariant) -> str:
    rows = [
        [
            name,
            _share(one.accuracy),
            f"{_share(one.confidence_interval.low)} – {_share(one.confidence_interval.high)}",
            _number(one.f1, ".2f"),
            _number(one.exact_match, ".2f"),
            _share(one.grounded),
            _share(one.refused_unknown),
            _share(one.refused_known),
            _number(one.tokens_per_prompt, ".0f"),
        ]
        for name, one in figures.items()
    ]
    return _table(ACCURACY, rows)


def _pairs(pairs: Sequence[PairComparison], worthwhile: float) -> str:
    rows = [
        [
            f"{pair.first} − {pair.second}",
            f"{pair.test.difference:+.1%}",
            f"{pair.test.interval.low:+.1%} … {pair.test.interval.high:+.1%}",
            f"{pair.test.only_first} : {pair.test.only_second}",
            p_text(pair.p_value_holm),
            p_text(pair.p_value_clustered_holm),
            _number(pair.questions_needed(worthwhile), ",.0f"),
        ]
        for pair in pairs
    ]
    return _table(PAIRS, rows)


def _draw_costs(result: EvaluationResult) -> None:
    if not result.costs:
        return
    st.markdown(f"**{t('evaluation.costs.title')}**")
    rows = [
        [
            one.variant,
            _number(one.prompt_tokens, ".0f"),
            _number(one.completion_tokens, ".0f"),
            formatting.seconds(one.seconds_to_first_token),
            formatting.seconds(one.seconds),
        ]
        for one in result.costs
    ]
    st.html(_table(COSTS, rows))
    for even in result.break_even:
        html_blocks.quiet(break_even_sentence(even))


def _draw_judge(result: EvaluationResult) -> None:
    judged = result.judge
    if judged is None:
        return
    values = {name: f"{getattr(judged, name):,}" for name in ("verdicts", "flipped", "unclear")}
    html_blocks.quiet(t("evaluation.judged", model=judged.choice.model, **values))
    rows = [
        {
            "name": f"{pair.first} ⟷ {pair.second}",
            "kind": result.definitions[pair.first].kind,
            "value": pair.share,
            "low": pair.interval.low,
            "high": pair.interval.high,
            "label": f"{pair.first_wins} : {pair.second_wins}, {pair.ties} =",
        }
        for pair in judged.tally.pairs
    ]
    draw_bars(rows, t("blind.winrate"))


def _draw_answers(result: EvaluationResult) -> None:
    st.markdown(f"**{t('evaluation.answers.title')}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        wanted = st.segmented_control(
            t("evaluation.filter"),
            FILTERS,
            default="all",
            required=True,
            key="answers-filter",
            format_func=lambda choice: t(f"evaluation.filter.{choice}"),
            label_visibility="collapsed",
        )
        rows = [row for row in result.rows if _is_wanted(row, str(wanted))]
        pages = max(1, -(-len(rows) // ON_A_PAGE))
        page = 1
        if pages > 1:
            page = int(
                st.number_input(t("evaluation.page"), 1, pages, key=f"answers-page-{wanted}", width=120)
            )
    shown = rows[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    st.html(_rows_table(shown, list(result.variants)))
    html_blocks.quiet(t("sets.count", count=f"{len(rows):,}" if len(rows) != 1 else 1))


def _is_wanted(row: QuestionResult, wanted: str) -> bool:
    marks = {answer.correct for answer in row.answers.values()}
    return wanted == "all" or (len(marks) > 1 if wanted == "differ" else marks == {False})


def _rows_table(rows: Sequence[QuestionResult], names: Sequence[str]) -> str:
    head = "".join(f"<th>{html_blocks.escaped(name)}</th>" for name in (t("report.question"), *names))
    lines = []
    for row in rows:
        expected = html_blocks.escaped(" / ".join(row.question.answers)[:120] or t("sets.column.unknown"))
        cells = "".join(_cell(name, row.answers[name].text, row.answers[name].correct) for name in names)
        question = f'{html_blocks.escaped(row.question.text)}<br><span class="quiet">{expected}</span>'
        lines.append(f"<tr><td>{question}</td>{cells}</tr>")
    return f'<table class="facts"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _cell(name: str, text: str, correct: bool) -> str:
    sign = '<span class="tick">✓</span>' if correct else '<span class="cross">✗</span>'
    label, said = html_blocks.escaped(name), html_blocks.escaped(text[:180])
    return f'<td class="{"yes" if correct else "no"}" data-label="{label}">{sign} {said}</td>'


def _draw_files(name: str, result: EvaluationResult, data: EvaluationResult) -> None:
    files = (
        ("evaluation.report", lambda: render(result, draw(result, name), name), "report.html", "text/html"),
        ("evaluation.csv", lambda: answers_csv(data.rows), "answers.csv", "text/csv"),
        (
            "evaluation.json",
            lambda: json.dumps(data.to_dict(), ensure_ascii=False, indent=2),
            "evaluation.json",
            "application/json",
        ),
    )
    with st.container(horizontal=True):
        for text, make, file, kind in files:
            st.download_button(
                t(text), make, file, kind, icon=":material/download:", on_click="ignore", key=f"file-{file}"
            )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    shown = [place for place in range(len(heads)) if not place or {row[place] for row in rows} != {NONE}]
    labels = [t(f"figures.{heads[place]}") for place in shown]
    rows = [[row[place] for place in shown] for row in rows]
    head = "".join(f"<th>{html_blocks.escaped(label)}</th>" for label in labels)
    lines = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{html_blocks.escaped(label) if place else ""}">{html_blocks.escaped(cell)}</td>'
            for place, (label, cell) in enumerate(zip(labels, row, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    return f'<table class="facts figures"><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>'


def _share(value: float | None) -> str:
    return NONE if value is None or value != value else f"{value:.0%}"


def _number(value: float | None, form: str) -> str:
    return NONE if value is None or value != value else format(value, form)
