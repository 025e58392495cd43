"""After each pass: is everything known, or does the validation loss no longer fall? Keeps the best state."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from tuning.config import TuneConfig
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward
from tuning.models.packing import MULTIPLE, Encoded, pack
from tuning.ops.kernels import log_probs
from tuning.training.learner import Learner
from tuning.training.run_state import RunState

_ROWS = 16  # items packed together
_PASSES_KNOWN = 2  # in a row: once may be luck


class EarlyStopping:
    """Decides whether a run ends before its last step.

    `probes` are the examples in wordings that training never uses, `validation` examples that it never sees;
    before `min_steps` the probes are not asked.
    """

    def __init__(
        self,
        base: BaseModel,
        config: TuneConfig,
        probes: Sequence[Encoded],
        validation: Sequence[Encoded],
        min_steps: int,
        emit: Callable[[dict[str, Any]], None],
    ) -> None:
        self._base, self._config, self._emit = base, config, emit
        self._probes, self._validation, self._min_steps = probes, validation, min_steps

    def is_due(self, learner: Learner, run: RunState) -> bool:
        """Whether training should end after this pass; notes in `run` what was measured."""
        known = self._all_known(learner, run)
        return known or (bool(self._validation) and self._has_peaked(learner, run))

    def _has_peaked(self, learner: Learner, run: RunState) -> bool:
        """Measure the validation loss and keep the best state; true after `patience` passes without a better."""
        run.validation = self._validation_loss(learner)
        if run.validation < run.best_validation:
            run.best_validation, run.best_step, run.worse_for = run.validation, run.step, 0
            run.keep_best(learner)
        else:
            run.worse_for += 1
        self._emit({"kind": "validation", "step": run.step, "loss": run.validation, "best": run.best_step})
        return self._config.early_stop and run.worse_for >= self._config.patience

    @torch.no_grad()
    def _validation_loss(self, learner: Learner) -> float:
        """The mean loss over the answers' tokens of the examples that training never sees."""
        total, count = 0.0, 0
        for start in range(0, len(self._validation), _ROWS):
            row = pack(self._validation[start : start + _ROWS], MULTIPLE).to(self._base.device)
            logits = forward(self._base, row, learner.prefix())
            total -= float(log_probs(logits, row.targets[:, None]).sum())
            count += len(row.targets)
        return total / count

    @torch.no_grad()
    def _all_known(self, learner: Learner, run: RunState) -> bool:
        """Whether all probes were answered word for word after this pass and after the one before."""
        if not self._config.early_stop or run.step < self._min_steps:
            return False
        known = 0
        for start in range(0, len(self._probes), _ROWS):
            batch = self._probes[start : start + _ROWS]
            row = pack(batch, MULTIPLE).to(self._base.device)
            right = forward(self._base, row, learner.prefix()).argmax(-1) == row.targets
            known += sum(bool(right[row.owner == number].all()) for number in range(len(batch)))
        run.learned = known / len(self._probes)
        run.known_for = run.known_for + 1 if known == len(self._probes) else 0
        return run.known_for >= _PASSES_KNOWN
