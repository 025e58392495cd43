"""One forward pass over a packed row, behind whatever stands in front of it."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from tuning.models.base_model import BaseModel
from tuning.models.packing import PackedRow
from tuning.ops import llama
from tuning.ops.attention import Spans

_FEW = 16


@dataclass(frozen=True)
class PrefixInput:
    """What stands before the row: keys and values, or embeddings, of so many positions."""

    positions: int = 0
    cache: DynamicCache | None = None
    embeddings: Tensor | None = None  # (positions, hidden)


def forward(base: BaseModel, row: PackedRow, front: PrefixInput | None = None) -> Tensor:
    """The logits (targets, vocabulary) of a packed row, in the base's precision; grows the cache."""
    return forward_padded(base, row, front)[: len(row.predict)]


def forward_padded(base: BaseModel, row: PackedRow, front: PrefixInput | None = None) -> Tensor:
    """The same with the few logits more that fill the rows up; to cut them off copies the others' gradient."""
    front = front or PrefixInput()
    if llama.knows(base.model, front.positions + len(row.ids)):
        return _forward_fast(base, row, front)
    positions, predict = row.positions + front.positions, row.predict
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
    logits: Tensor = base.model(
        **inputs,
        position_ids=queries[None],
        attention_mask=_masks(base, seen, queries, torch.cat([before, positions])),
        past_key_values=front.cache,
        use_cache=front.cache is not None,
        logits_to_keep=nn.functional.pad(predict, (0, -len(predict) % _FEW)),  # few shapes: see `pack`
    ).logits[0]
    return logits


def _forward_fast(base: BaseModel, row: PackedRow, front: PrefixInput) -> Tensor:
    """The same through `llama`; the cache stays as it is."""
    prefix, lead, hidden = None, 0, base.model.get_input_embeddings()(row.ids)
    positions = row.positions + front.positions
    if front.embeddings is not None:
        lead, hidden = front.positions, torch.cat([front.embeddings, hidden])
        positions = torch.cat([torch.arange(lead, device=row.ids.device), positions])
    elif front.positions and front.cache is not None:
        layers: Any = front.cache.layers
        prefix = [torch.cat([layer.keys, layer.values]) for layer in layers]
    spans = Spans.of(row.segments, front.positions - lead, lead, base.dtype)
    predict = nn.functional.pad(row.predict + lead, (0, -len(row.predict) % _FEW))
    return llama.logits(base.model, hidden, positions, spans, prefix, predict)


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
