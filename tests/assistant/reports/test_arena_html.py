"""The report of a blind trial, and its votes as CSV."""

import csv
import io

from assistant.arena.trials import CastVote
from assistant.compare.ranking import tally
from assistant.compare.votes import Vote
from assistant.reports.arena_html import caution, position_sentence, render, to_csv, win_sentence

CAST = [
    CastVote("<script>1", "base", "<i>", "second", "2 kg", "640 <b>grams", "ann", 1.5),
    CastVote("q2", "<i>", "rag", "first", "640 grams", "", "ann", 2.5),
    CastVote("q3", "rag", "base", "tie", "yes", "no", "bob", None),
]
COUNTED = tally([Vote(one.question, one.left, one.right, one.outcome, one.voter) for one in CAST])


def test_the_report_names_the_variants_and_escapes_what_was_said() -> None:
    text = render("<b>trial", COUNTED, CAST)
    assert "<script" not in text and "&lt;script&gt;1" in text and "&lt;b&gt;trial" in text
    assert "<i>" not in text and "<b>" not in text
    assert "base: 2 kg" in text and "Bradley" in text and "<svg" in text
    assert "3 votes, 3 questions, voters: 2" in text


def test_a_sentence_names_the_better_variant_by_its_label() -> None:
    pair = next(
        one for one in COUNTED.pairs if "base" in (one.first, one.second) and "<i>" in (one.first, one.second)
    )
    assert "Halden" in win_sentence(pair, {"<i>": "Halden"}) and "<i>" not in win_sentence(pair, {"<i>": "H"})


def test_the_position_bias_and_few_questions_are_said() -> None:
    left = tally([Vote(f"q{n}", "a", "b", "first") for n in range(12)])
    assert position_sentence(left.position) != position_sentence(COUNTED.position)
    assert position_sentence(tally([]).position)
    assert caution(left) == "" and "3" in caution(COUNTED)


def test_the_csv_has_a_line_for_each_vote() -> None:
    lines = list(csv.DictReader(io.StringIO(to_csv(CAST), newline="")))
    assert [line["question"] for line in lines] == ["<script>1", "q2", "q3"]
    assert lines[0] == {
        "question": "<script>1",
        "left": "base",
        "right": "<i>",
        "outcome": "second",
        "left_answer": "2 kg",
        "right_answer": "640 <b>grams",
        "voter": "ann",
        "voted": "1.5",
    }
