"""`imprint compare`: its JSON, its reports, what it refuses."""

import json
from pathlib import Path

import pytest
from langchain_core.language_models import FakeListChatModel

from assistant.compare.saved_variants import SavedVariants
from assistant.compare.variants import Variant
from tests.assistant.cli.invoke import Run, document

pytestmark = pytest.mark.slow


def test_compare_as_json(run: Run, home: Path, manual: Path, tmp_path: Path) -> None:
    run("index", manual)
    questions = tmp_path / "questions.jsonl"
    lines = [
        {
            "question": "How heavy is the Skerrin?",
            "answers": ["640 grams"],
            "fact": "weight",
            "slice": "taught",
        },
        {"question": "Who wrote Hamlet?", "answers": ["Shakespeare"], "slice": "general"},
    ]
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    compared = document(run("compare", "--questions", questions, "--arms", "base,rag", "--json"))
    assert list(compared["arms"]) == ["base", "rag"]
    base = compared["arms"]["base"]
    assert base["accuracy"] == 0.5
    assert {"f1", "exact_match", "confidence_interval", "tokens_per_prompt", "seconds"} <= base.keys()
    assert compared["arms"]["rag"]["tokens_per_prompt"] > base["tokens_per_prompt"]
    assert compared["rows"][0]["answers"] == {"base": "640 grams", "rag": "640 grams"}
    assert compared["rows"][1]["correct"] == {"base": False, "rag": False}
    assert compared["slices"]["taught"]["base"]["accuracy"] == 1.0
    assert compared["pairs"][0]["p_value"] == 1.0
    picture = Path(compared["picture"])
    assert picture.parent == home / "reports" and picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "holds no question"),
        ("not json", "neither JSONL nor a table"),
        ('{"answers": ["x"]}', 'line 1: no "question" text'),
        ('{"question": "q", "answers": []}', r'"answers" holds none that counts ([])'),
        ('{"question": " ", "answers": ["x"]}', "the question is empty"),
    ],
)
def test_a_questions_file_is_checked_by_line(run: Run, tmp_path: Path, line: str, sentence: str) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(line, encoding="utf-8")
    result = run("compare", "--questions", file)
    assert result.exit_code == 1 and sentence in result.stderr


def test_an_unknown_variant_is_named_with_the_known_ones(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "q", "answers": "a"}', encoding="utf-8")
    result = run("compare", "--questions", file, "--arms", "base,halden")
    assert result.exit_code == 1
    assert "Variant 'halden' names no checkpoint" in result.stderr and "none yet" in result.stderr


def test_reports_of_files_that_differ_after_a_dot_do_not_overwrite_each_other(
    run: Run, home: Path, tmp_path: Path
) -> None:
    reports = []
    for version, answer in (("v1", "640 grams"), ("v2", "2 kg")):
        file = tmp_path / f"eval.{version}.jsonl"
        file.write_text(json.dumps({"question": "How heavy?", "answers": [answer]}), encoding="utf-8")
        reports.append(document(run("compare", "--questions", file, "--variants", "base", "--json")))
    kinds = ("picture", "report", "csv", "json")
    paths = [Path(report[kind]) for report in reports for kind in kinds]
    assert sorted({path.name for path in (home / "reports").iterdir()}) == sorted(path.name for path in paths)
    first, second = (json.loads(Path(report["json"]).read_text(encoding="utf-8")) for report in reports)
    assert (first["arms"]["base"]["accuracy"], second["arms"]["base"]["accuracy"]) == (1.0, 0.0)
    assert first["report"].endswith("eval.v1.html") and first["name"] == "eval.v1.jsonl"


def test_a_judge_is_named_in_the_report(
    run: Run, tmp_path: Path, manual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("index", manual)
    monkeypatch.setattr(
        "assistant.compare.judge.open_model",
        lambda choice, key="": FakeListChatModel(responses=["VERDICT: A"]),
    )
    file = tmp_path / "questions.jsonl"
    file.write_text('{"question": "How heavy is the Skerrin?", "answers": ["640 grams"]}', encoding="utf-8")
    judged = document(
        run(
            "compare",
            "--questions",
            file,
            "--judge",
            "large",
            "--judge-url",
            "http://127.0.0.1:1/v1",
            "--json",
        )
    )
    assert (judged["judge"]["model"], judged["judge"]["verdicts"]) == ("large", 1)
    assert "large: 1 verdicts" in Path(judged["report"]).read_text(encoding="utf-8")


def test_a_comparison_is_shown_as_tables_and_sentences(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    lines = [
        {"question": "How heavy?", "answers": ["640 grams"], "slice": "taught"},
        {"question": "Who wrote Hamlet?", "answers": ["Shakespeare"], "slice": "general"},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    SavedVariants(tmp_path / "home").save(Variant("Terse", system_prompt="Be short."))
    shown = run("compare", "--questions", file, "--arms", "base,Terse", "--costs")
    assert shown.exit_code == 0
    assert "50.0%" in shown.stdout and "1 of 1" in shown.stdout and "the same 2 questions" in shown.stdout
    assert "Report: " in shown.stderr
