"""The chart of an evaluation."""

from pathlib import Path

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
