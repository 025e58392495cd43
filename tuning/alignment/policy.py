"""The steps of PPO and GRPO: answers are written, scored, and those that were better than expected made likelier.

PPO as in "Learning to summarize from human feedback" (arXiv 2009.01325), GRPO as in DeepSeekMath (arXiv 2402.03300);
the arithmetic is in `advantages`, the answers come from `rollouts`.
"""

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from tuning.alignment.advantages import clipped, gae, group_advantages, kl_estimate, whitened
from tuning.alignment.kept import KeptAnswers
from tuning.alignment.loop import Advance, Weights
from tuning.alignment.objectives import Setting, log_model_of
from tuning.alignment.passes import Part, Passes, StepGradients
from tuning.alignment.reward_head import HeadLearner
from tuning.alignment.reward_model import RewardModel
from tuning.alignment.rollouts import Rollout, Writer, prompts_within
from tuning.alignment.sequences import check_fits
from tuning.alignment.watch import HackingWatch, measured
from tuning.data.examples import Message
from tuning.models.forward import forward_padded
from tuning.models.packing import MULTIPLE, Encoded, pack
from tuning.training.learner import Learner
from tuning.training.replay import Replay
from tuning.training.step import distance

_PASSES = 2  # over the answers of a step
_PER_UPDATE = 8  # answers
_VALUE_WEIGHT = 0.5


@dataclass(frozen=True)
class Graded:
    """An answer, and how much better each of its tokens (tokens,) was than expected."""

    rollout: Rollout
    advantages: Tensor
    returns: Tensor | None = None  # what PPO's values should have been


Item = Graded | Replay


class PolicyWork:
    """Steps that write answers to some of the prompts and learn from them."""

    def __init__(
        self,
        setting: Setting,
        prompts: Sequence[Sequence[Message]],
        reward: RewardModel,
        reference: str | None,
        kept: KeptAnswers,
        watch: HackingWatch,
    ) -> None:
        self._setting, self._kept, self._watch = setting, kept, watch
        base, config, most = setting.base, setting.config, setting.recipe.answer_tokens
        room = min(base.prompt_capacity(reference), base.prompt_capacity(reward.name)) - most - 2
        self._prompts = prompts_within(base, config, prompts, room)
        check_fits(len(self._prompts), len(prompts), base.window)
        self._writer = Writer(base, setting.learner, reward, reference)
        self._passes: Passes[Item] = Passes(base, config, _sequences)
        learner = setting.learner
        self._head = learner.head if isinstance(learner, HeadLearner) else None

    def close(self) -> None:
        """End the threads of its passes."""
        self._passes.close()

    def learning(self, learner: Learner) -> AbstractContextManager[None]:
        """Nothing: a step computes with the reference and the reward model too."""
        return nullcontext()

    def advance(self, step: int, weights: Weights) -> Advance:
        """Write answers to a step's prompts, and learn from them in a few updates."""
        setting = self._setting
        seed = f"{setting.config.seed} step {step}"
        rollouts = self._writer.roll_out(
            self._chosen(step), setting.recipe.samples, setting.recipe.answer_tokens, seed,
            states=self._head is not None,
        )  # fmt: skip
        measures = measured(rollouts)
        stop = self._watch.note(step, measures)
        if stop:
            return Advance(0.0, 0, measures, stop=stop)
        if self._watch.is_sound:
            weights.keep()
        rng = random.Random(seed)
        with setting.base.activate(None), setting.learner.on():
            done = self._learn(self._graded(rollouts), rng, weights.update)
        total = sum(one.loss for one in done) / len(done)
        return Advance(total, sum(one.tokens for one in done), measures)

    def _chosen(self, step: int) -> list[list[int]]:
        """Each pass goes through all prompts in an order of its own."""
        size = self._setting.recipe.per_step
        epoch, place = divmod(step, self._setting.recipe.steps_per_epoch(len(self._prompts)))
        order = list(range(len(self._prompts)))
        random.Random(f"{self._setting.config.seed} order {epoch}").shuffle(order)
        return [self._prompts[index] for index in order[place * size : (place + 1) * size]]

    def _graded(self, rollouts: Sequence[Rollout]) -> list[Graded]:
        if self._head is None:
            scores = torch.tensor([one.score for one in rollouts])
            found = group_advantages(scores, torch.tensor([one.group for one in rollouts]))
            return [
                Graded(one, value.expand(len(one.old))) for one, value in zip(rollouts, found, strict=True)
            ]
        pairs = [gae(token_rewards(one, self._setting.recipe.beta), self._values(one)) for one in rollouts]
        advantages = whitened([one for one, _ in pairs])
        return [Graded(o, a, r) for o, a, (_, r) in zip(rollouts, advantages, pairs, strict=True)]

    @torch.no_grad()
    def _values(self, rollout: Rollout) -> Tensor:
        assert self._head is not None and rollout.states is not None
        values: Tensor = self._head(rollout.states.to(self._head.weight.device))[:, 0].cpu()
        return values

    def _learn(
        self, graded: Sequence[Graded], rng: random.Random, update: Callable[[], None]
    ) -> list[StepGradients]:
        """A few passes over the answers, in an order of their own, an update after each few."""
        done = []
        for _ in range(_PASSES):
            order = rng.sample(list(graded), len(graded))
            for start in range(0, len(order), _PER_UPDATE):
                part, replays = order[start : start + _PER_UPDATE], self._kept.draw(rng)
                tokens = sum(len(one.advantages) for one in part)
                targets = max(1, sum(len(one.encoded.targets) for one in replays))
                compute = partial(self._compute, tokens=tokens, replayed=targets)
                done.append(self._passes.gradients(self._setting.learner, [*part, *replays], compute))
                update()
        return done

    def _compute(self, items: Sequence[Item], tokens: int, replayed: int) -> Part:
        """One pass over some of an update's items, which has so many tokens and replayed targets in all."""
        setting, device = self._setting, self._setting.base.device
        graded = [one for one in items if isinstance(one, Graded)]
        kept = [one for one in items if isinstance(one, Replay)]
        sequences = [one for item in items for one in _sequences(item)]
        row = pack(sequences, MULTIPLE).to(device)
        logits = forward_padded(setting.base, row, setting.learner.prefix())
        count = sum(len(one.advantages) for one in graded)
        log_model = log_model_of(logits, row, kept, count)
        loss = logits.new_zeros((), dtype=torch.float32)
        if graded:
            loss = self._objective(graded, log_model[:count, 0]).sum() / tokens
        if kept:
            far = distance(log_model[count:], [one.teacher for one in kept])
            loss = loss + setting.recipe.replay_weight * far / replayed
        return Part(loss, len(row.ids))

    def _objective(self, graded: Sequence[Graded], log_probs: Tensor) -> Tensor:
        """The loss of each token (tokens,)."""
        device = log_probs.device
        old, reference = (
            torch.cat([getattr(one.rollout, name) for one in graded]).to(device)
            for name in ("old", "reference")
        )
        advantages = torch.cat([one.advantages for one in graded]).to(device)
        loss = clipped(log_probs, old, advantages)
        if self._head is None:
            return loss + self._setting.recipe.beta * kl_estimate(log_probs, reference)
        states = torch.cat([one.rollout.states for one in graded if one.rollout.states is not None])
        returns = torch.cat([one.returns for one in graded if one.returns is not None]).to(device)
        values = self._head(states.to(device))[:, 0]
        return loss + _VALUE_WEIGHT * (values - returns) ** 2


def token_rewards(rollout: Rollout, beta: float) -> Tensor:
    """What each token (tokens,) earns: minus β times its log-ratio to the reference, and at the end the score."""
    rewards = -beta * (rollout.old - rollout.reference)
    rewards[-1] += rollout.score
    return rewards


def _sequences(item: Item) -> Sequence[Encoded]:
    return (item.rollout.item,) if isinstance(item, Graded) else (item.encoded,)
