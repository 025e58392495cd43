"""LoRA's forward and backward in the base's precision, without casting every activation to float32.

The adapter's weights and their gradients stay float32; only the products are computed in the base's type.
"""

from typing import Any

import torch
from peft.tuners.lora.layer import Linear
from torch import Tensor, nn


class _LowRank(torch.autograd.Function):
    """x Wᵀ + b + s (x Aᵀ) Bᵀ, with gradients for x, A and B (arXiv 2106.09685)."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, s: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        low_a, low_b = a.to(x.dtype), (b * s).to(x.dtype)
        inner = flat @ low_a.T
        out = torch.addmm(nn.functional.linear(flat, weight, bias), inner, low_b.T)
        ctx.save_for_backward(flat, weight, inner, low_a, low_b)
        ctx.scale, ctx.shape = s, x.shape
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        flat, weight, inner, low_a, low_b = ctx.saved_tensors
        g = gradients[0].reshape(-1, gradients[0].shape[-1])
        inner_g = g @ low_b
        grad_x = torch.addmm(g @ weight, inner_g, low_a).view(ctx.shape) if ctx.needs_input_grad[0] else None
        grad_a = (inner_g.T @ flat).float()
        grad_b = (g.T @ inner).float().mul_(ctx.scale)
        return grad_x, None, None, grad_a, grad_b, None


def quicken(layer: Any, name: str) -> None:
    """Let a layer compute adapter `name` through the function above, where it is plain LoRA."""
    plain = type(layer) is Linear and name in layer.lora_A and name not in layer.lora_variant
    if not plain or layer.fan_in_fan_out or not isinstance(layer.lora_dropout[name], nn.Identity):
        return
    base = layer.get_base_layer()
    if type(base) is not nn.Linear or layer.lora_B[name].bias is not None:
        return

    a, b, scale = layer.lora_A[name].weight, layer.lora_B[name].weight, layer.scaling[name]
    settled = None if b.requires_grad else (b.detach() * scale).to(base.weight.dtype).T

    def forward(x: Tensor) -> Tensor:
        if settled is None:
            learned: Tensor = _LowRank.apply(x, base.weight, base.bias, a, b, scale)
            return learned
        flat = x.reshape(-1, x.shape[-1])
        out = torch.addmm(nn.functional.linear(flat, base.weight, base.bias), flat @ a.T, settled)
        return out.view(*x.shape[:-1], -1)

    layer.forward = forward


def slow_down(layer: Any) -> None:
    """Undo `quicken`."""
    vars(layer).pop("forward", None)
