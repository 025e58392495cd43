"""A prefix before a packed row: what the forward pass takes of it, and the keys and values that make one.

How a prefix is trained is in `tuning.training.learners_prefix`; how it is stored in `adapters`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import CacheLayerMixin

from tuning.errors import MethodError
from tuning.models.base_model import BaseModel


@dataclass(frozen=True)
class PrefixInput:
    """What stands before the row: keys and values, or embeddings, of so many positions; by default nothing."""

    positions: int = 0
    cache: DynamicCache | None = None
    embeddings: Tensor | None = None  # (positions, hidden)


def prefix_input(base: BaseModel, kv: Sequence[Tensor]) -> PrefixInput:
    """A prefix of keys and values (2, heads, positions, size) a layer; gradients flow back into them."""
    cache = DynamicCache()
    for index, layer in enumerate(kv):
        keys, values = layer.to(base.dtype).unbind(0)
        cache.update(keys[None], values[None], index)
    return PrefixInput(positions=kv[0].shape[2], cache=cache)


@torch.no_grad()
def text_kv(base: BaseModel, ids: list[int]) -> list[Tensor]:
    """The keys and values (2, heads, positions, size) of every layer when the base reads these ids."""
    with base.activate(None):
        cache = DynamicCache()
        base.model(input_ids=torch.tensor([ids], device=base.device), past_key_values=cache, use_cache=True)
    return _layers(cache)


@torch.no_grad()
def embeddings_kv(base: BaseModel, embeddings: Tensor) -> list[Tensor]:
    """The keys and values (2, heads, positions, size) of every layer for embeddings (positions, hidden)."""
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
