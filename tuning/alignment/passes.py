"""The gradients of a step over preferences, in as many passes as its tokens and the cores call for.

What a pass computes is its objective's; passes run one after the other, or on a CPU in parallel threads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

import torch
from torch import Tensor

from tuning.config import TuneConfig
from tuning.models.base_model import BaseModel
from tuning.models.packing import Encoded, packed_length
from tuning.ops.parallel import ComputeThreads, balanced
from tuning.training.learner import Learner

MAX_TOKENS = 2048  # computed in one pass with gradients
_MIN_THREAD_TOKENS = 192  # fewer are not worth a thread of their own

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Part:
    """What one pass adds to a step: its share of the loss, with gradients, and of what is measured."""

    loss: Tensor
    tokens: int
    measures: dict[str, float] = field(default_factory=dict)  # sums, to be added up over passes


@dataclass(frozen=True)
class StepGradients:
    """What a step's passes found together; the gradients are at the parameters."""

    loss: float
    tokens: int
    measures: dict[str, float]


@dataclass(frozen=True)
class _Found:
    loss: float
    tokens: int
    measures: dict[str, float]
    gradients: Sequence[Tensor | None]


class Passes(Generic[_Item]):
    """Computes steps over items of one kind; `sequences` says what of an item passes through the model."""

    def __init__(
        self, base: BaseModel, config: TuneConfig, sequences: Callable[[_Item], Sequence[Encoded]]
    ) -> None:
        self._sequences, self._most = sequences, config.tokens_per_step or MAX_TOKENS
        apart = base.device.type == "cpu" and not config.dropout and not config.checkpointing
        self._threads = ComputeThreads() if apart else None

    def close(self) -> None:
        """End the threads, where there are some."""
        if self._threads is not None:
            self._threads.close()

    def gradients(
        self, learner: Learner, items: Sequence[_Item], compute: Callable[[Sequence[_Item]], Part]
    ) -> StepGradients:
        """Leave the gradients of a step at the parameters; `compute` is called for each group of items."""
        share = partial(self._share, learner.parameters(), compute)
        parts = self._groups(items)
        found = list(map(share, parts)) if self._threads is None else self._threads.map(share, parts)
        for parameter, several in zip(
            learner.parameters(), zip(*(one.gradients for one in found), strict=True), strict=True
        ):
            known = [one for one in several if one is not None]
            parameter.grad = torch.stack(known).sum(0) if known else None
        measures: dict[str, float] = {}
        for one in found:
            for name, value in one.measures.items():
                measures[name] = measures.get(name, 0.0) + value
        return StepGradients(sum(o.loss for o in found), sum(o.tokens for o in found), measures)

    def _share(
        self,
        parameters: Sequence[Tensor],
        compute: Callable[[Sequence[_Item]], Part],
        items: Sequence[_Item],
    ) -> _Found:
        part = compute(items)
        gradients = torch.autograd.grad(part.loss, parameters, allow_unused=True)
        return _Found(float(part.loss.detach()), part.tokens, part.measures, gradients)

    def _groups(self, items: Sequence[_Item]) -> list[list[_Item]]:
        costs = [float(sum(len(one.ids) for one in self._sequences(item))) for item in items]
        count = 1
        if self._threads is not None:
            count = min(self._threads.count, max(1, int(sum(costs)) // _MIN_THREAD_TOKENS))
        return [part for group in balanced(items, costs, count) for part in self._parts(group, count)]

    def _parts(self, items: Sequence[_Item], threads: int) -> list[list[_Item]]:
        found: list[list[_Item]] = []
        held: list[Encoded] = []
        for item in items:
            own = list(self._sequences(item))
            if found and packed_length([*held, *own]) <= self._most // threads:
                found[-1].append(item)
                held += own
            else:
                found.append([item])
                held = own
        return found
