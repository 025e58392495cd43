"""One token after another through a decoder like Llama's, each in one call of C (`decode.c`). CPU in bfloat16 only.

It holds the keys and values itself, in room that grows. Weights may have a bias and one plain low-rank change; for
everything else `open_row` gives None, and the model's own modules compute.
"""

import ctypes
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from tuning.ops import llama, lora
from tuning.ops.kernels import compiled

_ROOM = 256  # positions, at first
_WIDEST_HEAD, _MOST_RANK, _TOGETHER = 256, 512, 4  # as in decode.c
_WIDEST = 32_768  # numbers of a state, which each thread holds on its stack
_Pointer = ctypes.c_void_p


class _Matrix(ctypes.Structure):
    _fields_ = [(name, _Pointer) for name in ("weight", "bias", "a", "b")] + [("rank", ctypes.c_int64)]


class _Layer(ctypes.Structure):
    _fields_ = [(name, _Matrix) for name in ("q", "k", "v", "o", "gate", "up", "down")] + [
        (name, _Pointer)
        for name in ("input_norm", "post_norm", "q_norm", "k_norm", "keys", "values")
    ]  # fmt: skip


class _Shape(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_int64)
        for name in (
            "layers", "hidden", "inner", "heads", "kv_heads", "size", "vocabulary", "known", "capacity",
        )
    ] + [(name, ctypes.c_float) for name in ("epsilon", "scale")]  # fmt: skip


class _NotPlainError(Exception):
    """A module computes something that is not known here."""


def open_row(model: Any, cache: DynamicCache) -> "OneRow | None":
    """What reads on after a cache of one row; None where the model's own modules must."""
    known = cache.get_seq_length()
    if compiled() is None or model.dtype is not torch.bfloat16 or not llama.supports(model, known + 1):
        return None
    try:
        return OneRow(model, cache)
    except _NotPlainError:
        return None


class OneRow:
    """A model as it is now, with its adapter, behind keys and values of its own.

    It keeps the weights that it began with, whatever adapter the model has later.
    """

    def __init__(self, model: Any, cache: DynamicCache) -> None:
        config, decoder = model.config, model.model
        if type(decoder.embed_tokens) is not nn.Embedding or type(model.lm_head) is not nn.Linear:
            raise _NotPlainError
        self._model, self._rotary = model, decoder.rotary_emb
        self._embedding = decoder.embed_tokens.weight.detach()
        self._held: list[Tensor] = []  # what the addresses point to
        self._layers = (_Layer * len(decoder.layers))(*map(self._layer, decoder.layers))
        self._head, self._norm = self._matrix(model.lm_head), self._address(decoder.norm.weight)
        size, heads = decoder.layers[0].self_attn.head_dim, config.num_attention_heads
        widths = (config.hidden_size, config.intermediate_size)
        if size > _WIDEST_HEAD or size % _TOGETHER or max(widths) > _WIDEST or any(w % 2 for w in widths):
            raise _NotPlainError
        self._shape = _Shape(
            layers=len(decoder.layers), hidden=config.hidden_size, inner=config.intermediate_size, heads=heads,
            kv_heads=config.num_key_value_heads, size=size, vocabulary=len(model.lm_head.weight),
            epsilon=config.rms_norm_eps, scale=decoder.layers[0].self_attn.scaling,
        )  # fmt: skip
        width = (2 * heads + 2 * config.num_key_value_heads) * size + config.intermediate_size
        self._shared = torch.empty(width, dtype=torch.float32)
        self._take(cache)

    @property
    def positions(self) -> int:
        """How many positions are held."""
        return int(self._shape.known)

    @property
    def goes_on(self) -> bool:
        """Whether one position more can be read here."""
        return llama.supports(self._model, self.positions + 1)

    @torch.inference_mode()
    def read(self, token: int) -> Tensor:
        """The logits (vocabulary,) after one token more."""
        if self.positions == self._shape.capacity:
            self._grow(2 * self.positions)
        hidden = self._embedding[token]
        place = torch.tensor([[self.positions]])
        cosine, sine = (part[0, 0].contiguous() for part in self._rotary(hidden[None, None], place))
        total = hidden.float()
        logits = torch.empty(self._shape.vocabulary, dtype=torch.float32)
        compiled().decode(
            ctypes.byref(self._shape), self._layers, _Pointer(self._norm), ctypes.byref(self._head),
            *(_Pointer(one.data_ptr()) for one in (cosine, sine, total, self._shared, self._scores, logits)),
        )  # fmt: skip
        self._shape.known += 1
        return logits

    def cache(self) -> DynamicCache:
        """What is held, as transformers' modules read it."""
        cache = DynamicCache(config=self._model.config)
        for index, (keys, values) in enumerate(self._room[:, :, :, : self.positions]):
            cache.update(keys[None].clone(), values[None].clone(), index)
        return cache

    def _layer(self, layer: Any) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        head_norms = [getattr(attention, name, None) for name in ("q_norm", "k_norm")]
        return _Layer(
            *map(self._matrix, (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj)),
            *map(self._matrix, (mlp.gate_proj, mlp.up_proj, mlp.down_proj)),
            self._address(layer.input_layernorm.weight),
            self._address(layer.post_attention_layernorm.weight),
            *(None if one is None else self._address(one.weight) for one in head_norms),
        )

    def _matrix(self, layer: Any) -> _Matrix:
        found = lora.adapted(layer)
        if found is None or (found.a is not None and len(found.a) > _MOST_RANK):
            raise _NotPlainError
        weight, bias = found.base.weight, found.base.bias
        return _Matrix(self._address(weight), self._address(bias), *self._low_rank(found))

    def _low_rank(self, found: lora.Adapted) -> tuple[int | None, int | None, int]:
        if found.a is None or found.b is None:
            return None, None, 0
        kind = found.base.weight.dtype
        return (
            self._address(found.a.detach().to(kind)),
            self._address((found.b.detach() * found.scale).to(kind)),
            len(found.a),
        )

    def _address(self, tensor: Tensor | None) -> int | None:
        if tensor is None:
            return None
        if tensor.dtype is not torch.bfloat16 or not tensor.is_contiguous():
            raise _NotPlainError
        self._held.append(tensor.detach())
        return tensor.data_ptr()

    def _take(self, cache: DynamicCache) -> None:
        """Keys and values of a cache with one row."""
        self._shape.known, self._room = 0, torch.empty(0)
        known = cache.get_seq_length()
        self._grow(known + _ROOM)
        layers: list[Any] = cache.layers
        for index, layer in enumerate(layers):
            keys, values = layer.keys, layer.values
            if known and (keys.shape[0] != 1 or keys.shape[2] != known):
                raise _NotPlainError  # several rows, or a window of which the beginning is gone
            if known:
                self._room[index, 0, :, :known], self._room[index, 1, :, :known] = keys[0], values[0]
        self._shape.known = known

    def _grow(self, capacity: int) -> None:
        """Room for so many positions in all."""
        shape, held = self._shape, self._room
        size = (shape.layers, 2, shape.kv_heads, capacity, shape.size)
        self._room = torch.empty(size, dtype=torch.bfloat16)
        if shape.known:
            self._room[:, :, :, : shape.known] = held[:, :, :, : shape.known]
        self._scores = torch.empty(shape.heads * capacity, dtype=torch.float32)
        shape.capacity = capacity
        for layer, (keys, values) in zip(self._layers, self._room, strict=True):
            layer.keys, layer.values = keys.data_ptr(), values.data_ptr()
