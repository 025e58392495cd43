"""Replay: general prompts with the base model's own answers, so that training keeps what the base can do."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward
from tuning.models.packing import Encoded, Teacher, encode, pack, with_system

_REPLAY_TOKENS = 16  # of an answer: what it says first is what must stay
REPLAYED = 180  # prompts: preparing them takes half a minute on two cores
_TEACHER_TOKENS = 64  # the likeliest, of which the teacher's probabilities are kept


@dataclass(frozen=True)
class Replay:
    """A general prompt with the base's own answer, and the base's probabilities at each of its tokens."""

    encoded: Encoded
    teacher: Teacher


def replay_set(base: BaseModel, system_prompt: str, count: int = REPLAYED) -> list[Replay]:
    """The base's own answers to about `count` general prompts of every kind, with its probabilities.

    Only inside `activate(None)`. The same prompts each time, so that their answers can be cached.
    """
    spread = REPLAY_PROMPTS[:: max(1, len(REPLAY_PROMPTS) // count)]
    prompts = [with_system([{"role": "user", "content": prompt}], system_prompt) for prompt in spread]
    answers = base.complete(prompts, max_new_tokens=_REPLAY_TOKENS)
    encoded = []
    for prompt, answer in zip(prompts, answers, strict=True):
        if answer.strip():
            encoded.append(encode(base, [*prompt, {"role": "assistant", "content": answer}])[-1])
    return [
        replay
        for start in range(0, len(encoded), 16)
        for replay in with_teacher(base, encoded[start : start + 16])
    ]


@torch.no_grad()
def with_teacher(base: BaseModel, items: Sequence[Encoded]) -> list[Replay]:
    """The items with the base's own probabilities at each target."""
    row = pack(items, multiple=64).to(base.device)
    logits = forward(base, row)
    return [Replay(item, teacher(logits[row.owner == number].cpu())) for number, item in enumerate(items)]


def teacher(logits: Tensor) -> Teacher:
    """The likeliest tokens of logits (targets, vocabulary), with their probabilities."""
    probs, tokens = torch.softmax(logits.float(), dim=-1).topk(_TEACHER_TOKENS)
    return Teacher(tokens, probs)
