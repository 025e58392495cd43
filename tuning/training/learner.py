"""What the training loop needs of a tuning method, and what a method needs to begin."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.models.adapters import Adapter
from tuning.models.base_model import BaseModel
from tuning.models.prefix import PrefixInput
from tuning.training.recipe import Recipe


@dataclass(frozen=True)
class LearnerPlan:
    """Everything a method may need to make its learner."""

    base: BaseModel
    config: TuneConfig
    recipe: Recipe
    conversations: Sequence[Sequence[Message]]
    steps: int
    parent: Adapter | None


class Learner(Protocol):
    """The trainable part of a method: it changes the base only inside `on()`, and undoes that in `close()`."""

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser steps, in float32."""

    def prefix(self) -> PrefixInput:
        """What stands before each row, for one forward pass."""

    def on(self) -> AbstractContextManager[None]:
        """Inside, the base computes with what was learned, and gradients reach the parameters."""

    def penalty(self) -> Tensor | None:
        """A term of the loss that depends on the parameters alone."""

    def after_step(self, step: int) -> None:
        """Called after the optimiser's step and before the gradients are cleared."""

    def scale_update(self, share: float) -> None:
        """Keep only this share of the change, at the end of training."""

    def state(self) -> dict[str, Tensor]:
        """Everything that must be restored when a run is resumed."""

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""

    def adapter(self) -> Adapter:
        """What was learned, to be stored and loaded."""

    def close(self) -> None:
        """Leave the base as it was."""
