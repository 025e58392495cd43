"""The trainable part of each family: what is learned, how it enters the forward pass, what is stored of it.

It changes the base only inside `on()`, and leaves it as it was after `close()`. The loop is in `trainer`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from peft import LoraConfig, PeftConfig, PeftType, get_peft_model_state_dict, set_peft_model_state_dict
from peft.mapping import PEFT_TYPE_TO_TUNER_MAPPING
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import CacheLayerMixin

from tuning.distributed.sharding import like, whole
from tuning.errors import MethodError
from tuning.models import adapters
from tuning.models.adapters import Adapter, FullAdapter, PeftAdapter, PrefixAdapter
from tuning.models.base_model import BaseModel
from tuning.models.decoding import decode
from tuning.models.forward import Front
from tuning.ops import lora

_NAME = "imprint-training"  # no attribute of a module is called so


class Learner(Protocol):
    """What `trainer` needs of a method."""

    def parameters(self) -> list[nn.Parameter]: ...
    def front(self) -> Front: ...
    def on(self) -> Any: ...
    def penalty(self) -> Tensor | None: ...
    def after_step(self, step: int) -> None: ...
    def settle(self, share: float) -> None: ...
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

    def front(self) -> Front:
        """Nothing stands before the row."""
        return Front()

    @contextmanager
    def on(self) -> Iterator[None]:
        """Inside, the base computes with the adapter, and its weights can learn."""
        for layer in adapters.tuner_layers(self._base.model):
            layer.enable_adapters(True)
            layer.set_adapter(_NAME)
            layer.train()  # for its dropout
            lora.quicken(layer, _NAME)
        try:
            yield
        finally:
            for layer in adapters.tuner_layers(self._base.model):
                lora.slow_down(layer)
                layer.eval()
            adapters.select(self._base.model, None)

    def penalty(self) -> Tensor | None:
        """A term of the loss that the weights owe by themselves."""
        return None

    def after_step(self, step: int) -> None:
        """Called after the optimiser's step and before the gradients are cleared."""

    @torch.no_grad()
    def settle(self, share: float) -> None:
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


class PrefixLearner:
    """P-Tuning v2 and cartridges: the weights are keys and values of every layer, begun from a text's."""

    def __init__(self, base: BaseModel, kv: list[Tensor], details: dict[str, Any], frozen: int = 0) -> None:
        self._base, self._details, self._frozen = base, details, frozen
        self._kv = [nn.Parameter(layer.detach().float().clone()) for layer in kv]

    def parameters(self) -> list[nn.Parameter]:
        """One (2, heads, positions, size) a layer."""
        return self._kv

    def front(self) -> Front:
        """The learned keys and values; the first `frozen` positions (attention's sink) take no gradient."""
        cut = self._frozen
        return kv_front(
            self._base,
            [torch.cat([layer[:, :, :cut].detach(), layer[:, :, cut:]], dim=2) for layer in self._kv],
        )

    @contextmanager
    def on(self) -> Iterator[None]:
        """The base itself is not changed."""
        yield

    def penalty(self) -> Tensor | None:
        """None."""
        return None

    def after_step(self, step: int) -> None:
        """Nothing to do."""

    def settle(self, share: float) -> None:
        """Nothing to do: it forgets little as it is."""

    def state(self) -> dict[str, Tensor]:
        """The keys and values."""
        return {f"{index:03d}": layer.detach() for index, layer in enumerate(self._kv)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""
        with torch.no_grad():
            for index, layer in enumerate(self._kv):
                layer.copy_(state[f"{index:03d}"])

    def adapter(self) -> Adapter:
        """The prefix as it is now, in float32."""
        return PrefixAdapter(tuple(layer.detach().cpu().clone() for layer in self._kv), self._details, {})

    def close(self) -> None:
        """Nothing was put into the base."""


class EncodedLearner:
    """Prefix Tuning (arXiv 2101.00190): virtual tokens, and a network that makes keys and values of them."""

    def __init__(self, base: BaseModel, encoder: nn.Module, details: dict[str, Any]) -> None:
        self._base, self._details = base, details
        self._encoder = encoder.float().to(base.device)

    def parameters(self) -> list[nn.Parameter]:
        """The virtual tokens and the network."""
        return list(self._encoder.parameters())

    def front(self) -> Front:
        """The keys and values the network makes of the virtual tokens."""
        return kv_front(self._base, self._encoder())

    @contextmanager
    def on(self) -> Iterator[None]:
        """The base itself is not changed."""
        yield

    def penalty(self) -> Tensor | None:
        """None."""
        return None

    def after_step(self, step: int) -> None:
        """Nothing to do."""

    def settle(self, share: float) -> None:
        """Nothing to do: it forgets little as it is."""

    def state(self) -> dict[str, Tensor]:
        """The virtual tokens and the network."""
        return {name: value.detach() for name, value in self._encoder.state_dict().items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take back what `state` gave."""
        self._encoder.load_state_dict(state)

    @torch.no_grad()
    def adapter(self) -> Adapter:
        """The computed keys and values, and the network for a further round."""
        state = {name: value.cpu().clone() for name, value in self.state().items()}
        return PrefixAdapter(tuple(layer.cpu() for layer in self._encoder()), self._details, state)

    def close(self) -> None:
        """Nothing was put into the base."""


class PromptLearner(EncodedLearner):
    """Prompt Tuning and P-Tuning: learned embeddings in front of the text, at the input layer only."""

    def front(self) -> Front:
        """The embeddings, as the model reads them."""
        embeddings = self._encoder()
        return Front(positions=len(embeddings), embeddings=embeddings.to(self._base.dtype))

    @torch.no_grad()
    def adapter(self) -> Adapter:
        """The keys and values that the embeddings make in every layer: chatting needs nothing else."""
        state = {name: value.cpu().clone() for name, value in self.state().items()}
        embeddings = self._encoder()
        details = self._details | {"nearest_words": nearest_words(self._base, embeddings)}
        kv = embeddings_kv(self._base, embeddings.to(self._base.dtype))
        return PrefixAdapter(tuple(layer.float().cpu() for layer in kv), details, state)


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

    def front(self) -> Front:
        """Nothing stands before the row."""
        return Front()

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
    def settle(self, share: float) -> None:
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


class EmbeddingEncoder(nn.Module):
    """Virtual tokens as they are (Prompt Tuning), or through a small network (P-Tuning)."""

    def __init__(self, embeddings: Tensor, width: int | None = None) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(embeddings.detach().float().clone())
        self.network: nn.Module | None = None
        if width is not None:
            hidden = embeddings.shape[1]
            last = nn.Linear(width, hidden)
            nn.init.zeros_(last.weight)  # begins as the text it was initialised from
            nn.init.zeros_(last.bias)
            self.network = nn.Sequential(
                nn.Linear(hidden, width),
                nn.ReLU(),
                nn.Linear(width, width),
                nn.ReLU(),
                last,
            )

    def forward(self) -> Tensor:
        """The embeddings (positions, hidden)."""
        if self.network is None:
            return self.embeddings
        return self.embeddings + self.network(self.embeddings)


class KvEncoder(nn.Module):
    """Prefix Tuning's projection: two layers from virtual tokens to the keys and values of every layer."""

    def __init__(self, embeddings: Tensor, shapes: list[tuple[int, int]], width: int) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(embeddings.detach().float().clone())
        self.network = nn.Sequential(
            nn.Linear(embeddings.shape[1], width),
            nn.Tanh(),
            nn.Linear(width, sum(2 * heads * size for heads, size in shapes)),
        )
        self._shapes = shapes

    def forward(self) -> list[Tensor]:
        """(2, heads, positions, size) for each layer."""
        flat = self.network(self.embeddings)
        widths = [2 * heads * size for heads, size in self._shapes]
        return [
            part.view(len(flat), 2, heads, size).permute(1, 2, 0, 3)
            for part, (heads, size) in zip(flat.split(widths, dim=1), self._shapes, strict=True)
        ]


def kv_front(base: BaseModel, kv: Sequence[Tensor]) -> Front:
    """A front of keys and values (2, heads, positions, size) a layer; gradients flow back into them."""
    cache = DynamicCache()
    for index, layer in enumerate(kv):
        keys, values = layer.to(base.dtype).unbind(0)
        cache.update(keys[None], values[None], index)
    return Front(positions=kv[0].shape[2], cache=cache)


@torch.no_grad()
def text_kv(base: BaseModel, ids: list[int]) -> list[Tensor]:
    """The keys and values (2, heads, positions, size) of every layer when the base reads these ids."""
    with base.activate(None):
        cache = DynamicCache()
        base.model(input_ids=torch.tensor([ids], device=base.device), past_key_values=cache, use_cache=True)
    return _layers(cache)


@torch.no_grad()
def embeddings_kv(base: BaseModel, embeddings: Tensor) -> list[Tensor]:
    """The same for embeddings (positions, hidden)."""
    cache = DynamicCache()
    base.model(inputs_embeds=embeddings[None], past_key_values=cache, use_cache=True)
    return _layers(cache)


def _layers(cache: DynamicCache) -> list[Tensor]:
    layers = []
    for layer in cache.layers:
        if not isinstance(layer, CacheLayerMixin) or layer.keys is None or layer.values is None:
            raise MethodError("Some layers of this base keep no keys and values, so it takes no prefix.")
        layers.append(torch.stack([layer.keys[0], layer.values[0]]))
    return layers


@torch.no_grad()
def nearest_words(base: BaseModel, embeddings: Tensor, count: int = 3) -> list[list[str]]:
    """For each learned embedding, the tokens of the vocabulary whose embeddings lie nearest (cosine)."""
    table: Any = base.model.get_input_embeddings().weight
    vocabulary = nn.functional.normalize(whole(table).float(), dim=-1)
    near = (nn.functional.normalize(embeddings.float(), dim=-1) @ vocabulary.T).topk(count).indices
    return [[decode(base.tokenizer, [token]) for token in row] for row in near.tolist()]
