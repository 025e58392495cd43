"""One step of training: the loss of its examples and replayed prompts, and the gradients of both.

A step is computed in as many passes as its tokens and the cores call for: one after the other, in parallel threads
on a CPU (`tuning.ops.parallel`), or each process its share (`tuning.distributed.ranks`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from tuning.config import TuneConfig
from tuning.distributed.ranks import Ranks
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward, forward_padded
from tuning.models.packing import MULTIPLE, Encoded, PackedRow, Teacher, pack, packed_length
from tuning.models.prefix import prefix_input
from tuning.ops.kernels import log_probs
from tuning.ops.parallel import ComputeThreads, balanced
from tuning.training import methods
from tuning.training.batches import StepBatch
from tuning.training.learner import Learner
from tuning.training.replay import Replay, teacher

_MAX_TOKENS = 4096  # computed in one pass
_MIN_THREAD_TOKENS = 192  # fewer are not worth a thread of their own
_TARGET_COST = 0.25  # of a position's logits and their gradient, in positions


@dataclass(frozen=True)
class _Share:
    """What one pass adds to a step."""

    loss: float
    tokens: int
    gradients: Sequence[Tensor | None]  # one a parameter; none where they were added up already


class Step:
    """Computes the steps of a run. `source` holds a text's keys and values, for a method that distils it."""

    def __init__(
        self,
        base: BaseModel,
        config: TuneConfig,
        ranks: Ranks,
        replay_weight: float,
        source: list[Tensor] | None,
    ) -> None:
        self._base, self._config, self._ranks = base, config, ranks
        self._replay_weight, self._source = replay_weight, source
        self._threads = ComputeThreads() if self._can_be_threaded() else None

    def close(self) -> None:
        """End the threads, where there are some."""
        if self._threads is not None:
            self._threads.close()

    def gradients(self, learner: Learner, batch: StepBatch) -> tuple[float, int]:
        """Leave the gradients of a step at the parameters; returns its loss a target, and the tokens computed on."""
        facts, kept = batch.facts, batch.replays
        targets = sum(len(one.targets) for one in facts)
        replayed = max(1, sum(len(one.encoded.targets) for one in kept))
        groups = self._groups([*facts, *(one.encoded for one in kept)])
        passes = self._ranks.all_reduce_max(len(groups), self._base.device)
        share = partial(self._share, learner, kept, targets, replayed)
        if self._threads is None:
            found = [share(part) for part in groups]
        else:
            found = self._threads.map(partial(share, apart=True), groups)
            _put(learner.parameters(), [one.gradients for one in found])
        for _ in range(passes - len(groups)):
            self._idle(learner, facts[0])
        loss = self._gathered(learner, sum(one.loss for one in found))
        return loss, sum(one.tokens for one in found)

    def _can_be_threaded(self) -> bool:
        """Whether passes may be computed at once: on a CPU, of few parameters, and where nothing is drawn in them."""
        config, family = self._config, methods.method(self._config.method).family
        alone = self._base.device.type == "cpu" and self._ranks.count == 1
        return alone and family != "full" and not config.dropout and not config.checkpointing

    def _groups(self, items: Sequence[Encoded]) -> list[list[Encoded]]:
        """What this process computes of a step's items, by what is computed in one pass."""
        items, most = self._ranks.share(items), self._config.tokens_per_step or _MAX_TOKENS
        if self._threads is None:
            return list(parts(items, most))
        count = min(self._threads.count, max(1, packed_length(items) // _MIN_THREAD_TOKENS))
        costs = [len(one.ids) + _TARGET_COST * len(one.targets) for one in items]
        return [part for group in balanced(items, costs, count) for part in parts(group, most // count)]

    def _share(
        self,
        learner: Learner,
        kept: Sequence[Replay],
        targets: int,
        replayed: int,
        part: Sequence[Encoded],
        apart: bool = False,
    ) -> _Share:
        """One pass: its share of a step's loss, and the gradients of it, `apart` or added to the parameters'."""
        row = pack(part, MULTIPLE).to(self._base.device)
        logits = forward_padded(self._base, row, learner.prefix())
        taught = [one.teacher for one in kept if any(one.encoded is item for item in part)]
        count = int((row.owner < len(part) - len(taught)).sum())  # the examples' targets come first
        tokens = row.targets[:, None]
        if taught:
            asked = torch.cat([one.tokens for one in taught]).to(row.ids.device)
            tokens = torch.cat([tokens[:count].expand(-1, asked.shape[1]), asked])
        log_model = log_probs(logits, tokens)
        loss = -log_model[:count, 0].sum() / targets
        total = loss
        if self._source is not None:
            total = total + self._imitate(self._source, row, logits, count) / targets
        if taught:
            total = total + self._replay_weight * distance(log_model[count:], taught) / replayed
        gradients: Sequence[Tensor | None] = ()
        if apart:
            gradients = torch.autograd.grad(total, learner.parameters(), allow_unused=True)
        else:
            total.backward()
        return _Share(float(loss.detach()), len(row.ids), gradients)

    def _idle(self, learner: Learner, item: Encoded) -> None:
        """A pass that adds nothing: where the base is shared out, all processes compute equally often."""
        row = pack([item], MULTIPLE).to(self._base.device)
        logits = forward(self._base, row, learner.prefix())
        if self._source is not None:
            with torch.no_grad():
                forward(self._base, row, prefix_input(self._base, self._source))
        (0 * logits.sum()).backward()

    def _gathered(self, learner: Learner, loss: float) -> float:
        """Add up what the processes found, where there are several."""
        if self._ranks.count == 1:
            return loss
        for parameter in learner.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        total = torch.tensor(loss, device=self._base.device)
        self._ranks.all_reduce_sum([total, *(p.grad for p in learner.parameters() if p.grad is not None)])
        return float(total)

    def _imitate(self, source: list[Tensor], row: PackedRow, logits: Tensor, count: int) -> Tensor:
        """KL to the base that has the text in front of it (prompt distillation, arXiv 2412.14964), summed."""
        with torch.no_grad():
            reading = forward(self._base, row, prefix_input(self._base, source))
        return divergence(logits[:count], [teacher(reading[:count])])


def _put(parameters: Sequence[Tensor], found: Sequence[Sequence[Tensor | None]]) -> None:
    """The gradients of several passes added up in their order, where an optimiser looks for them."""
    for parameter, several in zip(parameters, zip(*found, strict=True), strict=True):
        known = [one for one in several if one is not None]
        if known:
            parameter.grad = known[0] if len(known) == 1 else torch.stack(known).sum(0)


def parts(items: Sequence[Encoded], most: int) -> Iterator[list[Encoded]]:
    """The items in order, in groups that pack into at most so many tokens (a longer item stands alone)."""
    group: list[Encoded] = []
    for item in items:
        if group and packed_length([*group, item]) > most:
            yield group
            group = []
        group.append(item)
    if group:
        yield group


def divergence(logits: Tensor, teachers: Sequence[Teacher]) -> Tensor:
    """KL(teacher ‖ model), summed over targets, over the teacher's likeliest tokens and the rest as one."""
    tokens = torch.cat([one.tokens for one in teachers]).to(logits.device)
    return distance(log_probs(logits, tokens), teachers)


def distance(log_model: Tensor, teachers: Sequence[Teacher]) -> Tensor:
    """As `divergence`, from the model's log-probabilities of the teachers' tokens."""
    probs = torch.cat([one.probs for one in teachers]).to(log_model.device)
    rest_teacher = (1 - probs.sum(-1)).clamp(min=1e-6)
    rest_model = torch.log((1 - log_model.exp().sum(-1)).clamp(min=1e-6))
    inside = (probs * (probs.clamp(min=1e-9).log() - log_model)).sum(-1)
    return (inside + rest_teacher * (rest_teacher.log() - rest_model)).sum()
