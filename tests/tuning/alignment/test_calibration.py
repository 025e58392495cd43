"""A reward model's odds are those of the votes, and few votes make nothing certain."""

import math
import random

import pytest

from tuning.alignment.calibration import fitted_temperature, log_loss


def test_scores_that_are_too_sure_are_cooled() -> None:
    rng = random.Random(0)
    odds = [rng.uniform(0.1, 2.0) for _ in range(4000)]  # what the votes follow
    margins = [10 * one if rng.random() < 1 / (1 + math.exp(-one)) else -10 * one for one in odds]
    temperature = fitted_temperature(margins)
    assert temperature == pytest.approx(10, rel=0.2)
    assert log_loss(margins, temperature) < log_loss(margins)


def test_a_few_right_votes_prove_little() -> None:
    few, many = fitted_temperature([1.0] * 3), fitted_temperature([1.0] * 300)
    assert few > many
    assert 1 / (1 + math.exp(-1 / few)) == pytest.approx(4 / 5, abs=0.03)
    assert fitted_temperature([]) == 1.0
    assert log_loss([0.0]) == pytest.approx(math.log(2))
