"""One forward pass over a packed row, behind whatever stands in front of it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from tuning.attention import Spans, by_span
from tuning.dataset import Row
from tuning.models import BaseModel

_WORTH_SPANS = 384  # tokens: in a shorter row one product with a mask is quicker


@dataclass(frozen=True)
class Front:
    """What stands before the row: keys and values, or embeddings, of so many positions."""

    positions: int = 0
    cache: DynamicCache | None = None
    embeddings: Tensor | None = None  # (positions, hidden)


def forward(base: BaseModel, row: Row, front: Front | None = None) -> Tensor:
    """The logits (targets, vocabulary) of a packed row, in the base's precision; grows the cache."""
    front = front or Front()
    positions, predict = row.positions + front.positions, row.predict
    if _apart(base, row, front):
        with by_span(base.model, Spans.of(row.segments, front.positions, 0)):
            return _logits(base, {"input_ids": row.ids[None]}, positions, None, front, predict)
    seen, inputs = row.mask(front.positions), {"input_ids": row.ids[None]}
    before = torch.arange(front.positions, device=row.ids.device)
    queries = positions
    if front.embeddings is not None:
        own = base.model.get_input_embeddings()(row.ids)
        inputs = {"inputs_embeds": torch.cat([front.embeddings, own])[None]}
        top = torch.zeros(front.positions, seen.shape[1], dtype=torch.bool, device=seen.device)
        top[:, : front.positions] = before[:, None] >= before[None, :]
        seen, predict = torch.cat([top, seen]), predict + front.positions
        queries = torch.cat([before, positions])
    masks = _masks(base, seen, queries, torch.cat([before, positions]))
    return _logits(base, inputs, queries, masks, front, predict)


def _logits(
    base: BaseModel, inputs: dict[str, Tensor], positions: Tensor, masks: Any, front: Front, predict: Tensor
) -> Tensor:
    logits: Tensor = base.model(
        **inputs,
        position_ids=positions[None],
        attention_mask=masks,
        past_key_values=front.cache,
        use_cache=front.cache is not None,
        logits_to_keep=predict,
    ).logits[0]
    return logits


def _apart(base: BaseModel, row: Row, front: Front) -> bool:
    """Whether each conversation's attention is worth computing by itself, and can be.

    Recomputed activations are computed outside this pass, and windows need masks; both keep to one mask.
    """
    config = base.model.config
    return (
        len(row.ids) >= _WORTH_SPANS
        and front.embeddings is None
        and config._attn_implementation == "sdpa"
        and not base.model.training  # as it is while activations are recomputed
        and getattr(base.config, "sliding_window", None) is None
        and set(getattr(base.config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
    )


def _masks(base: BaseModel, seen: Tensor, queries: Tensor, keys: Tensor) -> Any:
    """What the architecture wants: one mask, or one for each kind of layer where some see a window only."""
    window = getattr(base.config, "sliding_window", None)
    kinds = set(getattr(base.config, "layer_types", None) or [])
    near = seen
    if window is not None:
        near = seen & (queries[:, None] - keys[None, :] < window)
    if "sliding_attention" in kinds and "full_attention" in kinds:
        return {"full_attention": _mask(base, seen), "sliding_attention": _mask(base, near)}
    return _mask(base, seen if kinds == {"full_attention"} else near)


def _mask(base: BaseModel, seen: Tensor) -> Tensor:
    """(1, 1, queries, keys); eager attention adds its mask, so there False is the smallest number."""
    if base.model.config._attn_implementation != "eager":
        return seen[None, None]
    mask = torch.zeros(seen.shape, dtype=base.dtype, device=seen.device)
    return mask.masked_fill(~seen, torch.finfo(base.dtype).min)[None, None]
