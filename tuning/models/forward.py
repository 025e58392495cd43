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
    predict = nn.functional.pad(row.predict, (0, -len(row.predict) % _LOGITS_MULTIPLE))
    if llama.supports(base.model, prefix.positions + len(row.ids)):
        return llama.logits(base.model, *_fast_inputs(base, row, prefix, predict))
    inputs, lead = _inputs(base, row, prefix)
    logits: Tensor = base.model(**inputs, logits_to_keep=predict + lead).logits[0]
    return logits


def forward_states(base: BaseModel, row: PackedRow, prefix: PrefixInput | None = None) -> Tensor:
    """The last layer's states (targets, hidden), in the base's precision, from which a row's targets are predicted."""
    prefix = prefix or PrefixInput()
    if llama.supports(base.model, prefix.positions + len(row.ids)):
        return llama.states(base.model, *_fast_inputs(base, row, prefix, row.predict))
    inputs, lead = _inputs(base, row, prefix)
    decoder: Any = base.model.base_model
    states: Tensor = decoder(**inputs).last_hidden_state[0]
    return states[row.predict + lead]


def _inputs(base: BaseModel, row: PackedRow, prefix: PrefixInput) -> tuple[dict[str, Any], int]:
    """What a model of transformers is called with, and how many rows stand before the first."""
    positions, seen = row.positions + prefix.positions, row.mask(prefix.positions)
    inputs: dict[str, Any] = {"input_ids": row.ids[None]}
    before = torch.arange(prefix.positions, device=row.ids.device)
    queries, lead = positions, 0
    if prefix.embeddings is not None:
        own = base.model.get_input_embeddings()(row.ids)
        inputs = {"inputs_embeds": torch.cat([prefix.embeddings, own])[None]}
        top = torch.zeros(prefix.positions, seen.shape[1], dtype=torch.bool, device=seen.device)
        top[:, : prefix.positions] = before[:, None] >= before[None, :]
        seen, lead = torch.cat([top, seen]), prefix.positions
        queries = torch.cat([before, positions])
    inputs |= {
        "position_ids": queries[None],
        "attention_mask": _masks(base, seen, queries, torch.cat([before, positions])),
        "past_key_values": prefix.cache,
        "use_cache": prefix.cache is not None,
    }
    return inputs, lead


def _fast_inputs(base: BaseModel, row: PackedRow, prefix: PrefixInput, predict: Tensor) -> tuple[Any, ...]:
    """What `llama` is called with; the cache stays as it is."""
    kv, lead, hidden = None, 0, base.model.get_input_embeddings()(row.ids)
    positions = row.positions + prefix.positions
    if prefix.embeddings is not None:
        lead, hidden = prefix.positions, torch.cat([prefix.embeddings, hidden])
        positions = torch.cat([torch.arange(lead, device=row.ids.device), positions])
    elif prefix.positions and prefix.cache is not None:
        layers: Any = prefix.cache.layers
        kv = [torch.cat([layer.keys, layer.values]) for layer in layers]
    spans = Spans.of(row.segments, prefix.positions - lead, lead, base.dtype)
    return hidden, positions, spans, kv, predict + lead


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
