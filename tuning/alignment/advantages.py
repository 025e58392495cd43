"""The arithmetic of learning from a reward: advantages, the clipped objective, KL estimates. Samples nothing."""

from collections.abc import Sequence

import torch
from torch import Tensor

CLIP = 0.2  # of the probability ratio (arXiv 1707.06347)
GAMMA, LAMBDA = 1.0, 0.95  # discount, and the trade of bias for variance (arXiv 1506.02438)
_TINY = 1e-4


def gae(
    rewards: Tensor, values: Tensor, gamma: float = GAMMA, lambda_: float = LAMBDA
) -> tuple[Tensor, Tensor]:
    """Advantages and returns (tokens,) of one answer from the rewards and values of its tokens (arXiv 1506.02438).

    The answer ends with its last token: nothing is expected after it.
    """
    advantages = torch.zeros_like(rewards)
    later = next_value = 0.0
    for place in range(len(rewards) - 1, -1, -1):
        surprise = float(rewards[place]) + gamma * next_value - float(values[place])
        later = surprise + gamma * lambda_ * later
        advantages[place], next_value = later, float(values[place])
    return advantages, advantages + values


def group_advantages(rewards: Tensor, groups: Tensor) -> Tensor:
    """Each answer's reward against those of the answers to the same prompt, in standard deviations (arXiv 2402.03300).

    `groups` (answers,) numbers the prompts. A group whose answers are all as good teaches nothing.
    """
    result = torch.zeros_like(rewards)
    for group in groups.unique():
        own = groups == group
        spread = rewards[own].std() if int(own.sum()) > 1 else torch.tensor(0.0)
        result[own] = (rewards[own] - rewards[own].mean()) / (spread + _TINY)
    return result


def whitened(parts: Sequence[Tensor]) -> list[Tensor]:
    """All of the parts with a mean of 0 and a variance of 1 together."""
    whole = torch.cat(list(parts))
    scaled = (whole - whole.mean()) / (whole.std(correction=0) + _TINY)
    return list(scaled.split([len(part) for part in parts]))


def clipped(log_probs: Tensor, old: Tensor, advantages: Tensor, clip: float = CLIP) -> Tensor:
    """The loss of each token: minus PPO's clipped objective (arXiv 1707.06347, equation 7)."""
    ratio = torch.exp(log_probs - old)
    bounded = ratio.clamp(1 - clip, 1 + clip)
    return -torch.minimum(ratio * advantages, bounded * advantages)


def kl_estimate(log_probs: Tensor, reference: Tensor) -> Tensor:
    """An estimate, never negative, of KL(policy ‖ reference) at sampled tokens ("k3" of joschu.net/blog/kl-approx)."""
    difference = reference - log_probs
    return torch.exp(difference) - difference - 1
