"""The gate: what passes, what is warned of, and what is suggested instead."""

from typing import Any

import pytest

from tuning.evaluation.verdict import judge


def evaluation(
    rephrased: float = 0.9, kept: float = 0.95, reading: tuple[float, float] = (0.7, 0.7)
) -> dict[str, Any]:
    return {
        "recall": {"before": 0.0, "after": 1.0, "n": 20},
        "rephrased": {"before": 0.0, "after": rephrased, "n": 60},
        "retention": {"before": 0.6, "after": 0.6, "n": 200, "kept": kept},
        "reading": {"before": reading[0], "after": reading[1], "n": 24},
    }


@pytest.mark.parametrize(
    ("measured", "examples", "strength", "problems", "suggestion"),
    [
        (evaluation(), 20, "normal", [], None),
        (evaluation(rephrased=0.3), 20, "normal", ["learned little"], "stronger"),
        (evaluation(rephrased=0.3), 2, "strong", ["learned little"], "more examples"),
        (evaluation(rephrased=0.3), 20, "strong", ["learned little"], "documents"),
        (evaluation(kept=0.5), 20, "strong", ["forgot much"], "gentler"),
        (evaluation(kept=0.5), 20, "gentle", ["forgot much"], "documents"),
        (evaluation(rephrased=0.3, kept=0.5), 20, "normal", ["learned little", "forgot much"], "documents"),
        (evaluation(reading=(0.7, 0.3)), 20, "normal", ["reads worse"], "gentler"),
    ],
)
def test_a_checkpoint_that_learned_little_or_forgot_much_is_not_passed(
    measured: dict[str, Any], examples: int, strength: str, problems: list[str], suggestion: str | None
) -> None:
    verdict = judge(measured, examples=examples, strength=strength).to_dict()
    assert verdict == {"passed": not problems, "problems": problems, "suggestion": suggestion}
