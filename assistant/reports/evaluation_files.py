"""The files of an evaluation: chart, HTML report, and its data as CSV and JSON."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from assistant.compare.results import EvaluationResult, QuestionResult
from assistant.reports.chart import draw, save
from assistant.reports.csv_table import to_csv
from assistant.reports.evaluation_html import render
from assistant.storage import write_whole


@dataclass(frozen=True)
class EvaluationFiles:
    """Where the files of an evaluation are."""

    picture: Path
    report: Path
    json: Path
    csv: Path


def write_files(result: EvaluationResult, folder: Path, name: str) -> EvaluationFiles:
    """Write `NAME.png`, `NAME.html`, `NAME.json` and `NAME.csv`; a name may contain dots."""
    files = EvaluationFiles(*(folder / f"{name}.{ending}" for ending in ("png", "html", "json", "csv")))
    figure = draw(result, f"{result.name}: right answers by memory")
    save(figure, files.picture)
    write_whole(files.report, render(result, figure, result.name))
    document = {**result.to_dict(), "picture": str(files.picture), "report": str(files.report)}
    write_whole(files.json, json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))
    write_whole(files.csv, answers_csv(result.rows))
    return files


def answers_csv(rows: Iterable[QuestionResult]) -> str:
    """One line for each question and variant."""
    headings = ["question", "expected", "slice", "document", "fact", "arm", "answer"]
    headings += ["correct", "refused", "supported"]
    return to_csv(headings, (_line(row, name) for row in rows for name in row.answers))


def _line(row: QuestionResult, name: str) -> list[object]:
    question, answer = row.question, row.answers[name]
    return [
        question.text,
        " | ".join(question.answers),
        *(question.about.get(key) or "" for key in ("slice", "document", "fact")),
        name,
        answer.text,
        int(answer.correct),
        int(answer.refused),
        "" if answer.grounded is None else int(answer.grounded),
    ]
