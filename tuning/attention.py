"""Attention over a packed row, each conversation by itself, instead of one masked product over the whole row.

A row of n equal conversations takes an n-th of the work. It holds no weights and knows no model.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward

_NAME = "imprint-packed"


@dataclass(frozen=True)
class Spans:
    """Where the conversations of a row lie: what they share, then each; `before` counts cached positions."""

    before: int
    lengths: tuple[int, ...]  # of the queries: the shared beginning (may be 0), then one a conversation
    masks: tuple[Tensor | None, ...]  # for each length; None: plainly causal

    @classmethod
    def of(cls, segments: Tensor, before: int, lead: int) -> "Spans":
        """From a row's segments (length,), cached positions, and positions in front of the row itself."""
        names, counts = torch.unique_consecutive(segments, return_counts=True)
        lengths = counts.tolist()
        shared = lead + (lengths.pop(0) if int(names[0]) == 0 else 0)
        own, seen = torch.ones((), dtype=torch.bool, device=segments.device), before + shared
        masks: list[Tensor | None] = []
        for length, front in [(shared, before), *((length, seen) for length in lengths)]:
            mask = own.expand(length, front + length).tril(front) if front else None
            masks.append(None if mask is None else mask[None, None])
        return cls(before, (shared, *lengths), tuple(masks))


_spans: ContextVar[Spans] = ContextVar("spans")


@contextmanager
def by_span(model: PreTrainedModel, spans: Spans) -> Iterator[None]:
    """Inside, the model's attention goes span by span; outside again it is what it was."""
    AttentionInterface.register(_NAME, _attend)
    config = model.config
    before, token = config._attn_implementation, _spans.set(spans)
    config._attn_implementation = _NAME
    try:
        yield
    finally:
        config._attn_implementation = before
        _spans.reset(token)


def _attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    **settings: Any,
) -> tuple[Tensor, None]:
    """(1, heads, length, size) three times, to (1, length, heads, size)."""
    spans = _spans.get()
    shared, *lengths = spans.lengths
    keys = key.split([spans.before + shared, *lengths], dim=2)
    values = value.split([spans.before + shared, *lengths], dim=2)
    outputs = []
    for index, queries in enumerate(query.split(list(spans.lengths), dim=2)):
        if not queries.shape[2]:
            continue
        k, v, mask = keys[index], values[index], spans.masks[index]
        if index and mask is not None:
            k, v = torch.cat([keys[0], k], dim=2), torch.cat([values[0], v], dim=2)
        outputs.append(sdpa_attention_forward(module, queries, k, v, mask, **settings)[0])
    return torch.cat(outputs, dim=1), None
