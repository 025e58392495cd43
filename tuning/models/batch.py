"""Several answers in one batch: the base, LoRA adapters and prefixes side by side, a token of each a step.

A row's prompt is read alone, with its own adapter; from then on rows share the products of the base (PEFT's
mixed batches: each row with its own low-rank change). A prefix is part of a row's cache and needs nothing
more. Every other adapter has a batch of its own: `can_share` says which. It decides no order.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from peft import PeftType
from torch import Tensor
from transformers import DynamicCache

from tuning.data.examples import Message
from tuning.models import adapters, decoding
from tuning.models.adapters import PeftAdapter, PrefixAdapter
from tuning.models.base_model import BaseModel
from tuning.models.stream_end import FinishReason, StreamEnd
from tuning.ops import llama, lora
from tuning.ops.one_row import OneRow, open_row

_BASE_ROW = "__base__"  # PEFT's name for a row without an adapter


@dataclass(eq=False)
class BatchRow:
    """One answer on its way."""

    adapter: str | None
    text: decoding.TextStream
    pick: decoding.Pick
    # Tokens that may still be written.
    left: int
    # Positions in the cache that are this row's own.
    length: int = 0
    token: int | None = None
    # Tokens written so far, without the end-of-turn token.
    written: int = 0
    ended: bool = False
    finish_reason: FinishReason = "stop"

    @property
    def end(self) -> StreamEnd:
        """How it ended, once it has."""
        return StreamEnd(self.finish_reason, self.written)


@dataclass
class Batch:
    """Rows that are answered together. Use it from one thread, holding the model."""

    base: BaseModel
    _rows: list[BatchRow] = field(default_factory=list)
    # Keys and values of every layer, (rows, heads, positions, size), padded on the left.
    _cache: DynamicCache | None = None
    # What reads on for a row that is alone, in place of the cache; whether to look for it.
    _alone: OneRow | None = None
    _may_be_alone: bool = True

    @property
    def rows(self) -> Sequence[BatchRow]:
        """The rows that go on."""
        return tuple(self._rows)

    def join(
        self,
        messages: Sequence[Message],
        *,
        adapter: str | None = None,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
        pick: decoding.Pick | None = None,
        beginning: str = "",
    ) -> tuple[BatchRow, str]:
        """Read a prompt; the new row and the first piece of its answer. The options are `BaseModel.generate`'s.

        Raises ModelError.
        """
        ids, room = self.base.prompt(messages, adapter, beginning)
        pick = pick or decoding.sampler(temperature, top_p, seed)
        text = decoding.TextStream(self.base.tokenizer)
        row = BatchRow(adapter, text, pick, min(max_new_tokens, room))
        with self.base.activate(adapter):
            cache = self.base.new_cache()
            logits = decoding.step(self.base.model, ids, cache)
        row.length = cache.get_seq_length()
        piece = self._take(row, logits)
        if not row.ended:
            self._share_again()
            self._may_be_alone = True
            self._rows.append(row)
            self._cache = cache if self._cache is None else _joined(self.base, self._cache, cache)
        return row, piece

    @torch.inference_mode()
    def step(self) -> list[tuple[BatchRow, str]]:
        """A token for each row; those that end leave the batch."""
        if not self._rows:
            return []
        with self._mixed([row.adapter for row in self._rows]):
            logits = self._forward()
        for row in self._rows:
            row.length += 1
        written = [(row, self._take(row, logits[place])) for place, row in enumerate(self._rows)]
        self._drop([row for row, _ in written if row.ended])
        return written

    def leave(self, row: BatchRow) -> str:
        """End a row early; what its text still held back."""
        row.ended = True
        self._drop([row])
        return row.text.flush()

    def _forward(self) -> Tensor:
        """The logits (rows, vocabulary) after each row's last token."""
        if len(self._rows) == 1 and self._cache is not None and self._may_be_alone:
            self._alone, self._may_be_alone = open_row(self.base.model, self._cache), False
            self._cache = None if self._alone else self._cache
        if self._alone is not None and self._alone.goes_on:
            return self._alone.read(self._rows[0].token or 0)[None]
        self._share_again()
        assert self._cache is not None
        return self._together(self._cache)

    def _share_again(self) -> None:
        """Give back what a row that was alone has read."""
        if self._alone is not None:
            self._cache, self._alone = self._alone.cache(), None

    def _together(self, cache: DynamicCache) -> Tensor:
        device, held = self.base.device, cache.get_seq_length()
        lengths = torch.tensor([row.length for row in self._rows], device=device)
        places = torch.arange(held + 1, device=device)
        mask = (places[None] >= held - lengths[:, None]).long()
        tokens = torch.tensor([[row.token] for row in self._rows], device=device)
        if llama.supports(self.base.model, held + 1):
            return llama.read(self.base.model, tokens, lengths[:, None], cache, mask)
        found: Tensor = self.base.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=lengths[:, None],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        return found

    def _take(self, row: BatchRow, logits: Tensor) -> str:
        token = row.pick(logits)
        if token in self.base.stop_ids:
            row.ended = True
            return row.text.flush()
        row.token, row.left, row.written = token, row.left - 1, row.written + 1
        piece = row.text.push(token)
        if row.left < 1:
            row.ended, row.finish_reason = True, "length"
            piece += row.text.flush()
        return piece

    def _drop(self, gone: Sequence[BatchRow]) -> None:
        keep = [place for place, row in enumerate(self._rows) if row not in gone]
        if len(keep) == len(self._rows):
            return
        self._rows = [self._rows[place] for place in keep]
        self._may_be_alone = True
        if self._cache is None or not keep:
            self._cache = self._alone = None
            return
        self._cache.batch_select_indices(torch.tensor(keep, device=self.base.device))
        longest = max(row.length for row in self._rows)
        if longest < self._cache.get_seq_length():  # the longest row left: its room goes with it
            cut = [(keys[:, :, -longest:], values[:, :, -longest:]) for keys, values in _states(self._cache)]
            self._cache = _filled(self.base, cut)

    @contextmanager
    def _mixed(self, names: Sequence[str | None]) -> Iterator[None]:
        """Inside, row i of the model computes with the adapter of names[i]."""
        own = [
            name for name in dict.fromkeys(names) if name and isinstance(self.base.adapter(name), PeftAdapter)
        ]
        if not own or len(set(names)) == 1:
            with self.base.activate(names[0] if len(set(names)) == 1 else None):
                yield
            return
        keys = {name: self.base.peft_name(name) for name in own if name is not None}
        rows = [keys.get(name or "", _BASE_ROW) for name in names]

        def with_names(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return args, {**kwargs, "adapter_names": rows}

        with self.base.activate(own[0]):
            layers = list(adapters.tuner_layers(self.base.model))
            for layer in layers:
                lora.disable_fast_path(layer)  # the fast path knows one adapter only
            hooks = [layer.register_forward_pre_hook(with_names, with_kwargs=True) for layer in layers]
            try:
                yield
            finally:
                for hook in hooks:
                    hook.remove()
                for layer in layers:
                    lora.enable_fast_path(layer, keys[own[0] or ""])


def can_share(base: BaseModel, adapter: str | None) -> bool:
    """Whether rows with this adapter may stand in one batch with rows of others."""
    if adapter is None:
        return True
    held = base.adapter(adapter)
    if isinstance(held, PrefixAdapter):
        return True
    return (
        isinstance(held, PeftAdapter)
        and held.config.peft_type == PeftType.LORA
        and not getattr(held.config, "use_dora", False)
    )


def _joined(base: BaseModel, batch: DynamicCache, row: DynamicCache) -> DynamicCache:
    """Both caches as one, the shorter padded on its left."""
    longest = max(batch.get_seq_length(), row.get_seq_length())
    pairs = [
        (
            torch.cat([_padded(many[0], longest), _padded(one[0], longest)]),
            torch.cat([_padded(many[1], longest), _padded(one[1], longest)]),
        )
        for many, one in zip(_states(batch), _states(row), strict=True)
    ]
    return _filled(base, pairs)


def _states(cache: DynamicCache) -> list[tuple[Tensor, Tensor]]:
    """Keys and values of each layer."""
    layers: list[Any] = list(cache.layers)
    return [(layer.keys, layer.values) for layer in layers]


def _padded(states: Tensor, longest: int) -> Tensor:
    return torch.nn.functional.pad(states, (0, 0, longest - states.shape[-2], 0))


def _filled(base: BaseModel, pairs: Sequence[tuple[Tensor, Tensor]]) -> DynamicCache:
    cache = DynamicCache(config=base.model.config)
    for place, (keys, values) in enumerate(pairs):
        cache.update(keys, values, place)
    return cache
