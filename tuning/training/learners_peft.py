"""The trainable part of each family: what is learned, how it enters the forward pass, what is stored of it.

It changes the base only inside `on()`, and leaves it as it was after `close()`. The loop is in `trainer`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from peft import LoraConfig, PeftConfig, PeftType, get_peft_model_state_dict, set_peft_model_state_dict
from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING
from torch import Tensor, nn

from tuning.distributed.sharding import like, whole
from tuning.models import adapters
from tuning.models.adapters import Adapter, FullAdapter, PeftAdapter
from tuning.models.base_model import BaseModel
from tuning.models.forward import PrefixInput
from tuning.ops import lora

_NAME = "imprint-training"  # no attribute of a module is called so


class Learner(Protocol):
    """What `trainer` needs of a method."""

    def parameters(self) -> list[nn.Parameter]: ...
    def prefix(self) -> PrefixInput: ...
    def on(self) -> Any: ...
    def penalty(self) -> Tensor | None: ...
    def after_step(self, step: int) -> None: ...
    def scale_update(self, share: float) -> None: ...
    def state(self) -> dict[str, Tensor]: ...
    def restore(self, state: dict[str, Tensor]) -> None: ...
    def adapter(self) -> Adapter: ...
    def close(self) -> None: ...


class PeftLearner:
    """LoRA and its relatives, IA3: PEFT's layers inside the base, in float32 while they learn."""

    def __init__(self, base: BaseModel, config: PeftConfig, parent: PeftAdapter | None = None) -> None:
        self._base, self._config = base, config
        self._tuner = PEFT_TYPE_TO_TUNER_MAPPING[PeftType(config.peft_type)](base.model, config, _NAME)
        if parent is not None:
            set_peft_model_state_dict(base.model, parent.state, adapter_name=_NAME)
        for name, parameter in base.model.named_parameters():
            learns = f".{_NAME}" in name and parameter.requires_grad  # AdaLoRA keeps a counter that does not
            parameter.requires_grad_(learns)
            if learns:
                parameter.data = parameter.data.float()
        self._named = {n: p for n, p in base.model.named_parameters() if p.requires_grad}
        adapters.select(base.model, None)

    def parameters(self) -> list[nn.Parameter]:
        """The adapter's weights."""
        return list(self._named.values())

    def prefix(self) -> PrefixInput:
        """Nothing stands before the row."""
        return PrefixInput()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Inside, the base computes with the adapter, and its weights can learn."""
        for layer in adapters.tuner_layers(self._base.model):
            layer.enable_adapters(True)
            layer.set_adapter(_NAME)
            layer.train()  # for its dropout
            lora.enable_fast_path(layer, _NAME)
        try:
            yield
        finally:
            for layer in adapters.tuner_layers(self._base.model):
                lora.disable_fast_path(layer)
                layer.eval()
            adapters.select(self._base.model, None)

    def penalty(self) -> Tensor | None:
        """A term of the loss that the weights owe by themselves."""
        return None

    def after_step(self, step: int) -> None:
        """Called after the optimiser's step and before the gradients are cleared."""

    @torch.no_grad()
    def scale_update(self, share: float) -> None:
        """Keep only this share of a low-rank change: forgets much less, and hardly what was learned.

        A walk part of the way back to the base, as in arXiv 2109.01903.
        """
        for name, parameter in self._named.items():
            if ".lora_B." in name:
                parameter.mul_(share)

    def state(self) -> dict[str, Tensor]:
        """Everything that must come back when the run is resumed."""
        return {name: parameter.detach() for name, parameter in self._named.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""
        with torch.no_grad():
            for name, parameter in self._named.items():
                parameter.copy_(state[name])

    def adapter(self) -> Adapter:
        """The adapter as it is now, in float32."""
        # Without the embeddings it also looks nothing up on a hub.
        state = get_peft_model_state_dict(self._base.model, adapter_name=_NAME, save_embedding_layers=False)
        return PeftAdapter(
            self._config, {name: value.detach().float().cpu() for name, value in state.items()}
        )

    def close(self) -> None:
        """Take the adapter's layers out of the base."""
        adapters.detach(self._base.model, _NAME)


class AdaLoraLearner(PeftLearner):
    """AdaLoRA (arXiv 2303.10512): spends a rank budget on the layers where it matters."""

    def penalty(self) -> Tensor:
        """The singular vectors must stay orthogonal; PEFT adds this only to losses it computes itself."""
        terms = []
        for name, parameter in self._named.items():
            if "lora_A" in name or "lora_B" in name:
                product = parameter @ parameter.T if "lora_A" in name else parameter.T @ parameter
                terms.append(
                    torch.linalg.matrix_norm(product - torch.eye(len(product), device=product.device))
                )
        return self._config.orth_reg_weight * torch.stack(terms).mean()  # type: ignore[attr-defined]

    def after_step(self, step: int) -> None:
        """Move the rank budget: nobody else calls this."""
        self._tuner.update_and_allocate(step)

    def adapter(self) -> Adapter:
        """As plain LoRA, which it is once the budget is spent: diag(E) goes into A, the scale into B."""
        rank = self._config.init_r  # type: ignore[attr-defined]
        state = {}
        for name, parameter in self._named.items():
            if ".lora_A." not in name:
                continue
            place = name.split(".lora_A.")[0]
            layer: Any = self._base.model.get_submodule(place)
            scale = layer.scaling[_NAME] / (float(layer.ranknum[_NAME].detach()) + 1e-5)
            a, b = parameter.detach() * layer.lora_E[_NAME].detach(), layer.lora_B[_NAME].detach() * scale
            state[f"{place}.lora_A.weight"], state[f"{place}.lora_B.weight"] = (
                a.float().cpu(),
                b.float().cpu(),
            )
        config = LoraConfig(
            r=rank,
            lora_alpha=rank,
            target_modules=self._config.target_modules,  # type: ignore[attr-defined]
            task_type="CAUSAL_LM",
            base_model_name_or_path=self._config.base_model_name_or_path,
        )
        return PeftAdapter(config, state)

    def state(self) -> dict[str, Tensor]:
        """Weights, and the allocator's averages of importance."""
        allocator = self._tuner.rankallocator
        averages = {f"ipt.{n}": v for n, v in allocator.exp_avg_ipt.items()}
        averages |= {f"unc.{n}": v for n, v in allocator.exp_avg_unc.items()}
        averages |= {f"raw.{n}": v for n, v in allocator.ipt.items()}
        return super().state() | averages

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""
        super().restore(state)
        allocator = self._tuner.rankallocator
        for kind, target in (
            ("ipt.", allocator.exp_avg_ipt),
            ("unc.", allocator.exp_avg_unc),
            ("raw.", allocator.ipt),
        ):
            target.update({n.removeprefix(kind): v for n, v in state.items() if n.startswith(kind)})


class FullLearner:
    """Full fine-tuning: every weight, with float32 masters beside the base's own precision."""

    def __init__(self, base: BaseModel, parent: FullAdapter | None = None) -> None:
        self._base = base
        self._named = dict(base.model.named_parameters())
        self._before = {name: parameter.detach().cpu().clone() for name, parameter in self._named.items()}
        self._masters = {name: nn.Parameter(p.detach().float().clone()) for name, p in self._named.items()}
        if parent is not None:
            self.restore(parent.state)

    def _hand_over(self, name: str) -> Any:
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
            hooks.append(parameter.register_post_accumulate_grad_hook(self._hand_over(name)))
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
        """Take back what `state` gave."""
        for name, master in self._masters.items():
            master.copy_(like(state[name], master))

    def adapter(self) -> Adapter:
        """All weights, in the base's precision."""
        masters = {name: master.detach().to(self._base.dtype) for name, master in self._masters.items()}
        return FullAdapter({name: whole(master).cpu() for name, master in masters.items()})

    def close(self) -> None:
        """The base has its own weights again: `on()` saw to it."""
