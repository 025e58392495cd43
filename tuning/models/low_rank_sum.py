"""Two low-rank adapters on one base as a single one that does what both do together.

B1·A1 + B2·A2 is [B1 B2]·[A1; A2]: the ranks add up, nothing is approximated. PEFT calls it "cat".
"""

import copy
from collections.abc import Mapping

import torch
from peft import LoraConfig
from torch import Tensor

from tuning.models.adapters import PeftAdapter
from tuning.models.gguf_adapter import scale_of

Pair = tuple[Tensor, Tensor]  # (rank, inputs), (outputs, rank)


def low_rank_sum(first: PeftAdapter, second: PeftAdapter) -> PeftAdapter:
    """Both plain LoRA adapters as one, of one rank in every layer; the scales are in its weights.

    A layer that only one of them changes is filled up with zeros, since not every program takes ranks that differ.
    """
    pairs = [_scaled_pairs(adapter) for adapter in (first, second)]
    ranks = [max(low.shape[0] for low, _ in one.values()) for one in pairs]
    state: dict[str, Tensor] = {}
    for module in sorted(pairs[0].keys() | pairs[1].keys()):
        low, high = _joined([one.get(module) for one in pairs], ranks)
        state |= {f"{module}.lora_A.weight": low, f"{module}.lora_B.weight": high}
    config = LoraConfig(
        r=sum(ranks),
        lora_alpha=sum(ranks),
        target_modules=sorted({name.split(".")[-3] for name in state}),
        task_type="CAUSAL_LM",
        base_model_name_or_path=first.config.base_model_name_or_path,
        inference_mode=True,
    )
    return PeftAdapter(config, state)


def begins_with(whole: PeftAdapter, first: PeftAdapter) -> bool:
    """Whether an adapter is a sum of which `first` is the first part, up to the rounding of 16 bits."""
    if not isinstance(whole.config, LoraConfig):
        return False
    config: Mapping[str, object] = whole.config.to_dict()

    def has(module: str, pair: Pair) -> bool:
        low, high = (whole.state.get(f"{module}.lora_{part}.weight") for part in "AB")
        rank = pair[0].shape[0]
        if low is None or high is None or low.shape[0] <= rank:
            return False
        own = (low[:rank].float(), high[:, :rank].float() * scale_of(config, module, low.shape[0]))
        return all(
            one.shape == other.shape and torch.allclose(one, other, rtol=0.02, atol=1e-4)
            for one, other in zip(own, pair, strict=True)
        )

    return all(has(module, pair) for module, pair in _scaled_pairs(first).items())


def without_first(adapter: PeftAdapter, rank: int) -> PeftAdapter:
    """What `low_rank_sum` put behind the first `rank` ranks: the second of its two adapters."""
    modules = sorted(name.removesuffix(".lora_A.weight") for name in adapter.state if ".lora_A" in name)
    state: dict[str, Tensor] = {}
    for module in modules:
        low = adapter.state[f"{module}.lora_A.weight"][rank:]
        if low.any():  # zeros fill up a layer that it does not change
            high = adapter.state[f"{module}.lora_B.weight"][:, rank:]
            state |= {f"{module}.lora_A.weight": low, f"{module}.lora_B.weight": high}
    config = copy.copy(adapter.config)
    assert isinstance(config, LoraConfig)
    config.r = config.lora_alpha = config.r - rank
    config.target_modules = sorted({name.split(".")[-3] for name in state})
    return PeftAdapter(config, state)


def _joined(pairs: list[Pair | None], ranks: list[int]) -> Pair:
    """The matrices of one layer beside each other, each in the place of its adapter."""
    known = next(pair for pair in pairs if pair is not None)
    inputs, outputs = known[0].shape[1], known[1].shape[0]
    lows, highs = [], []
    for pair, rank in zip(pairs, ranks, strict=True):
        low, high = torch.zeros(rank, inputs), torch.zeros(outputs, rank)
        if pair is not None:
            low[: pair[0].shape[0]], high[:, : pair[1].shape[1]] = pair
        lows.append(low)
        highs.append(high)
    return torch.cat(lows), torch.cat(highs, dim=1)


def _scaled_pairs(adapter: PeftAdapter) -> dict[str, Pair]:
    """The matrices by layer, in float32, each second one times what PEFT multiplies the change with."""
    config: Mapping[str, object] = adapter.config.to_dict()
    found = {}
    for name, low in adapter.state.items():
        module, _, part = name.removesuffix(".weight").rpartition(".lora_")
        if part == "A":
            high = adapter.state[f"{module}.lora_B.weight"].float()
            found[module] = (low.float(), high * scale_of(config, module, low.shape[0]))
    return found
