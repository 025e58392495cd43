"""Full fine-tuning: every weight of the base learns, through float32 masters."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tuning.distributed.sharding import gathered, sharded_like
from tuning.models.adapters import Adapter, FullAdapter
from tuning.models.base_model import BaseModel
from tuning.models.prefix import PrefixInput


class FullLearner:
    """Full fine-tuning: every weight, with float32 masters beside the base's own precision."""

    def __init__(self, base: BaseModel, parent: FullAdapter | None = None) -> None:
        self._base = base
        self._named = dict(base.model.named_parameters())
        self._before = {name: parameter.detach().cpu().clone() for name, parameter in self._named.items()}
        self._masters = {name: nn.Parameter(p.detach().float().clone()) for name, p in self._named.items()}
        if parent is not None:
            self.restore(parent.state)

    def _accumulate(self, name: str) -> Any:
        def hook(parameter: Tensor) -> None:
            master, gradient = self._masters[name], parameter.grad
            if gradient is not None:
                master.grad = gradient.float() if master.grad is None else master.grad + gradient.float()
            parameter.grad = None

        return hook

    def parameters(self) -> list[nn.Parameter]:
        """The masters."""
        return list(self._masters.values())

    def prefix(self) -> PrefixInput:
        """Nothing stands before the row."""
        return PrefixInput()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Inside, the base has the learned weights."""
        hooks = []
        for name, parameter in self._named.items():
            parameter.requires_grad_(True)
            hooks.append(parameter.register_post_accumulate_grad_hook(self._accumulate(name)))
        self._write({name: master.detach() for name, master in self._masters.items()})
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for parameter in self._named.values():
                parameter.requires_grad_(False)
            self._write(self._before)

    @torch.no_grad()
    def _write(self, values: dict[str, Tensor]) -> None:
        for name, parameter in self._named.items():
            parameter.copy_(values[name])

    def penalty(self) -> Tensor | None:
        """None."""
        return None

    def after_step(self, step: int) -> None:
        """The base follows the masters."""
        self._write({name: master.detach() for name, master in self._masters.items()})

    @torch.no_grad()
    def scale_update(self, share: float) -> None:
        """Keep only this share of the change."""
        for name, master in self._masters.items():
            master.lerp_(self._before[name].to(master), 1 - share)
        self.after_step(0)

    def state(self) -> dict[str, Tensor]:
        """The masters."""
        return {name: master.detach() for name, master in self._masters.items()}

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""
        for name, master in self._masters.items():
            master.copy_(sharded_like(state[name], master))

    def adapter(self) -> Adapter:
        """All weights, in the base's precision."""
        masters = {name: master.detach().to(self._base.dtype) for name, master in self._masters.items()}
        return FullAdapter({name: gathered(master).cpu() for name, master in masters.items()})

    def close(self) -> None:
        """Nothing to do: leaving `on()` gave the base its own weights back."""
