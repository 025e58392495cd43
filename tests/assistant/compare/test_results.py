"""A result as JSON and back, and under other names."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from assistant.compare.costs import BreakEven, Cost
from assistant.compare.judge import JudgeChoice, JudgeSummary
from assistant.compare.questions import Question
from assistant.compare.ranking import tally
from assistant.compare.results import AnswerResult, EvaluationResult, QuestionResult
from assistant.compare.stats import Interval, pairs_needed
from assistant.compare.variants import Variant
from assistant.compare.votes import Vote
from tests.assistant.compare.samples import KnowingEngine, pair, plan_of, run


@pytest.fixture
def result() -> EvaluationResult:
    """A result with every part."""
    votes = [Vote("q", "base", "halden", "second", "judge"), Vote("r", "halden", "base", "tie", "judge")]
    judged = JudgeSummary(JudgeChoice("large", url="http://x/v1"), 2, 1, 0, tally(votes))
    return replace(
        run(KnowingEngine()),
        costs=(Cost("base", 40, 5, 0.5, 0.1, 6), Cost("halden", 300, 5, 2.0, 0.1, 6)),
        break_even=(BreakEven("halden", "base", "halden", 300.0, -260, 0, 1.5),),
        judge=judged,
    )


def test_a_result_is_read_as_it_was_written(result: EvaluationResult) -> None:
    document = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert EvaluationResult.from_dict(document) == result
    assert EvaluationResult.from_dict(document).to_dict() == document


def test_the_json_has_the_keys_that_programs_read(result: EvaluationResult) -> None:
    document = result.to_dict()
    assert {"arms", "pairs", "slices", "slice_pairs", "rows", "seconds", "clustered_by"} <= document.keys()
    assert {"definitions", "name", "costs", "break_even", "judge"} <= document.keys()
    assert list(document["arms"]) == ["base", "halden"]
    figures = ["accuracy", "f1", "exact_match", "confidence_interval", "tokens_per_prompt", "seconds"]
    figures += ["correct", "n", "grounded", "grounded_n", "refused_unknown", "unknown_n", "refused_known"]
    assert list(document["arms"]["base"]) == figures
    assert isinstance(document["arms"]["base"]["confidence_interval"], list)
    (compared,) = document["pairs"]
    assert compared["arms"] == ["base", "halden"] and compared["needed"] == pairs_needed(0.1, 2 / 3)
    tests = ["p_value", "p_value_holm", "p_value_clustered", "p_value_clustered_holm"]
    assert {*tests, "difference", "confidence_interval", "only_first", "only_second"} <= compared.keys()
    row = document["rows"][0]
    assert row["fact"] == "weight" and row["expected"] == ["640 grams"]
    assert row["answers"] == {"base": "2 kg", "halden": "640 grams"}
    assert row["correct"] == {"base": False, "halden": True}
    assert document["definitions"]["halden"] == {
        "name": "halden",
        "checkpoint": "halden",
        "kind": "checkpoint",
    }
    assert document["costs"]["base"]["arm"] == "base" and document["break_even"][0]["questions"] == 200
    judged = document["judge"]
    assert (judged["model"], judged["kind"], judged["url"]) == ("large", "endpoint", "http://x/v1")
    assert judged["verdicts"] == 2 and judged["ranking"][0]["arm"] == "halden"
    assert judged["duels"][0]["interval"].keys() == judged["position"]["interval"].keys() == {"low", "high"}


def test_what_was_not_measured_is_not_in_the_json() -> None:
    document = run(KnowingEngine()).to_dict()
    assert not {"costs", "break_even", "judge"} & document.keys()


def test_a_number_that_does_not_exist_is_null(result: EvaluationResult) -> None:
    broken = replace(
        result, seconds=math.inf, pairs=(pair("base", "halden", interval=Interval(math.nan, 0.1)),)
    )
    document = json.loads(json.dumps(broken.to_dict(), allow_nan=False))
    assert document["seconds"] is None and document["pairs"][0]["confidence_interval"] == [None, 0.1]
    assert math.isnan(EvaluationResult.from_dict(document).pairs[0].test.interval.low)


def test_a_column_of_the_questions_does_not_hide_a_column_of_the_result() -> None:
    about = {"expected": "a column", "answers": "b", "correct": "c", "note": "kept"}
    row = QuestionResult(Question("q?", ("yes",), about), {"base": AnswerResult("yes", True)})
    document = row.to_dict()
    assert document["expected"] == ["yes"] and document["answers"] == {"base": "yes"}
    assert QuestionResult.from_dict(document).question.about == {"note": "kept"}


def test_a_result_of_an_older_version_is_read() -> None:
    row: dict[str, Any] = {
        "question": "q?",
        "expected": [],
        "answers": {"base": "?"},
        "correct": {"base": False},
    }
    read = QuestionResult.from_dict(row)
    assert read.question.is_unknown and read.answers["base"] == AnswerResult("?", False)


def test_a_renamed_result_differs_in_its_names_alone(result: EvaluationResult) -> None:
    names = {"base": "Model alone", "halden": "Halden"}
    renamed = result.renamed(names)
    text = json.dumps(renamed.to_dict())
    assert json.loads(text)["rows"][0]["answers"] == {"Model alone": "2 kg", "Halden": "640 grams"}
    assert '"base"' not in text.replace('"kind": "base"', "")
    assert renamed.break_even[0].checkpoint == "halden"  # a checkpoint is no variant
    assert renamed.renamed({"Model alone": "base", "Halden": "halden"}) == result


def test_a_name_of_a_variant_that_is_also_a_slice_or_a_text_stays_there() -> None:
    question = Question("rag", ("rag",), {"slice": "rag", "document": "rag"})
    engine = KnowingEngine()
    renamed = run(engine, plan_of([question], [Variant("rag"), Variant("base")])).renamed(
        {"rag": "Documents"}
    )
    assert list(renamed.slices) == ["rag"] and list(renamed.slices["rag"]) == ["Documents", "base"]
    assert renamed.rows[0].question == question


def test_pairs_need_as_many_questions_as_they_disagree_for() -> None:
    assert pair("a", "b").questions_needed() == pairs_needed(0.1, 0.2)
    assert pair("a", "b").questions_needed(0.05) == pairs_needed(0.05, 0.2)
    assert pair("a", "b").questions_needed(0.5) == pairs_needed(0.5, 0.5)
    assert pair("a", "b", only_first=0, only_second=0).questions_needed() is None
