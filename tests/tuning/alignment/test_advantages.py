"""Advantages and the clipped objective on numbers computed by hand."""

import pytest
import torch

from tuning.alignment.advantages import clipped, gae, group_advantages, kl_estimate, whitened


def test_gae_adds_up_discounted_surprises() -> None:
    # δ = (0 + .5·2 - 1, 0 + .5·3 - 2, 4 - 3) = (0, -.5, 1); A = (0 + .25·(-.25), -.5 + .25·1, 1)
    advantages, returns = gae(torch.tensor([0.0, 0.0, 4.0]), torch.tensor([1.0, 2.0, 3.0]), 0.5, 0.5)
    assert advantages.tolist() == [-0.0625, -0.25, 1.0]
    assert returns.tolist() == [0.9375, 1.75, 4.0]


def test_with_lambda_one_the_return_is_the_sum_of_the_rewards() -> None:
    _, returns = gae(torch.tensor([1.0, -2.0, 5.0]), torch.tensor([9.0, 9.0, 9.0]), 1.0, 1.0)
    assert returns.tolist() == [4.0, 3.0, 5.0]


def test_answers_are_compared_within_their_own_group() -> None:
    found = group_advantages(torch.tensor([1.0, 3.0, 10.0, 10.0]), torch.tensor([0, 0, 1, 1]))
    assert found.tolist() == pytest.approx([-(0.5**0.5), 0.5**0.5, 0.0, 0.0], abs=1e-3)


def test_the_objective_is_clipped_only_where_that_is_worse() -> None:
    ratios = torch.tensor([1.5, 1.5, 0.5, 0.5])
    advantages = torch.tensor([1.0, -1.0, 1.0, -1.0])
    found = clipped(ratios.log(), torch.zeros(4), advantages)
    assert found.tolist() == pytest.approx([-1.2, 1.5, -0.5, 0.8])


def test_a_token_beyond_the_clip_has_no_gradient() -> None:
    log_probs = torch.tensor([0.5, -0.5, 0.05], requires_grad=True)
    clipped(log_probs, torch.zeros(3), torch.tensor([1.0, -1.0, 1.0])).sum().backward()
    assert log_probs.grad is not None
    assert log_probs.grad[:2].tolist() == [0.0, 0.0]
    assert float(log_probs.grad[2]) < 0


def test_the_estimate_of_kl_is_right_on_average_and_never_negative() -> None:
    policy, reference = torch.tensor([0.7, 0.3]), torch.tensor([0.4, 0.6])
    each = kl_estimate(policy.log(), reference.log())
    assert float((policy * each).sum()) == pytest.approx(float((policy * (policy / reference).log()).sum()))
    assert bool((each >= 0).all())


def test_whitened_parts_share_one_mean_and_spread() -> None:
    parts = whitened([torch.tensor([1.0, 2.0]), torch.tensor([6.0])])
    assert [len(part) for part in parts] == [2, 1]
    assert float(torch.cat(parts).mean()) == pytest.approx(0, abs=1e-6)
    assert float(torch.cat(parts).std(correction=0)) == pytest.approx(1, abs=1e-3)
