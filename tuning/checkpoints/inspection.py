"""Looking inside a loaded checkpoint: what it changed, where attention goes to its prefix, how large it is.

It reads a base with its adapter and changes nothing; what a picture looks like is decided elsewhere.
"""

import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from peft.tuners.adalora.layer import AdaLoraLayer
from peft.tuners.ia3 import IA3Layer
from peft.tuners.lora.layer import LoraLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor
from transformers import PreTrainedModel

from tuning.data.examples import Message
from tuning.errors import CheckpointError
from tuning.models.adapters import FullAdapter, PeftAdapter, PrefixAdapter
from tuning.models.base_model import BaseModel

_PLACE = re.compile(r"(?:^|\.)(\d+)\.(?:.*\.)?([^.]+)$")


@dataclass(frozen=True)
class WeightChange:
    """How far one weight matrix was moved: ‖W' - W‖ / ‖W‖ (Frobenius)."""

    layer: int | None  # None outside of the layers (embeddings)
    module: str
    size: float


@dataclass(frozen=True)
class PrefixAttention:
    """What share of a layer's attention goes to the prefix, where the first word of an answer is chosen."""

    layer: int
    heads: tuple[float, ...]  # each head's share
    first: float  # the mean share of the first position alone, where attention rests in any model

    @property
    def share(self) -> float:
        """The mean over the heads."""
        return sum(self.heads) / len(self.heads)


@dataclass(frozen=True)
class Sizes:
    """How many numbers a checkpoint holds beside the numbers of its base."""

    learned: int
    base: int
    positions: int  # of the window, taken by a prefix

    @property
    def share(self) -> float:
        """The learned numbers as a share of the base's."""
        return self.learned / self.base


@dataclass(frozen=True)
class CheckpointContents:
    """All that can be shown of one checkpoint; what its method has no picture for is empty."""

    sizes: Sizes
    changes: tuple[WeightChange, ...]
    words: tuple[tuple[str, ...], ...]
    attention: tuple[PrefixAttention, ...]


def look_inside(base: BaseModel, name: str, messages: Sequence[Message]) -> CheckpointContents:
    """Everything about a loaded checkpoint; attention is that before `messages` are answered.

    Raises CheckpointError where it is not loaded, or the messages are too long.
    """
    return CheckpointContents(
        sizes(base, name),
        tuple(weight_changes(base, name)),
        tuple(tuple(words) for words in nearest_words(base, name)),
        tuple(prefix_attention(base, name, messages)),
    )


def sizes(base: BaseModel, name: str) -> Sizes:
    """How large a loaded checkpoint is. Raises CheckpointError where it is not loaded."""
    adapter = base.adapter(name)
    with base.activate(None):
        whole = sum(parameter.numel() for parameter in base.model.parameters()) - _injected(base.model)
    if isinstance(adapter, PrefixAdapter):
        learned = sum(layer.numel() for layer in (adapter.state.values() or adapter.kv))
        return Sizes(learned, whole, adapter.positions)
    return Sizes(sum(value.numel() for value in adapter.state.values()), whole, 0)


def nearest_words(base: BaseModel, name: str) -> list[list[str]]:
    """The real words that each learned one lies nearest to; empty where the method learns none."""
    adapter = base.adapter(name)
    return list(adapter.details.get("nearest_words", ())) if isinstance(adapter, PrefixAdapter) else []


@torch.inference_mode()
def weight_changes(base: BaseModel, name: str) -> list[WeightChange]:
    """How far each matrix was moved, in the order of the model; empty for a prefix, which moves none."""
    adapter = base.adapter(name)
    with base.activate(name):
        if isinstance(adapter, FullAdapter):
            return [
                _change(path, float((now.float() - adapter.state[path].float()).norm()), adapter.state[path])
                for path, now in base.model.named_parameters()
                if now.ndim > 1
            ]
        if not isinstance(adapter, PeftAdapter):
            return []
        return [
            _change(path, size, weight)
            for path, layer in base.model.named_modules()
            if isinstance(layer, BaseTunerLayer)
            for size, weight in _moved(layer)
        ]


@torch.inference_mode()
def prefix_attention(base: BaseModel, name: str, messages: Sequence[Message]) -> list[PrefixAttention]:
    """How much every layer looks at the prefix before it answers `messages`; empty without a prefix."""
    adapter = base.adapter(name)
    if not isinstance(adapter, PrefixAdapter):
        return []
    ids = base.chat_ids(messages, add_generation_prompt=True)
    if len(ids) >= base.prompt_capacity(name):
        raise CheckpointError(f"The question has {len(ids)} tokens, too many to look at. Shorten it.")
    with base.activate(name), _weighed(base.model):
        layers = base.model(
            input_ids=torch.tensor([ids], device=base.device),
            past_key_values=base.new_cache(),
            use_cache=True,
            output_attentions=True,
        ).attentions
    found = []
    for number, weights in enumerate(layers):
        last = weights[0, :, -1, : adapter.positions].float()  # (heads, positions)
        found.append(PrefixAttention(number, tuple(last.sum(-1).tolist()), float(last[:, 0].mean())))
    return found


def _change(path: str, moved: float, weight: Tensor) -> WeightChange:
    found = _PLACE.search(path.removesuffix(".weight"))
    layer, module = (
        (int(found[1]), found[2]) if found else (None, path.removesuffix(".weight").split(".")[-1])
    )
    return WeightChange(layer, module, moved / max(float(weight.float().norm()), 1e-12))


def _moved(layer: Any) -> Iterator[tuple[float, Tensor]]:
    """‖W' - W‖ of the adapter that this layer computes with, and W; nothing where it has no part of it."""
    weight = layer.get_base_layer().weight
    for key in layer.active_adapters:
        if isinstance(layer, IA3Layer) and key in layer.ia3_l:
            factor = layer.ia3_l[key].float().flatten() - 1
            scaled = weight.float() * (factor if layer.is_feedforward else factor[:, None])
            yield float(scaled.norm()), weight
        elif isinstance(layer, LoraLayer) and key in layer.lora_variant:  # DoRA
            yield float((_directed(layer, key) - weight.float()).norm()), weight
        elif isinstance(layer, LoraLayer) and (factors := _factors(layer, key)):
            yield _product_norm(*factors), weight


def _factors(layer: Any, key: str) -> tuple[Tensor, Tensor, float] | None:
    """A (rank, in), B (out, rank) and the scale of their product."""
    scale = float(layer.scaling.get(key, 1.0))
    allots_rank: bool = isinstance(layer, AdaLoraLayer)
    if allots_rank and key in layer.lora_A:
        share = scale / (float(layer.ranknum[key]) + 1e-5)
        return (layer.lora_A[key] * layer.lora_E[key]).float(), layer.lora_B[key].float(), share
    if key in layer.lora_A:
        return layer.lora_A[key].weight.float(), layer.lora_B[key].weight.float(), scale
    if key in layer.lora_embedding_A:
        return layer.lora_embedding_A[key].float(), layer.lora_embedding_B[key].float(), scale
    return None


def _product_norm(a: Tensor, b: Tensor, scale: float) -> float:
    """‖s B A‖ without the product: its square is the sum of (BᵀB) ∘ (A Aᵀ)."""
    return abs(scale) * math.sqrt(max(float(((b.T @ b) * (a @ a.T)).sum()), 0.0))


def _directed(layer: Any, key: str) -> Tensor:
    """The weight that DoRA computes with: the sum's direction, with a length of its own for each row."""
    a, b, scale = layer.lora_A[key].weight, layer.lora_B[key].weight, layer.scaling[key]
    whole = layer.get_base_layer().weight.float() + scale * (b.float() @ a.float())
    length = layer.lora_magnitude_vector[key].weight.float()
    directed: Tensor = whole * (length / whole.norm(dim=1))[:, None]
    return directed


def _injected(model: PreTrainedModel) -> int:
    """The numbers of adapters that wait inside the model."""
    own = 0
    for layer in model.modules():
        if isinstance(layer, BaseTunerLayer):
            inner = {id(parameter) for parameter in layer.get_base_layer().parameters()}
            own += sum(parameter.numel() for parameter in layer.parameters() if id(parameter) not in inner)
    return own


@contextmanager
def _weighed(model: PreTrainedModel) -> Iterator[None]:
    """Inside, attention is computed so that its weights can be seen; only while the model is activated."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before or "sdpa")
