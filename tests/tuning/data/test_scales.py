"""Judgements of answers: where programs keep them, and on which scale they are given."""

from pathlib import Path
from typing import Any

import pytest

from tests.tuning.data.test_marks import ASKED, DEGREES, HOW_HOT, RIGHT, WRONG, learned, read
from tuning.data.importers import import_file


@pytest.mark.parametrize(
    "mark",
    [
        {"metadata": {"rating": "bad"}},
        {"metadata": {"feedback": {"score": 0, "thumbs": "down"}}},
        {"meta": {"liked": 0}},
        {"score": -2.5},
    ],
)
def test_a_judgement_is_found_where_programs_keep_it(tmp_path: Path, mark: dict[str, Any]) -> None:
    result = read(
        tmp_path,
        {"prompt": "How hot?", "completion": "Cold.", **mark},
        {"prompt": "How hot?", "completion": "1240."},
    )

    assert learned(result) == ["1240."]
    assert result.skipped == 1


@pytest.mark.parametrize(("bad", "middling", "good"), [(1, 3, 5), ("2", "3", "4"), (1, 6, 9), (4, 5, 10)])
def test_of_stars_the_few_are_a_bad_word_and_the_many_a_good_one(
    tmp_path: Path, bad: object, middling: object, good: object
) -> None:
    result = read(
        tmp_path,
        {"messages": [ASKED, {**WRONG, "rating": bad}]},
        {"messages": [HOW_HOT, {**DEGREES, "rating": middling}]},
        {"messages": [ASKED, {**RIGHT, "rating": good}]},
    )

    assert learned(result) == ["1240.", "The Brattne stone."]
    few, many = ({"prompt": "Q", "response": f"{stars}", "stars": stars} for stars in (bad, good))
    assert learned(read(tmp_path, few, many)) == [f"{good}"]
    table = tmp_path / "rated.csv"
    table.write_text(f"question,answer,rating\nHow?,So.,{bad}\nHow hot?,1240.,{good}\n", encoding="utf-8")
    assert learned(import_file(table)) == ["1240."]


def test_a_one_without_anything_above_it_is_a_thumb(tmp_path: Path) -> None:
    result = read(tmp_path, {"messages": [ASKED, {**RIGHT, "rating": 1}, HOW_HOT, {**DEGREES, "rating": 0}]})

    assert learned(result) == ["The Brattne stone."]
