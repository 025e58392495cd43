"""LoRA's forward and backward in the base's precision, without casting every activation to float32.

The adapter's weights and their gradients stay float32; only the products are computed in the base's type.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from peft.tuners.lora.layer import Linear
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from tuning.distributed import zero


@dataclass(frozen=True)
class Adapted:
    """A frozen linear layer and what plain LoRA adds to it: scale × (x Aᵀ) Bᵀ, or nothing."""

    base: nn.Linear
    a: Tensor | None = None
    b: Tensor | None = None
    scale: float = 0.0


class _Project(torch.autograd.Function):
    """x Wᵀ + bias + s (x Aᵀ) Bᵀ for layers that read the same x, with gradients for x, A and B.

    The base's weights take none (arXiv 2106.09685). After `scales`: weight, bias, A, B of each layer.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scales: tuple[float, ...], *given: Any) -> tuple[Tensor, ...]:
        layers = [given[start : start + 4] for start in range(0, len(given), 4)]
        adapted = [number for number, layer in enumerate(layers) if layer[2] is not None]
        outs = [nn.functional.linear(x, weight, bias) for weight, bias, _, _ in layers]
        low_a = torch.cat([layers[number][2] for number in adapted]).to(x.dtype)
        low_b = [(layers[number][3] * scales[number]).to(x.dtype) for number in adapted]
        inner = x @ low_a.T
        parts = inner.split([b.shape[1] for b in low_b], dim=1)
        for number, part, b in zip(adapted, parts, low_b, strict=True):
            outs[number].addmm_(part, b.T)
        ctx.save_for_backward(x, inner, low_a, *low_b, *(layer[0] for layer in layers))
        ctx.adapted, ctx.scales = adapted, scales
        ctx.set_materialize_grads(False)
        return tuple(outs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        x, inner, low_a, *rest = ctx.saved_tensors
        low_b, weights = rest[: len(ctx.adapted)], rest[len(ctx.adapted) :]
        ranks = [b.shape[1] for b in low_b]
        result: list[Tensor | None] = [None] * (4 * len(weights))
        of_parts = []
        for number, b, part in zip(ctx.adapted, low_b, inner.split(ranks, dim=1), strict=True):
            gradient = gradients[number]
            if gradient is None:
                of_parts.append(torch.zeros_like(part))
                continue
            of_parts.append(gradient @ b)
            result[4 * number + 3] = (gradient.T @ part).float().mul_(ctx.scales[number])
        of_inner = torch.cat(of_parts, dim=1) if len(of_parts) > 1 else of_parts[0]
        for number, of_a in zip(ctx.adapted, (of_inner.T @ x).float().split(ranks), strict=True):
            result[4 * number + 2] = of_a
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = of_inner @ low_a
            for gradient, weight in zip(gradients, weights, strict=True):
                if gradient is not None:
                    of_x.addmm_(gradient, weight)
        return of_x, None, *result


def project(x: Tensor, layers: Sequence[Any]) -> tuple[Tensor, ...]:
    """What each of these linear layers, with its adapter, makes of x (rows, inputs)."""
    if not torch.is_grad_enabled():
        return tuple(layer(x) for layer in layers)
    known = [adapted(layer) for layer in layers]
    pairs = [one for one in known if one is not None]
    if len(pairs) < len(known) or all(one.a is None for one in pairs):
        return tuple(layer(x) for layer in layers)
    given = [value for one in pairs for value in (one.base.weight, one.base.bias, one.a, one.b)]
    outs: tuple[Tensor, ...] = _Project.apply(x, tuple(one.scale for one in pairs), *given)
    return outs


def adapted(layer: Any) -> Adapted | None:
    """The layer, where it is linear and has no adapter or one of plain LoRA."""
    if type(layer) is nn.Linear:
        return Adapted(layer)
    if type(layer) is not Linear:
        return None
    base, names = layer.get_base_layer(), layer.active_adapters
    if layer.disable_adapters or not any(name in layer.lora_A for name in names):
        return Adapted(base) if type(base) is nn.Linear else None
    return _plain(layer, names[0]) if len(names) == 1 else None


def _plain(layer: Any, name: str) -> Adapted | None:
    """Adapter `name` of a layer, where it is nothing but two products."""
    base = layer.get_base_layer()
    plain = type(layer) is Linear and name in layer.lora_A and name not in layer.lora_variant
    if not plain or layer.fan_in_fan_out or not isinstance(layer.lora_dropout[name], nn.Identity):
        return None
    if type(base) is not nn.Linear or layer.lora_B[name].bias is not None or layer.merged:
        return None
    if zero.is_sharded_weight(base.weight):  # it is there only while its own module computes
        return None
    return Adapted(base, layer.lora_A[name].weight, layer.lora_B[name].weight, layer.scaling[name])


def enable_fast_path(layer: Any, name: str) -> None:
    """Let a layer compute adapter `name` through the function above, where it is plain LoRA."""
    adapted = _plain(layer, name)
    if adapted is None or adapted.a is None or adapted.b is None:
        return
    base, a, b, scale = adapted.base, adapted.a, adapted.b, adapted.scale
    settled = None if b.requires_grad else (b.detach() * scale).to(base.weight.dtype).T

    def forward(x: Tensor) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        if settled is None:
            out: Tensor = _Project.apply(flat, (scale,), base.weight, base.bias, a, b)[0]
        else:
            out = torch.addmm(nn.functional.linear(flat, base.weight, base.bias), flat @ a.T, settled)
        return out.view(*x.shape[:-1], -1)

    layer.forward = forward


def disable_fast_path(layer: Any) -> None:
    """Undo `enable_fast_path`."""
    vars(layer).pop("forward", None)
