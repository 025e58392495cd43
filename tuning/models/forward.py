"""One forward pass over a packed row, behind a prefix where there is one: with gradients where something learns."""

from typing import Any

import torch
from torch import Tensor, nn

from tuning.models.base_model import BaseModel
from tuning.models.packing import PackedRow
from tuning.models.prefix import PrefixInput
from tuning.ops import llama
from tuning.ops.attention import Spans

_LOGITS_MULTIPLE = 16  # few different shapes: see `pack`


def forward(base: BaseModel, row: PackedRow, prefix: PrefixInput | None = None) -> Tensor:
    """The logits (targets, vocabulary) of a packed row, in the base's precision; grows the cache."""
    return forward_padded(base, row, prefix)[: len(row.predict)]


def forward_padded(base: BaseModel, row: PackedRow, prefix: PrefixInput | None = None) -> Tensor:
    """As `forward`, with the logits of the padding behind: cutting them off would copy the others' gradient."""
    prefix = prefix or PrefixInput()
    if llama.supports(base.model, prefix.positions + len(row.ids)):
        return _forward_fast(base, row, prefix)
    positions, predict = row.positions + prefix.positions, row.predict
    seen, inputs = row.mask(prefix.positions), {"input_ids": row.ids[None]}
    before = torch.arange(prefix.positions, device=row.ids.device)
    queries = positions
    if prefix.embeddings is not None:
        own = base.model.get_input_embeddings()(row.ids)
        inputs = {"inputs_embeds": torch.cat([prefix.embeddings, own])[None]}
        top = torch.zeros(prefix.positions, seen.shape[1], dtype=torch.bool, device=seen.device)
        top[:, : prefix.positions] = before[:, None] >= before[None, :]
        seen, predict = torch.cat([top, seen]), predict + prefix.positions
        queries = torch.cat([before, positions])
    logits: Tensor = base.model(
        **inputs,
        position_ids=queries[None],
        attention_mask=_masks(base, seen, queries, torch.cat([before, positions])),
        past_key_values=prefix.cache,
        use_cache=prefix.cache is not None,
        logits_to_keep=nn.functional.pad(predict, (0, -len(predict) % _LOGITS_MULTIPLE)),
    ).logits[0]
    return logits


def _forward_fast(base: BaseModel, row: PackedRow, prefix: PrefixInput) -> Tensor:
    """The same through `llama`; the cache stays as it is."""
    kv, lead, hidden = None, 0, base.model.get_input_embeddings()(row.ids)
    positions = row.positions + prefix.positions
    if prefix.embeddings is not None:
        lead, hidden = prefix.positions, torch.cat([prefix.embeddings, hidden])
        positions = torch.cat([torch.arange(lead, device=row.ids.device), positions])
    elif prefix.positions and prefix.cache is not None:
        layers: Any = prefix.cache.layers
        kv = [torch.cat([layer.keys, layer.values]) for layer in layers]
    spans = Spans.of(row.segments, prefix.positions - lead, lead, base.dtype)
    predict = nn.functional.pad(row.predict + lead, (0, -len(row.predict) % _LOGITS_MULTIPLE))
    return llama.logits(base.model, hidden, positions, spans, kv, predict)


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
