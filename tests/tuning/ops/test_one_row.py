"""Token after token in C must be the model's own arithmetic: the same logits, with no more rounding."""

import random

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor
from transformers import DynamicCache

from tests.tuning.tiny import tiny_model
from tuning.models import adapters, decoding
from tuning.models.base_model import BaseModel
from tuning.ops import kernels, llama, lora, one_row

KINDS = ("llama", "mistral", "qwen2", "qwen3")
pytestmark = pytest.mark.skipif(kernels.compiled() is None, reason="no compiler here")


def with_lora(base: BaseModel) -> None:
    torch.manual_seed(2)
    inject_adapter_in_model(
        LoraConfig(r=3, lora_alpha=8, target_modules=["q_proj", "up_proj", "down_proj"]), base.model, "it"
    )
    for name, parameter in base.model.named_parameters():
        if "lora_" in name:
            parameter.data = (torch.randn(parameter.shape) * 0.1).to(base.dtype)
    base.model.requires_grad_(False)
    for layer in adapters.tuner_layers(base.model):
        lora.enable_fast_path(layer, "it")


def prefix(base: BaseModel) -> DynamicCache:
    cache = DynamicCache(config=base.model.config)
    base.model(torch.tensor([[5, 6, 7, 8, 9]]), past_key_values=cache, use_cache=True)
    return cache


def read(base: BaseModel, ids: list[int], first: int) -> Tensor:
    """The logits after the first ids together and after each one of the rest."""
    reader = decoding.Reader(base.model, prefix(base))
    return torch.stack([reader.read(part).float() for part in (ids[:first], *([one] for one in ids[first:]))])


@pytest.mark.parametrize("architecture", KINDS)
@pytest.mark.parametrize("adapter", [False, True])
def test_each_token_has_the_logits_of_the_model(
    base_model: BaseModel, monkeypatch: pytest.MonkeyPatch, architecture: str, adapter: bool
) -> None:
    monkeypatch.setattr(one_row, "_ROOM", 3)  # so that it grows
    ids, found = [random.Random(1).randrange(400) for _ in range(20)], {}
    for dtype in (torch.float32, torch.bfloat16):
        base = tiny_model(base_model, architecture, dtype=dtype)
        if adapter:
            with_lora(base)
        found[dtype, "quick"] = read(base, ids, 8)
        with monkeypatch.context() as patch:
            patch.setattr(one_row, "open_row", lambda *_: None)
            found[dtype, "slow"] = read(base, ids, 8)
    exact = found[torch.float32, "slow"]
    quick, slow = ((found[torch.bfloat16, way] - exact).norm() / exact.norm() for way in ("quick", "slow"))
    assert not torch.equal(found[torch.bfloat16, "quick"], found[torch.bfloat16, "slow"])  # it was used
    assert quick < 1.2 * slow + 1e-3


def test_what_was_read_is_a_cache_for_the_model_again(
    base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny_model(base_model, dtype=torch.bfloat16)
    reader = decoding.Reader(base.model, prefix(base))
    for token in (1, 2, 3):
        reader.read([token])
    supports = llama.supports
    monkeypatch.setattr(
        llama, "supports", lambda model, positions: positions < 9 and supports(model, positions)
    )
    over = reader.read([4]).float()  # as where a window ends
    assert reader._row is None and reader._cache.get_seq_length() == 9
    wanted = decoding.step(base.model, [1, 2, 3, 4], prefix(base)).float()
    assert (over - wanted).norm() < 0.02 * wanted.norm()


def test_a_row_keeps_the_weights_that_it_began_with(base_model: BaseModel) -> None:
    base = tiny_model(base_model, dtype=torch.bfloat16)
    rows = [one_row.open_row(base.model, prefix(base)) for _ in range(2)]
    assert rows[0] is not None and rows[1] is not None
    before = rows[0].read(7)
    state = {name: torch.zeros_like(value) for name, value in base.model.named_parameters()}
    adapters.FullAdapter(state).swap(base.model, "zero")
    torch.testing.assert_close(rows[1].read(7), before, rtol=0, atol=0)


def test_what_is_not_plain_is_left_to_the_model(base_model: BaseModel) -> None:
    base = tiny_model(base_model, dtype=torch.bfloat16)
    config = LoraConfig(r=3, target_modules=["q_proj"], use_dora=True)
    inject_adapter_in_model(config, base.model, "it")
    base.model.requires_grad_(False)
    assert one_row.open_row(base.model, prefix(base)) is None
    assert one_row.open_row(tiny_model(base_model).model, DynamicCache()) is None  # float32
