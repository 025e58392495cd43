"""The losses of learning from preferences, on log-probabilities of whole answers. Computes no log-probabilities.

Arithmetic as in TRL 1.16's trainers, so that betas mean the same here as there.
"""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from tuning.config import PreferenceLoss

CENTRE = 0.01  # weight of the squared mean score of a pair: only differences count, so scores may drift


def dpo(
    chosen: Tensor,
    rejected: Tensor,
    chosen_tokens: Tensor,
    rejected_tokens: Tensor,
    *,
    beta: float,
    loss: PreferenceLoss = "sigmoid",
    label_smoothing: float = 0.0,
) -> Tensor:
    """DPO's loss of each pair (pairs,) from the log-ratios of policy to reference of either answer (pairs,).

    `sigmoid` is DPO (arXiv 2305.18290), with label smoothing conservative DPO; `length-normalised` divides the
    log-ratios by the answers' tokens (arXiv 2411.15124); `ipo` does so too and regresses on 1 / 2β (arXiv 2310.12036).
    """
    if loss != "sigmoid":
        chosen, rejected = chosen / chosen_tokens, rejected / rejected_tokens
    margin = chosen - rejected
    if loss == "ipo":
        return (margin - 1 / (2 * beta)) ** 2
    kept, flipped = logsigmoid(beta * margin), logsigmoid(-beta * margin)
    return -(1 - label_smoothing) * kept - label_smoothing * flipped


def kto(
    log_ratios: Tensor, good: Tensor, kl: float, *, beta: float, good_weight: float, bad_weight: float
) -> Tensor:
    """KTO's loss of each judged answer (answers,) from its log-ratio to the reference (arXiv 2402.01306).

    `good` is a mask; `kl` estimates how far the policy is from the reference, and has no gradient.
    """
    liked = good_weight * (1 - torch.sigmoid(beta * (log_ratios - kl)))
    disliked = bad_weight * (1 - torch.sigmoid(beta * (kl - log_ratios)))
    return torch.where(good, liked, disliked)


def class_weights(good: int, bad: int) -> tuple[float, float]:
    """The weights of good and bad answers in KTO's loss that make both classes count the same."""
    most = max(good, bad)
    return most / good, most / bad


def orpo(chosen: Tensor, rejected: Tensor, *, beta: float) -> Tensor:
    """ORPO's loss of each pair (pairs,) from the mean log-probability of a token of either answer (arXiv 2403.07691).

    The loss of the chosen answer, plus β times that of the odds ratio; there is no reference.
    """
    return -chosen - beta * logsigmoid(log_odds(chosen) - log_odds(rejected))


def log_odds(mean_log_probs: Tensor) -> Tensor:
    """log(p / (1 - p)) of p, the geometric mean of the tokens' probabilities."""
    below_one = mean_log_probs.clamp(max=-1e-6)
    return below_one - torch.log1p(-torch.exp(below_one))


def bradley_terry(chosen: Tensor, rejected: Tensor) -> Tensor:
    """A reward model's loss of each pair (pairs,) from the scores of both answers (arXiv 2203.02155, equation 1)."""
    return -logsigmoid(chosen - rejected) + CENTRE * (chosen + rejected) ** 2
