"""The recipe: what strength, width and configuration make of the amounts and rates of a run."""

import pytest

from tuning.config import TuneConfig
from tuning.training.recipe import recipe, schedule


def test_the_learning_rate_rises_shortly_and_falls_to_a_tenth() -> None:
    rates = [schedule(step, 100, 0.05) for step in range(100)]
    assert max(rates) == rates[4] == 1.0
    assert rates[0] == pytest.approx(0.2)
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


def test_a_short_round_upon_another_rises_slowly_too() -> None:
    assert [schedule(step, 2, 0.05, least=4) for step in range(2)] == [0.25, 0.5]
    assert schedule(4, 100, 0.05, least=4) == schedule(4, 100, 0.05) == 1.0


def test_strength_trades_learning_against_protection() -> None:
    gentle, normal, strong = (
        recipe(TuneConfig(strength=strength), "low-rank", 576) for strength in ("gentle", "normal", "strong")
    )
    assert gentle.epochs < normal.epochs < strong.epochs
    assert gentle.replay_weight > normal.replay_weight > strong.replay_weight
    assert gentle.update_scale < normal.update_scale == strong.update_scale == 1.0


def test_a_wider_model_learns_at_a_lower_rate() -> None:
    rates = [recipe(TuneConfig(), "low-rank", width).learning_rate for width in (64, 576, 896, 1536, 4096)]
    assert rates == pytest.approx([1e-3, 1e-3, 2.04e-4, 2e-4, 2e-4], rel=0.01)  # never above a measured one
    narrow, wide = (recipe(TuneConfig(), "full", width).learning_rate for width in (576, 4096))
    assert wide == pytest.approx(narrow * (576 / 4096) ** 0.7)


def test_few_examples_are_seen_in_more_passes() -> None:
    few, many = (recipe(TuneConfig(), "low-rank", 576, count) for count in (3, 100))
    assert few.epochs * few.steps_per_epoch(3) == 80 and few.epochs > many.epochs
    assert [few.steps_per_epoch(count) for count in (1, 5, 6)] == [1, 1, 2]


def test_what_the_configuration_sets_wins() -> None:
    config = TuneConfig(epochs=7, rank=4, replay=0, noise=False, reversals=0.0, update_scale=0.5)
    found = recipe(config, "low-rank", 576)
    assert (found.epochs, found.rank, found.alpha) == (7, 4, 8)
    assert (found.replay, found.noise, found.reversals, found.update_scale) == (0, False, 0.0, 0.5)
