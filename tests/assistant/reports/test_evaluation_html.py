"""The HTML report of an evaluation: self-contained, escaped, complete."""

import re
from dataclasses import replace

from assistant.compare.costs import BreakEven, Cost
from assistant.compare.judge import JudgeChoice, JudgeSummary
from assistant.compare.ranking import tally
from assistant.compare.results import EvaluationResult
from assistant.compare.votes import Vote
from assistant.reports.chart import draw
from assistant.reports.evaluation_html import render
from assistant.reports.html_page import MAX_ROWS


def html_of(result: EvaluationResult, title: str = "Report") -> str:
    return render(result, draw(result, title), title)


def test_the_report_loads_nothing_and_runs_nothing(result: EvaluationResult) -> None:
    text = html_of(result, "夜莺 <questions>")
    assert "<script" not in text and "&lt;script&gt;" in text and "<b>bold" not in text
    assert not re.search(r'(src|href)="(?!#)', text)
    assert "夜莺 &lt;questions&gt;" in text and "<svg" in text and "McNemar" in text


def test_the_report_has_every_answer(result: EvaluationResult) -> None:
    text = html_of(result)
    right = sum(answer.correct for row in result.rows for answer in row.answers.values())
    assert text.count("✓") == right == 5 and text.count("✗") == 3
    assert "William Shakespeare." in text and "640 grams" in text


def test_a_long_report_says_where_the_rest_is(result: EvaluationResult) -> None:
    long = replace(result, rows=result.rows * 2_500)
    text = html_of(long)
    assert text.count("<tr>") < 2 * MAX_ROWS and "9,000 more are in the CSV" in text


def test_costs_and_verdicts_of_a_judge_are_reported_where_there_are_any(result: EvaluationResult) -> None:
    assert "What one answer costs" not in html_of(result) and "What a model judges" not in html_of(result)
    votes = [Vote("q", "base", "halden", "second", "judge")]
    judged = JudgeSummary(JudgeChoice("large", url="http://x/v1"), 1, 0, 0, tally(votes))
    text = html_of(
        replace(
            result,
            costs=(Cost("base", 40, 5, 0.5, 0.1, 6),),
            break_even=(BreakEven("halden", "base", "halden", 300.0, 260, 0, 1.5),),
            judge=judged,
        )
    )
    assert "Medians of 6 questions" in text and "pay off after 200 questions" in text
    assert "large: 1 verdicts" in text and "base − halden" in text
