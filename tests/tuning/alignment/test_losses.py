"""Losses against the published formulas, written out once more in numpy."""

import numpy as np
import pytest
import torch

from tuning.alignment import losses

CHOSEN, REJECTED = np.array([0.7, -1.2, 3.0]), np.array([-0.4, 0.9, 2.5])  # log-ratios to the reference
LONG, SHORT = np.array([12.0, 5.0, 30.0]), np.array([4.0, 9.0, 30.0])  # tokens


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def tensors(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.tensor(array) for array in arrays]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_dpo_is_the_log_loss_of_the_margin(smoothing: float) -> None:
    found = losses.dpo(*tensors(CHOSEN, REJECTED, LONG, SHORT), beta=0.3, label_smoothing=smoothing)
    right = sigmoid(0.3 * (CHOSEN - REJECTED))
    np.testing.assert_allclose(found, -(1 - smoothing) * np.log(right) - smoothing * np.log(1 - right))


def test_length_normalised_dpo_compares_tokens_and_not_answers() -> None:
    found = losses.dpo(*tensors(CHOSEN, REJECTED, LONG, SHORT), beta=5.0, loss="length-normalised")
    np.testing.assert_allclose(found, -np.log(sigmoid(5 * (CHOSEN / LONG - REJECTED / SHORT))))


def test_ipo_regresses_on_half_of_one_over_beta() -> None:
    found = losses.dpo(*tensors(CHOSEN, REJECTED, LONG, SHORT), beta=0.1, loss="ipo")
    np.testing.assert_allclose(found, (CHOSEN / LONG - REJECTED / SHORT - 5.0) ** 2)


def test_kto_values_good_above_and_bad_below_the_reference() -> None:
    good = torch.tensor([True, False, True])
    found = losses.kto(torch.tensor(CHOSEN), good, 0.25, beta=0.5, good_weight=1.0, bad_weight=2.0)
    wanted = [1 - sigmoid(0.5 * (0.7 - 0.25)), 2 * (1 - sigmoid(0.5 * (0.25 + 1.2))), 1 - sigmoid(0.5 * 2.75)]
    np.testing.assert_allclose(found, wanted)
    assert losses.class_weights(30, 10) == (1.0, 3.0)


def test_orpo_adds_the_odds_ratio_to_the_loss_of_the_chosen_answer() -> None:
    chosen, rejected = np.array([-0.2, -1.5]), np.array([-0.9, -1.1])
    odds = [np.exp(one) / (1 - np.exp(one)) for one in (chosen, rejected)]
    found = losses.orpo(*tensors(chosen, rejected), beta=0.1)
    np.testing.assert_allclose(found, -chosen - 0.1 * np.log(sigmoid(np.log(odds[0] / odds[1]))))
    assert torch.isfinite(losses.orpo(torch.zeros(1), torch.full((1,), -1e-9), beta=0.1)).all()


def test_a_reward_model_learns_differences_and_keeps_scores_centred() -> None:
    found = losses.bradley_terry(*tensors(CHOSEN, REJECTED))
    centred = losses.CENTRE * (CHOSEN + REJECTED) ** 2
    np.testing.assert_allclose(found, -np.log(sigmoid(CHOSEN - REJECTED)) + centred)
