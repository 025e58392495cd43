"""The files of an evaluation: where they are, what they hold."""

import json
from dataclasses import astuple
from pathlib import Path

from assistant.compare.results import EvaluationResult
from assistant.reports.evaluation_files import answers_csv, write_files
from tests.assistant.compare.samples import KnowingEngine, numbered, plan_of, run


def test_every_file_is_written(result: EvaluationResult, tmp_path: Path) -> None:
    files = write_files(result, tmp_path / "reports", "questions")
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == [
        "questions.csv",
        "questions.html",
        "questions.json",
        "questions.png",
    ]
    assert files.picture.read_bytes().startswith(b"\x89PNG") and "<svg" in files.report.read_text("utf-8")
    document = json.loads(files.json.read_text(encoding="utf-8"))
    assert document["picture"] == str(files.picture) and document["report"] == str(files.report)
    assert EvaluationResult.from_dict(document) == result


def test_names_that_differ_after_a_dot_have_files_of_their_own(tmp_path: Path) -> None:
    plan = plan_of(numbered(2))
    first = write_files(run(KnowingEngine(), plan), tmp_path, "eval.v1")
    second = write_files(run(KnowingEngine(), plan), tmp_path, "eval.v2")
    assert first.report.name == "eval.v1.html"
    assert len({*astuple(first), *astuple(second)}) == len(list(tmp_path.iterdir())) == 8


def test_the_csv_has_a_line_for_each_question_and_variant() -> None:
    rows = run(KnowingEngine(), plan_of(numbered(3, document="d.md"))).rows
    lines = answers_csv(rows).splitlines()
    assert lines[0] == "question,expected,slice,document,fact,arm,answer,correct,refused,supported"
    assert lines[1:3] == [
        "question 0,yes,,d.md,,base,no,0,0,",
        "question 0,yes,,d.md,,halden,yes,1,0,",
    ]
    assert len(lines) == 1 + 6
