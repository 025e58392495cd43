"""CSV that a spreadsheet shows and does not compute."""

import csv
import io

import pytest

from assistant.arena.trials import CastVote
from assistant.compare.questions import Question
from assistant.compare.results import AnswerResult, QuestionResult
from assistant.reports import arena_html
from assistant.reports.csv_table import to_csv
from assistant.reports.evaluation_files import answers_csv

FORMULAS = ["=1+1", "+cmd", "-cmd", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1+1", "-1+1", "+1", '=HYPERLINK("x")']


def cells(text: str) -> list[list[str]]:
    """What a reader of the CSV sees, without its headings."""
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_is_a_text_in_every_column(formula: str) -> None:
    table = to_csv([formula, "b"], [[formula, formula]])
    assert cells(table) == [[f"'{formula}", f"'{formula}"]]
    assert table.startswith(("'", "\"'"))


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_text_stays_one_cell_where_another_separator_is_expected(separator: str) -> None:
    table = to_csv(["x"], [[f"a{separator}=1+1"], [f'a"{separator}=1+1']])
    rows = list(csv.reader(io.StringIO(table, newline=""), delimiter=separator))
    assert rows == [["x"], [f"a{separator}=1+1"], [f'a"{separator}=1+1']]


@pytest.mark.parametrize("value", [-5, 1.5, "5", "3.14", "", "a=b", "640 克"])
def test_a_number_and_a_plain_text_stay_as_they_are(value: object) -> None:
    assert cells(to_csv(["x"], [["", value]])) == [["", str(value)]]


def test_answers_of_an_evaluation_are_no_formulas() -> None:
    question = Question("=q", ("=e",), {"slice": "@s", "document": "+d", "fact": "-f"})
    row = QuestionResult(question, {"=variant": AnswerResult("=1+1", False)})
    (line,) = cells(answers_csv([row]))
    assert line == ["'=q", "'=e", "'@s", "'+d", "'-f", "'=variant", "'=1+1", "0", "0", ""]


def test_answers_and_voters_of_a_blind_trial_are_no_formulas() -> None:
    vote = CastVote("=q", "=left", "=right", "first", "=1+1", "@x", "+voter", 1.5)
    assert cells(arena_html.to_csv([vote])) == [
        ["'=q", "'=left", "'=right", "first", "'=1+1", "'@x", "'+voter", "1.5"]
    ]
