"""The result of an evaluation: accuracy with intervals, tests, costs, every answer, files to download."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from assistant.compare.variants import Variant
from assistant.components import formatting, html_blocks
from assistant.components.interval_charts import draw_bars
from assistant.components.variant_picker import label
from assistant.i18n.texts import t
from assistant.reports.chart import draw as picture
from assistant.reports.evaluation_html import break_even_sentence, render, to_csv
from assistant.reports.verdict_text import caution, needed_for, p_text, verdicts

ON_A_PAGE = 50
DIFFERENCES = (2, 5, 10, 15, 20, 30)  # in points
FILTERS = ("all", "differ", "wrong")
# Columns of the tables: the keys of their headings
ACCURACY = ("arm", "right", "interval", "f1", "exact", "supported", "refused", "refused_known", "tokens")
PAIRS = ("arm", "difference", "interval", "only", "p", "p_clustered", "needed")
COSTS = ("arm", "tokens", "written", "first", "seconds")
FIGURES = frozenset({*ACCURACY, *PAIRS, *COSTS})
NONE = "–"  # a figure that does not exist; a column of these is left out


def draw_result(name: str, result: dict[str, Any]) -> None:
    """The result of an evaluation."""
    data, result = result, worded(result)
    st.subheader(formatting.escape_markdown(name), anchor=False)
    worthwhile = st.session_state.get("worthwhile", 10) / 100
    said = verdicts(result["pairs"], worthwhile)
    st.markdown(
        "\n".join(f"- {html_blocks.prose(formatting.escape_markdown(sentence))}" for sentence in said)
    )
    if careful := caution(result):
        html_blocks.quiet(careful)
    slices = list(result["slices"])
    chosen = t("evaluation.all")
    if len(slices) > 1:
        chosen = str(
            st.segmented_control(
                t("evaluation.slice"), [chosen, *slices], default=chosen, required=True, key="shown-slice"
            )
        )
    figures = result["slices"].get(chosen, result["arms"])
    pairs = result["slice_pairs"].get(chosen, result["pairs"])
    _draw_bars(figures, result["definitions"])
    st.html(_figures(figures))
    if pairs:
        st.markdown(f"**{t('evaluation.pairs')}**", help=t("evaluation.pairs.help"))
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


def worded(result: dict[str, Any]) -> dict[str, Any]:
    """The result with the names that the pages show for its variants; questions and answers stay as they are."""
    known = {
        name: label(Variant.from_dict({key: value for key, value in one.items() if key != "kind"}))
        for name, one in result["definitions"].items()
    }
    if len(set(known.values())) < len(known):  # a saved variant is named like a built-in one
        return result

    def called(value: Any, names: bool = True) -> Any:
        if isinstance(value, dict):
            kept = ("rows", "kind")  # values there are answers, or a kind of variant
            return {known.get(key, key): called(one, names and key not in kept) for key, one in value.items()}
        if isinstance(value, list):
            return [called(one, names) for one in value]
        return known.get(value, value) if names and isinstance(value, str) else value

    found: dict[str, Any] = called(result)
    return found


def _draw_bars(
    figures: Mapping[str, Mapping[str, Any]], definitions: Mapping[str, Mapping[str, Any]]
) -> None:
    rows = [
        {
            "name": name,
            "kind": definitions[name]["kind"],
            "value": one["accuracy"],
            "low": one["confidence_interval"][0],
            "high": one["confidence_interval"][1],
            "label": t("report.of", correct=one["correct"], count=one["n"]),
        }
        for name, one in figures.items()
    ]
    draw_bars(rows, t("compare.accuracy"))


def _figures(figures: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [
            name,
            _share(one["accuracy"]),
            f"{_share(one['confidence_interval'][0])} – {_share(one['confidence_interval'][1])}",
            _number(one["f1"], ".2f"),
            _number(one["exact_match"], ".2f"),
            _share(one["grounded"]),
            _share(one["refused_unknown"]),
            _share(one["refused_known"]),
            _number(one["tokens_per_prompt"], ".0f"),
        ]
        for name, one in figures.items()
    ]
    return _table(ACCURACY, rows)


def _pairs(pairs: Sequence[Mapping[str, Any]], worthwhile: float) -> str:
    rows = [
        [
            " − ".join(pair["arms"]),
            f"{pair['difference']:+.1%}",
            f"{pair['confidence_interval'][0]:+.1%} – {pair['confidence_interval'][1]:+.1%}",
            f"{pair['only_first']} : {pair['only_second']}",
            p_text(pair["p_value_holm"]),
            p_text(pair["p_value_clustered_holm"]),
            _number(needed_for(pair, worthwhile), ",.0f"),
        ]
        for pair in pairs
    ]
    return _table(PAIRS, rows)


def _draw_costs(result: Mapping[str, Any]) -> None:
    if not result.get("costs"):
        return
    st.markdown(f"**{t('evaluation.costs.title')}**")
    rows = [
        [
            name,
            _number(one["prompt_tokens"], ".0f"),
            _number(one["completion_tokens"], ".0f"),
            formatting.seconds(one["seconds_to_first_token"]),
            formatting.seconds(one["seconds"]),
        ]
        for name, one in result["costs"].items()
    ]
    st.html(_table(COSTS, rows))
    for even in result["break_even"]:
        html_blocks.quiet(break_even_sentence(even))


def _draw_judge(result: Mapping[str, Any]) -> None:
    judged = result.get("judge")
    if not judged:
        return
    values = {name: f"{judged[name]:,}" for name in ("verdicts", "flipped", "unclear")}
    html_blocks.quiet(t("evaluation.judged", model=judged["model"], **values))
    rows = [
        {
            "name": f"{duel['first']} ⟷ {duel['second']}",
            "kind": result["definitions"][duel["first"]]["kind"],
            "value": duel["share"],
            "low": duel["interval"]["low"],
            "high": duel["interval"]["high"],
            "label": f"{duel['first_wins']} : {duel['second_wins']}, {duel['ties']} =",
        }
        for duel in judged["duels"]
    ]
    draw_bars(rows, t("blind.winrate"))


def _draw_answers(result: Mapping[str, Any]) -> None:
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
        rows = [row for row in result["rows"] if _is_wanted(row, str(wanted))]
        pages = max(1, -(-len(rows) // ON_A_PAGE))
        page = 1
        if pages > 1:
            page = int(
                st.number_input(t("evaluation.page"), 1, pages, key=f"answers-page-{wanted}", width=120)
            )
    shown = rows[(page - 1) * ON_A_PAGE : page * ON_A_PAGE]
    st.html(_rows_table(shown, list(result["arms"])))
    html_blocks.quiet(t("sets.count", count=f"{len(rows):,}" if len(rows) != 1 else 1))


def _is_wanted(row: Mapping[str, Any], wanted: str) -> bool:
    marks = set(row["correct"].values())
    return wanted == "all" or (len(marks) > 1 if wanted == "differ" else marks == {False})


def _rows_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    head = "".join(f"<th>{html_blocks.escaped(name)}</th>" for name in (t("report.question"), *names))
    lines = []
    for row in rows:
        expected = html_blocks.escaped(" / ".join(row["expected"])[:120] or t("sets.column.unknown"))
        cells = "".join(_cell(name, row["answers"][name], row["correct"][name]) for name in names)
        question = f'{html_blocks.escaped(row["question"])}<br><span class="quiet">{expected}</span>'
        lines.append(f"<tr><td>{question}</td>{cells}</tr>")
    return f'<table class="facts"><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table>'


def _cell(name: str, text: str, correct: bool) -> str:
    sign = '<span class="tick">✓</span>' if correct else '<span class="cross">✗</span>'
    label, said = html_blocks.escaped(name), html_blocks.escaped(text[:180])
    return f'<td class="{"yes" if correct else "no"}" data-label="{label}">{sign} {said}</td>'


def _draw_files(name: str, result: dict[str, Any], data: dict[str, Any]) -> None:
    kinds = {variant: one["kind"] for variant, one in result["definitions"].items()}
    files = (
        ("evaluation.report", lambda: _report(name, result, kinds), "report.html", "text/html"),
        ("evaluation.csv", lambda: to_csv(data["rows"]), "answers.csv", "text/csv"),
        (
            "evaluation.json",
            lambda: json.dumps(data, ensure_ascii=False, indent=2),
            "evaluation.json",
            "application/json",
        ),
    )
    with st.container(horizontal=True):
        for text, make, file, kind in files:
            st.download_button(
                t(text), make, file, kind, icon=":material/download:", on_click="ignore", key=f"file-{file}"
            )


def _report(name: str, result: dict[str, Any], kinds: Mapping[str, str]) -> str:
    return render(result, picture(result["arms"], result["slices"], name, kinds), name)


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
