"""Answers that the policy writes itself, with their rewards and the reference's view: what PPO and GRPO learn from.

How they are learned from is in `policy`.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning.alignment.reward_model import RewardModel
from tuning.alignment.sequences import (
    MAX_TOKENS,
    answer_log_probs,
    groups,
    token_log_probs,
    without_oldest_turn,
)
from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.models import decoding
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward_states
from tuning.models.packing import MULTIPLE, Encoded, pack, with_system
from tuning.training.learner import Learner

UNENDED = 1.0  # taken off the score of an answer that did not come to its end
_TOGETHER = 32  # answers written at once


@dataclass(frozen=True)
class Rollout:
    """One answer that the policy wrote. Tensors are (tokens,), on the CPU."""

    item: Encoded  # prompt and answer; the targets are the answer's tokens
    group: int  # which prompt
    ended: bool  # with the token that ends a turn
    old: Tensor  # log-probabilities as it was written
    reference: Tensor  # and under the reference
    score: float  # of the reward model
    states: Tensor | None = None  # (tokens, hidden): before each token, for PPO's values

    @property
    def tokens(self) -> list[int]:
        """The answer's ids."""
        return [self.item.ids[place] for place in self.item.targets]


def prompts_within(
    base: BaseModel, config: TuneConfig, prompts: Sequence[Sequence[Message]], most: int
) -> list[list[int]]:
    """The prompts as ids of at most so many tokens, without their oldest turns; without those that do not fit."""
    found = []
    for prompt in prompts:
        messages: list[Message] | None = with_system(prompt, config.system_prompt)
        while messages is not None:
            ids = base.chat_ids(messages, add_generation_prompt=True)
            if len(ids) <= most:
                found.append(ids)
                break
            messages = without_oldest_turn(messages)
    return found


class Writer:
    """Lets the policy answer, and the reward model and the reference judge."""

    def __init__(self, base: BaseModel, learner: Learner, reward: RewardModel, reference: str | None) -> None:
        self._base, self._learner, self._reward, self._reference = base, learner, reward, reference

    def roll_out(
        self, prompts: Sequence[list[int]], samples: int, most: int, seed: str, *, states: bool
    ) -> list[Rollout]:
        """So many answers of at most so many tokens to each prompt; with the states before their tokens if asked."""
        asked = [(number, ids) for number, ids in enumerate(prompts) for _ in range(samples)]
        with self._base.activate(None), self._learner.on():
            written = self._written([ids for _, ids in asked], most, seed)
            ended = [len(answer) < most for answer in written]
            items = [
                _item(prompt, answer, self._base.end_id if end else None)
                for (_, prompt), answer, end in zip(asked, written, ended, strict=True)
            ]
            old = learned_log_probs(self._base, items, self._learner)
            held: Sequence[Tensor | None] = [None] * len(items)
            if states:
                held = learned_states(self._base, items, self._learner)
        reference = token_log_probs(self._base, items, self._reference)
        scores = self._reward.scores_of(items)
        return [
            Rollout(item, group, end, one, other, score - (0.0 if end else UNENDED), state)
            for (group, _), item, end, one, other, score, state in zip(
                asked, items, ended, old, reference, scores, held, strict=True
            )
        ]

    def _written(self, prompts: Sequence[list[int]], most: int, seed: str) -> list[list[int]]:
        draw = decoding.row_sampler(torch.Generator().manual_seed(random.Random(seed).getrandbits(62)))
        found: list[list[int]] = []
        for start in range(0, len(prompts), _TOGETHER):
            batch = [list(ids) for ids in prompts[start : start + _TOGETHER]]
            with torch.no_grad():
                cache = self._learner.prefix().cache or self._base.new_cache()
            found += decoding.greedy_batch(self._base.model, batch, cache, self._base.stop_ids, most, draw)
        return found


@torch.no_grad()
def learned_log_probs(base: BaseModel, items: Sequence[Encoded], learner: Learner) -> list[Tensor]:
    """The log-probabilities of each answer's tokens under what is learned, on the CPU. Inside `on` only."""
    found: list[Tensor] = []
    for group in groups(items, MAX_TOKENS):
        values, _ = answer_log_probs(base, group, learner.prefix())
        found.extend(values.cpu().split([len(one.targets) for one in group]))
    return found


@torch.no_grad()
def learned_states(base: BaseModel, items: Sequence[Encoded], learner: Learner) -> list[Tensor]:
    """The last layer's states (tokens, hidden) before each answer's tokens, float32 on the CPU. Inside `on` only."""
    found: list[Tensor] = []
    for group in groups(items, MAX_TOKENS):
        row = pack(group, MULTIPLE).to(base.device)
        states = forward_states(base, row, learner.prefix()).float().cpu()
        found.extend(states.split([len(one.targets) for one in group]))
    return found


def _item(prompt: list[int], answer: list[int], end: int | None) -> Encoded:
    """The sequence; an answer that has ended has its ending token as a target too."""
    said = [*answer, end] if end is not None else answer
    return Encoded((*prompt, *said), tuple(range(len(prompt), len(prompt) + len(said))))
