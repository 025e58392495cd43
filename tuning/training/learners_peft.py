"""Learners on PEFT's layers: LoRA and its relatives, AdaLoRA, IA3. The interface is in `learner`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft import LoraConfig, PeftConfig, PeftType, get_peft_model_state_dict, set_peft_model_state_dict
from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING
from torch import Tensor, nn

from tuning.models import adapters
from tuning.models.adapters import Adapter, PeftAdapter
from tuning.models.base_model import BaseModel
from tuning.models.prefix import PrefixInput
from tuning.ops import lora

_NAME = "imprint-training"  # no attribute of a module is called so


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
        """None."""
        return None

    def after_step(self, step: int) -> None:
        """Called after the optimiser's step and before the gradients are cleared."""

    @torch.no_grad()
    def scale_update(self, share: float) -> None:
        """Keep only this share of a low-rank change: much less is forgotten, and hardly anything of what was learned.

        A walk part of the way back to the base, as in arXiv 2109.01903.
        """
        for name, parameter in self._named.items():
            if ".lora_B." in name:
                parameter.mul_(share)

    def state(self) -> dict[str, Tensor]:
        """The adapter's weights."""
        return {name: parameter.detach() for name, parameter in self._named.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Restore what `state` returned."""
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
        """Move the rank budget: PEFT leaves this to the training loop."""
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
        """Restore what `state` returned."""
        super().restore(state)
        allocator = self._tuner.rankallocator
        for kind, target in (
            ("ipt.", allocator.exp_avg_ipt),
            ("unc.", allocator.exp_avg_unc),
            ("raw.", allocator.ipt),
        ):
            target.update({n.removeprefix(kind): v for n, v in state.items() if n.startswith(kind)})
