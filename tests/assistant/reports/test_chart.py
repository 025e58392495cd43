"""The chart of an evaluation."""

from pathlib import Path

import pytest

from assistant.compare.results import EvaluationResult
from assistant.reports.chart import draw, save


def test_a_bar_is_drawn_for_each_variant_over_all_questions_and_each_slice(result: EvaluationResult) -> None:
    (axes,) = draw(result, "Title").axes
    assert [label.get_text() for label in axes.get_legend().get_texts()] == ["base", "halden"]
    groups = [label.get_text() for label in axes.get_xticklabels()]
    assert groups == [
        "all\n4 questions",
        "taught\n2 questions",
        "general\n1 questions",
        "<b>bold\n1 questions",
    ]
    heights = [round(bar.get_height(), 3) for bars in axes.containers for bar in bars if hasattr(bar, "xy")]
    assert heights == [0.25, 0, 1, 0, 1, 1, 1, 1]


def test_the_picture_is_drawn_with_every_script(result: EvaluationResult, tmp_path: Path) -> None:
    renamed = result.renamed({"halden": "夜莺"})
    path = save(draw(renamed, "夜莺: right answers"), tmp_path / "reports" / "q.png")
    assert path.read_bytes().startswith(b"\x89PNG") and list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "name", ["$_$", "$\\frac$", "cost $5 and $6", "a^b$x", "50%_of", "<b>x</b>", "_x", "\\"]
)
def test_a_name_is_no_formula(result: EvaluationResult, tmp_path: Path, name: str) -> None:
    figure = draw(result.renamed({"halden": name}), f"The set {name}")
    assert figure.axes[0].get_legend().get_texts()[1].get_text().strip() == name
    assert save(figure, tmp_path / "q.png").exists()
