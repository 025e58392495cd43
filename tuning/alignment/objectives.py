"""What a step over pairs or judged answers computes: DPO, KTO and ORPO on log-probabilities, a reward on scores.

The formulas are in `losses`; which items a step takes is up to `pairwise`.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from tuning.alignment import losses
from tuning.alignment.passes import Part
from tuning.alignment.recipe import PreferenceRecipe
from tuning.alignment.reward_head import HeadLearner
from tuning.alignment.sequences import Unit, answer_log_probs, answer_sums
from tuning.config import TuneConfig
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward_padded, forward_states
from tuning.models.packing import MULTIPLE, Encoded, PackedRow, pack
from tuning.ops.kernels import log_probs
from tuning.training.learner import Learner
from tuning.training.replay import Replay
from tuning.training.step import distance

Item = Unit | Replay


def sequences_of(item: Item) -> Sequence[Encoded]:
    """What of an item passes through the model."""
    return item.answers if isinstance(item, Unit) else (item.encoded,)


@dataclass(frozen=True)
class Setting:
    """What every objective needs."""

    base: BaseModel
    config: TuneConfig
    recipe: PreferenceRecipe
    learner: Learner
    good: int = 1  # judged answers of the whole run
    bad: int = 1


class Objective(Protocol):
    """One method's loss of a step."""

    def prepare(self, units: Sequence[Unit]) -> None:
        """Called before a step's passes."""

    def compute(self, items: Sequence[Item], units: int, replayed: int) -> Part:
        """One pass over some of a step's items, which has so many units and replayed targets in all."""


class _OnAnswers:
    """What DPO, KTO and ORPO share: one pass gives the log-probabilities of answers and of what must stay."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def prepare(self, units: Sequence[Unit]) -> None:
        """Nothing to do."""

    def compute(self, items: Sequence[Item], units: int, replayed: int) -> Part:
        """The method's loss of the units, and the KL to the reference of what must stay."""
        setting = self._setting
        learned = [one for one in items if isinstance(one, Unit)]
        kept = [one for one in items if isinstance(one, Replay)]
        answers = [answer for unit in learned for answer in unit.answers]
        row = pack([*answers, *(one.encoded for one in kept)], MULTIPLE).to(setting.base.device)
        logits = forward_padded(setting.base, row, setting.learner.prefix())
        count = sum(len(one.targets) for one in answers)
        log_model = log_model_of(logits, row, kept, count)
        loss = logits.new_zeros((), dtype=torch.float32)
        measures: dict[str, float] = {}
        if learned:
            sums = answer_sums(log_model[:count, 0], row, len(answers))
            each, measures = self.losses(learned, sums)
            loss = (each + self._own_loss(learned, sums)).sum() / units
        if kept:
            far = distance(log_model[count:], [one.teacher for one in kept])
            loss = loss + setting.recipe.replay_weight * far / replayed
            measures = measures | {"kl": float(far.detach())}
        return Part(loss, len(row.ids), measures)

    @abstractmethod
    def losses(self, units: Sequence[Unit], sums: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The loss of each unit from the log-probabilities of all answers; sums over units of what is measured."""

    def _own_loss(self, units: Sequence[Unit], sums: Tensor) -> Tensor:
        """The loss a token of what is preferred (units,), as in supervised tuning; 0 for what is disliked."""
        means = sums / self._lengths(units, sums)
        firsts = means[:: len(units[0].answers)]
        liked = firsts.new_tensor([float(unit.good) for unit in units])
        return -self._setting.recipe.sft_weight * liked * firsts

    def _lengths(self, units: Sequence[Unit], sums: Tensor) -> Tensor:
        return sums.new_tensor([len(answer.targets) for unit in units for answer in unit.answers])

    def _ratios(self, units: Sequence[Unit], sums: Tensor) -> Tensor:
        return sums - sums.new_tensor([value for unit in units for value in unit.reference])


class Dpo(_OnAnswers):
    """DPO and its forms."""

    def losses(self, units: Sequence[Unit], sums: Tensor) -> tuple[Tensor, dict[str, float]]:
        """As `_OnAnswers`."""
        config, beta = self._setting.config, self._setting.recipe.beta
        ratios, lengths = self._ratios(units, sums), self._lengths(units, sums)
        found = losses.dpo(
            ratios[::2], ratios[1::2], lengths[::2], lengths[1::2],
            beta=beta, loss=config.loss, label_smoothing=config.label_smoothing,
        )  # fmt: skip
        per_token = lengths if config.loss != "sigmoid" else torch.ones_like(lengths)
        return found, _of_pairs(beta * ratios.detach() / per_token)


class Orpo(_OnAnswers):
    """ORPO, which has no reference, and whose own loss is part of it."""

    def _own_loss(self, units: Sequence[Unit], sums: Tensor) -> Tensor:
        """Nothing to add."""
        return sums.new_zeros(len(units))

    def losses(self, units: Sequence[Unit], sums: Tensor) -> tuple[Tensor, dict[str, float]]:
        """As `_OnAnswers`."""
        means = sums / self._lengths(units, sums)
        found = losses.orpo(means[::2], means[1::2], beta=self._setting.recipe.beta)
        return found, _of_pairs(losses.log_odds(means.detach()))


class Kto(_OnAnswers):
    """KTO, on judged answers."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._kl = 0.0
        self._weights = losses.class_weights(setting.good, setting.bad)

    @torch.no_grad()
    def prepare(self, units: Sequence[Unit]) -> None:
        """Estimate the KL to the reference by answers to other prompts, as the paper does."""
        asked = [one for unit in units for one in unit.unrelated]
        if not asked:
            return
        known = sum(value for unit in units for value in unit.unrelated_reference)
        values, _ = answer_log_probs(self._setting.base, asked, self._setting.learner.prefix())
        self._kl = max(0.0, (float(values.sum()) - known) / len(asked))

    def losses(self, units: Sequence[Unit], sums: Tensor) -> tuple[Tensor, dict[str, float]]:
        """As `_OnAnswers`."""
        beta, ratios = self._setting.recipe.beta, self._ratios(units, sums)
        good = torch.tensor([unit.good for unit in units], device=sums.device)
        better, worse = self._weights
        found = losses.kto(ratios, good, self._kl, beta=beta, good_weight=better, bad_weight=worse)
        signed = torch.where(good, ratios.detach() - self._kl, self._kl - ratios.detach())
        right = float((signed > 0).sum())
        return found, {"margin": float(2 * beta * signed.sum()), "accuracy": right, "units": float(len(good))}


class Reward:
    """A reward model's loss: the score of the preferred answer above that of the other."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        assert isinstance(setting.learner, HeadLearner)
        self._head = setting.learner.head

    def prepare(self, units: Sequence[Unit]) -> None:
        """Nothing to do."""

    def compute(self, items: Sequence[Item], units: int, replayed: int) -> Part:
        """The scores of both answers of each pair, and their loss."""
        setting = self._setting
        learned = [one for one in items if isinstance(one, Unit)]
        row = pack([a for unit in learned for a in unit.answers], MULTIPLE).to(setting.base.device)
        scores = self._head(forward_states(setting.base, row, setting.learner.prefix()).float())[:, 0]
        loss = losses.bradley_terry(scores[::2], scores[1::2]).sum() / units
        return Part(loss, len(row.ids), _of_pairs(scores.detach()))


OBJECTIVES: dict[str, Callable[[Setting], Objective]] = {
    "dpo": Dpo,
    "kto": Kto,
    "orpo": Orpo,
    "reward": Reward,
}


def log_model_of(logits: Tensor, row: PackedRow, kept: Sequence[Replay], count: int) -> Tensor:
    """Log-probabilities (targets, k): first of the answers' tokens in column 0, then of the teachers' tokens."""
    tokens = row.targets[:, None]
    if kept:
        asked = torch.cat([one.teacher.tokens for one in kept]).to(row.ids.device)
        tokens = torch.cat([tokens[:count].expand(-1, asked.shape[1]), asked])
    return log_probs(logits, tokens)


def _of_pairs(scores: Tensor) -> dict[str, float]:
    """Sums over pairs of what their scores, those of the preferred answers first, say."""
    margins = scores[::2] - scores[1::2]
    return {
        "margin": float(margins.sum()),
        "accuracy": float((margins > 0).sum()),
        "units": float(len(margins)),
    }
