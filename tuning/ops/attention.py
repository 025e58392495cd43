"""Attention over a packed row, each conversation by itself, instead of one masked product over the whole row.

A row of n equal conversations takes an n-th of the work. It holds no weights and knows no model. CPU only.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tuning.ops.kernels import attention_backward

_flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


@dataclass(frozen=True)
class Spans:
    """Where the conversations of a row lie. Each sees what stands in front, what all share, and itself."""

    before: int  # keys and values in front of the row
    shared: int  # rows that every conversation sees
    bounds: tuple[tuple[int, int], ...]  # of the conversations; what lies in none attends to nothing
    length: int  # rows, with those that fill up
    mask: Tensor  # (longest, before + shared + longest): added to the scores

    @classmethod
    def of(cls, segments: Tensor, before: int, lead: int, dtype: torch.dtype) -> "Spans":
        """From a row's segments (length,), keys in front, and rows in front of the row that all see."""
        names, counts = torch.unique_consecutive(segments, return_counts=True)
        bounds, start, shared = [], lead, lead
        for name, count in zip(names.tolist(), counts.tolist(), strict=True):
            if name == 0:
                shared = start + count
            elif name > 0:
                bounds.append((start, start + count))
            start += count
        longest = max([shared, *(end - begin for begin, end in bounds)])
        front = before + shared
        mask = torch.full((longest, front + longest), -torch.inf, dtype=dtype).triu(front + 1)
        return cls(before, shared, tuple(bounds), start, mask)


class _Attend(torch.autograd.Function):
    """The row's queries, keys and values are (rows, heads + 2 × key/value heads, size)."""

    @staticmethod
    def forward(
        ctx: Any, joined: Tensor, prefix: Tensor | None, spans: Spans, kv_heads: int, scale: float
    ) -> Tensor:
        q, k, v = _split(joined, kv_heads)
        out = joined.new_empty(spans.length, q.shape[0] * q.shape[1], q.shape[3])
        out[spans.bounds[-1][1] :] = 0
        view = _grouped(out, kv_heads)
        sums = []
        for begin, end, causal, keys, values, mask in _places(k, v, prefix, spans):
            part = (q[:, :, begin:end], _each(keys, q), _each(values, q), 0.0, causal)
            view[:, :, begin:end], total = _flash(*part, attn_mask=mask, scale=scale)
            sums.append(total)
        ctx.save_for_backward(joined, prefix, out, *sums)
        ctx.spans, ctx.kv_heads, ctx.scale = spans, kv_heads, scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        joined, prefix, out, *sums = ctx.saved_tensors
        spans, kv_heads = ctx.spans, ctx.kv_heads
        q, k, v = _split(joined, kv_heads)
        delta = _grouped((out.float() * gradient).sum(-1, keepdim=True), kv_heads)
        gradient = _grouped(gradient, kv_heads)
        result = torch.empty_like(joined)
        result[spans.bounds[-1][1] :] = 0
        of_q, of_k, of_v = _split(result, kv_heads)
        front = spans.before + spans.shared
        of_front = joined.new_zeros(2, kv_heads, front, joined.shape[2], dtype=torch.float32)
        for number, (begin, end, _, keys, values, _) in enumerate(_places(k, v, prefix, spans)):
            here = (slice(None), slice(None), slice(begin, end))
            part = (q[here], keys, values, gradient[here], sums[number], delta[here])
            of_q[here], of_keys, of_values = _part_backward(*part, ctx.scale)
            seen = keys.shape[1] - (end - begin)
            for own, shared, found in ((of_k, of_front[0], of_keys), (of_v, of_front[1], of_values)):
                own[:, begin:end] = found[:, seen:]
                shared[:, :seen] += found[:, :seen]
        if spans.shared:
            of_k[:, : spans.shared] += of_front[0, :, spans.before :]
            of_v[:, : spans.shared] += of_front[1, :, spans.before :]
        of_prefix = None if prefix is None else of_front[:, :, : spans.before].to(prefix.dtype)
        return result, of_prefix, None, None, None


def _part_backward(
    q: Tensor, keys: Tensor, values: Tensor, gradient: Tensor, sums: Tensor, delta: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of queries (as q), keys and values, from scores in float32 (arXiv 2205.14135).

    Queries that share keys are rows of one product: torch's own backward takes a product for each head.
    """
    groups, shares, rows, size = q.shape
    folded, outer = (x.reshape(groups, shares * rows, size) for x in (q, gradient))
    scores = torch.bmm(folded.float(), keys.float().transpose(1, 2))
    of_weights = torch.bmm(outer.float(), values.float().transpose(1, 2))
    each = (groups * shares, rows)
    weights, of_scores = (
        x.view(groups, shares * rows, -1)
        for x in attention_backward(
            scores.view(*each, -1), of_weights.view(*each, -1),
            sums.reshape(each), delta.reshape(each), scale, q.dtype,
        )
    )  # fmt: skip
    of_q = torch.bmm(of_scores, keys).view(q.shape)
    return of_q, torch.bmm(of_scores.transpose(1, 2), folded), torch.bmm(weights.transpose(1, 2), outer)


def attend(joined: Tensor, prefix: Tensor | None, spans: Spans, kv_heads: int, scale: float) -> Tensor:
    """(rows, heads, size): each conversation's attention. `prefix` is (2, key/value heads, before, size)."""
    result: Tensor = _Attend.apply(joined, prefix, spans, kv_heads, scale)
    return result


def cached(q: Tensor, keys: Tensor, values: Tensor, added: Tensor | None, scale: float) -> Tensor:
    """(batch, length, heads, size) from queries (batch, heads, length, size) and all keys and values so far.

    `added` (batch, length, keys) goes onto the scores. Queries of heads that share keys are read together.
    """
    batch, kv_heads, _, size = keys.shape
    length = q.shape[2]
    folded = q.reshape(batch, kv_heads, -1, size)
    if added is not None:
        added = added.repeat(1, folded.shape[2] // length, 1)[:, None].expand(-1, kv_heads, -1, -1)
    out, _ = _flash(folded, keys, values, 0.0, False, attn_mask=added, scale=scale)
    return out.reshape(batch, -1, length, size).transpose(1, 2)


def _split(joined: Tensor, kv_heads: int) -> tuple[Tensor, Tensor, Tensor]:
    """Views: queries (key/value heads, heads of each, rows, size); keys, values (the same without heads)."""
    heads = joined.shape[1] - 2 * kv_heads
    q, k, v = joined.split([heads, kv_heads, kv_heads], dim=1)
    return _grouped(q, kv_heads), k.transpose(0, 1), v.transpose(0, 1)


def _grouped(x: Tensor, kv_heads: int) -> Tensor:
    return x.unflatten(1, (kv_heads, -1)).permute(1, 2, 0, 3)


def _each(x: Tensor, q: Tensor) -> Tensor:
    """The keys or values for every query head that shares them, without a copy."""
    return x[:, None].expand(-1, q.shape[1], -1, -1)


def _places(k: Tensor, v: Tensor, prefix: Tensor | None, spans: Spans) -> Any:
    """For what is shared and each conversation: its rows, and the keys, values and mask they attend to."""
    front = spans.before + spans.shared
    if not front:
        for begin, end in spans.bounds:
            yield begin, end, True, k[:, begin:end], v[:, begin:end], None
        return
    longest = spans.mask.shape[0]
    seen = k.new_empty(2, k.shape[0], front + longest, k.shape[2])
    if prefix is not None:
        seen[:, :, : spans.before] = prefix
    seen[0, :, spans.before : front], seen[1, :, spans.before : front] = (
        k[:, : spans.shared],
        v[:, : spans.shared],
    )
    if spans.shared:
        mask = spans.mask[: spans.shared, spans.shared : front + spans.shared]
        yield 0, spans.shared, False, seen[0, :, :front], seen[1, :, :front], mask
    for begin, end in spans.bounds:
        until = front + end - begin
        seen[0, :, front:until], seen[1, :, front:until] = k[:, begin:end], v[:, begin:end]
        mask = spans.mask[: end - begin, :until]
        yield begin, end, False, seen[0, :, :until], seen[1, :, :until], mask
