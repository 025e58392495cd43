"""The forward pass of Llama-like decoders (Llama, Mistral, Qwen 2 and 3) in few passes over memory. CPU only.

`logits` is for a packed row and has gradients, `read` for a batch behind a cache. Both compute what the
modules of transformers and PEFT compute, within the type's rounding. What this does not know is left to them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import (
    DynamicCache,
    LlamaForCausalLM,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2ForCausalLM,
    Qwen3ForCausalLM,
)

from tuning.distributed.sharding import is_sharded
from tuning.ops import lora
from tuning.ops.attention import Spans, attend, cached
from tuning.ops.kernels import add_norm, gated, rotate

_KINDS = (LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM)


def supports(model: PreTrainedModel, positions: int) -> bool:
    """Whether this module computes what the model would, now, where so many positions see one another."""
    config = model.config
    window = getattr(config, "sliding_window", None)
    return (
        model.device.type == "cpu"
        and type(model) in _KINDS
        and not is_sharded(model)  # its layers are gathered when its modules are called
        and not model.training  # as it is while activations are recomputed
        and config.hidden_act == "silu"
        and (window is None or positions <= window)
    )


def logits(
    model: Any,
    hidden: Tensor,
    positions: Tensor,
    spans: Spans,
    prefix: Sequence[Tensor] | None,
    predict: Tensor,
) -> Tensor:
    """The logits (predicted, vocabulary) of a packed row of embeddings (rows, hidden), as for `states`."""
    result: Tensor = model.lm_head(states(model, hidden, positions, spans, prefix, predict))
    return result


def states(
    model: Any,
    hidden: Tensor,
    positions: Tensor,
    spans: Spans,
    prefix: Sequence[Tensor] | None,
    predict: Tensor,
) -> Tensor:
    """The last layer's states (predicted, hidden) of a packed row of embeddings (rows, hidden).

    `prefix` has keys and values (2, key/value heads, before, size) for each layer; `predict` says which rows.
    """
    kv_heads = model.config.num_key_value_heads

    def mix(index: int, joined: Tensor, scale: float) -> Tensor:
        return attend(joined, None if prefix is None else prefix[index], spans, kv_heads, scale)

    return _through(model, hidden, positions, mix, predict)


def read(model: Any, tokens: Tensor, positions: Tensor, cache: DynamicCache, mask: Tensor | None) -> Tensor:
    """The logits (batch, vocabulary) after tokens (batch, length), given and growing the cache.

    `mask` (batch, cached + length) is False where nothing may look. Without gradients.
    """
    batch, length = tokens.shape
    kv_heads, known = model.config.num_key_value_heads, cache.get_seq_length()
    added = _scores(mask, known, batch, length, model.dtype)

    def mix(index: int, joined: Tensor, scale: float) -> Tensor:
        rows = joined.view(batch, length, -1, joined.shape[-1]).transpose(1, 2)
        q, k, v = rows.split([rows.shape[1] - 2 * kv_heads, kv_heads, kv_heads], dim=1)
        keys, values = cache.update(k, v, index)
        return cached(q, keys, values, added, scale).reshape(batch * length, -1, joined.shape[-1])

    hidden = model.get_input_embeddings()(tokens.flatten())
    last = torch.arange(batch, device=tokens.device) * length + length - 1
    result: Tensor = model.lm_head(_through(model, hidden, positions.flatten(), mix, last))
    return result


def _scores(mask: Tensor | None, known: int, batch: int, length: int, dtype: torch.dtype) -> Tensor | None:
    """What is added to attention's scores, (batch, length, known + length); None where everything is seen."""
    if mask is None and length == 1:
        return None
    seen = torch.ones(length, known + length, dtype=torch.bool).tril(known).expand(batch, -1, -1)
    if mask is not None:
        seen = seen & mask[:, None].bool()
        seen[:, :, known:] |= torch.eye(length, dtype=torch.bool)  # a row of padding looks at itself
    return torch.zeros(seen.shape, dtype=dtype).masked_fill_(~seen, -torch.inf)


def _through(
    model: Any,
    hidden: Tensor,
    positions: Tensor,
    mix: Callable[[int, Tensor, float], Tensor],
    predict: Tensor,
) -> Tensor:
    """The decoder's layers; `mix` is attention, from (rows, all heads, size) to (rows, heads, size)."""
    decoder = model.model
    cosine, sine = decoder.rotary_emb(hidden[None], positions[None])
    cosine, sine = cosine[0].contiguous(), sine[0].contiguous()
    total, change = hidden, None
    for index, layer in enumerate(decoder.layers):
        norm, attention = layer.input_layernorm, layer.self_attn
        total, x = add_norm(total, change, norm.weight, norm.variance_epsilon)
        q, k, v = lora.project(x, [attention.q_proj, attention.k_proj, attention.v_proj])
        if model.config.model_type == "qwen3":
            q, k = _head_norm(q, attention.q_norm), _head_norm(k, attention.k_norm)
        seen = mix(index, rotate(q, k, v, cosine, sine), attention.scaling)
        if index == len(decoder.layers) - 1:  # from here on only what is predicted from counts
            total, seen = total[predict], seen[predict]
        change = lora.project(seen.flatten(1), [attention.o_proj])[0]
        norm, mlp = layer.post_attention_layernorm, layer.mlp
        total, x = add_norm(total, change, norm.weight, norm.variance_epsilon)
        gate, other = lora.project(x, [mlp.gate_proj, mlp.up_proj])
        change = lora.project(gated(gate, other), [mlp.down_proj])[0]
    return add_norm(total, change, decoder.norm.weight, decoder.norm.variance_epsilon)[1]


def _head_norm(x: Tensor, norm: Any) -> Tensor:
    heads = x.view(-1, norm.weight.shape[0])
    return add_norm(heads, None, norm.weight, norm.variance_epsilon)[1].view_as(x)
