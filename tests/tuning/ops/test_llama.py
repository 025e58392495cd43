"""The quick forward pass must be the model's own arithmetic: same logits and gradients, no more rounding."""

import random
from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor
from transformers import DynamicCache

from tests.tuning.tiny import tiny_model
from tuning.models import adapters, decoding
from tuning.models.base_model import BaseModel
from tuning.models.forward import forward
from tuning.models.packing import Encoded, PackedRow, pack
from tuning.models.prefix import PrefixInput
from tuning.ops import kernels, llama, lora
from tuning.ops.attention import Spans

KINDS = ("llama", "mistral", "qwen2", "qwen3")


def packed(shared: int) -> PackedRow:
    rng = random.Random(1)
    beginning = tuple(rng.randrange(400) for _ in range(shared))
    items = []
    for length in (13, 40, 7, 21):
        ids = beginning + tuple(rng.randrange(400) for _ in range(length))
        items.append(Encoded(ids, tuple(range(len(ids) - 4, len(ids)))))
    return pack(items, multiple=32)


def outcome(base: BaseModel, row: PackedRow, before: str) -> list[Tensor]:
    """Logits, and the gradients of whatever learns."""
    model: Any = base.model
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    prefix = PrefixInput()
    torch.manual_seed(3)
    if before == "prefix":
        config = base.config
        shape = (2, config.num_key_value_heads, 5, config.head_dim)
        kv = [torch.randn(shape).requires_grad_() for _ in range(config.num_hidden_layers)]
        cache = DynamicCache()
        for index, layer in enumerate(kv):
            cache.update(*(part[None] for part in layer.to(base.dtype).unbind(0)), index)
        prefix, learned = PrefixInput(5, cache), learned + kv
    elif before == "embeddings":
        embeddings = torch.randn(5, base.config.hidden_size).requires_grad_()
        prefix, learned = PrefixInput(5, embeddings=embeddings.to(base.dtype)), [*learned, embeddings]
    logits = forward(base, row, prefix).float()
    gradients = torch.autograd.grad(logits.logsumexp(-1).sum(), learned) if learned else ()
    return [logits.detach(), *(gradient.float() for gradient in gradients)]


def with_lora(base: BaseModel) -> None:
    torch.manual_seed(2)
    names = [name for name, module in base.model.named_modules() if name.endswith("_proj")]
    inject_adapter_in_model(LoraConfig(r=4, lora_alpha=8, target_modules=names), base.model, "it")
    for name, parameter in base.model.named_parameters():
        parameter.requires_grad_("lora_" in name)
        if "lora_" in name:
            parameter.data = torch.randn_like(parameter, dtype=torch.float32) * 0.1
    for layer in adapters.tuner_layers(base.model):
        lora.enable_fast_path(layer, "it")


def errors(found: list[Tensor], wanted: list[Tensor]) -> list[float]:
    return [
        float((a - b).detach().norm() / b.detach().norm().clamp(min=1e-9))
        for a, b in zip(found, wanted, strict=True)
    ]


@pytest.mark.parametrize("architecture", KINDS)
@pytest.mark.parametrize("shared", [0, 9])
@pytest.mark.parametrize("before", ["nothing", "prefix", "embeddings"])
@pytest.mark.parametrize("learns", ["adapter", "prefix", "everything"])
def test_logits_and_gradients_are_those_of_the_model(
    base_model: BaseModel,
    monkeypatch: pytest.MonkeyPatch,
    architecture: str,
    shared: int,
    before: str,
    learns: str,
) -> None:
    row, found = packed(shared), {}
    for dtype in (torch.float32, torch.bfloat16):
        base = tiny_model(base_model, architecture, dtype=dtype)
        assert llama.supports(base.model, 100)
        if learns == "adapter":
            with_lora(base)
        base.model.requires_grad_(learns == "everything") if learns != "adapter" else None
        found[dtype, True] = outcome(base, row, before)
        with monkeypatch.context() as patch:
            patch.setattr(llama, "supports", lambda *_: False)
            found[dtype, False] = outcome(base, row, before)
    exact = found[torch.float32, False]
    assert max(errors(found[torch.float32, True], exact)) < 1e-4
    quick, slow = (errors(found[torch.bfloat16, way], exact) for way in (True, False))
    assert sum(quick) < 1.35 * sum(slow) + 1e-3  # keys that all share gather rounded gradients
    assert quick[0] < 1.2 * slow[0] + 1e-3


@pytest.mark.skipif(kernels.compiled() is None, reason="no compiler here")
def test_the_compiled_passes_are_what_torch_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)

    def value(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.bfloat16).requires_grad_()

    angles = torch.randn(70, 8).repeat(1, 2)
    cosine, sine = angles.cos().bfloat16(), angles.sin().bfloat16()
    cases: list[tuple[Any, list[Tensor], list[Any]]] = [
        (kernels.add_norm, [value(70, 96), value(70, 96), value(96)], [1e-5]),
        (kernels.add_norm, [value(70, 96)], [None, value(96).detach(), 1e-5]),
        (kernels.rotate, [value(70, 96), value(70, 32), value(70, 32)], [cosine, sine]),
        (kernels.gated, [value(70, 1000), value(70, 1000)], []),
        (kernels.log_probs, [value(70, 900)], [torch.randint(900, (70, 5))]),
    ]
    for function, learned, rest in cases:
        results = []
        for native in (True, False):
            with monkeypatch.context() as patch:
                if not native:
                    patch.setattr(kernels, "compiled", lambda: None)
                made = function(*learned, *rest)
                outs = made if isinstance(made, tuple) else (made,)
                torch.manual_seed(1)
                scalar: Any = sum((out.float() * torch.randn(out.shape)).sum() for out in outs)
                results.append([*outs, *torch.autograd.grad(scalar, learned)])
        assert max(errors([r.float() for r in results[0]], [r.float() for r in results[1]])) < 0.01


def test_a_row_that_fills_up_leaves_its_filling_alone() -> None:
    spans = Spans.of(torch.tensor([0, 0, 1, 1, 1, 2, -1, -1]), before=3, lead=1, dtype=torch.float32)
    assert (spans.shared, spans.bounds, spans.length) == (3, ((3, 6), (6, 7)), 9)
    assert spans.mask.shape == (3, 9)
    assert (spans.mask == 0).sum(-1).tolist() == [7, 8, 9]


@pytest.mark.parametrize("native", [True, False])
def test_what_is_nearly_certain_still_gives_a_gradient_and_twice_asked_counts_twice(
    monkeypatch: pytest.MonkeyPatch, native: bool
) -> None:
    if not native:
        monkeypatch.setattr(kernels, "compiled", lambda: None)
        monkeypatch.setattr(kernels, "_ROWS", 2)
    torch.manual_seed(0)
    logits = torch.randn(3, 50, dtype=torch.bfloat16)
    logits[0, 7] = 9.0  # where 1 - p is far below what bfloat16 tells from 1
    logits.requires_grad_()
    tokens = torch.tensor([[7, 7], [1, 2], [0, 49]])
    (found,) = torch.autograd.grad(kernels.log_probs(logits, tokens).sum(), logits)
    wanted = torch.autograd.grad(torch.log_softmax(logits.float(), -1).gather(1, tokens).sum(), logits)[0]
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=0.01)


@pytest.mark.parametrize("architecture", KINDS)
@pytest.mark.parametrize("before", [0, 5])
def test_batched_and_streamed_answers_are_those_of_the_model(
    base_model: BaseModel, monkeypatch: pytest.MonkeyPatch, architecture: str, before: int
) -> None:
    base, rng = tiny_model(base_model, architecture), random.Random(3)
    prompts = [[rng.randrange(400) for _ in range(length)] for length in (3, 12, 7)]
    prompts += [[*range(20, 31), *prompt] for prompt in prompts] if before else []

    def cache() -> DynamicCache:
        filled = DynamicCache(config=base.model.config)
        if before:
            base.model(torch.tensor([[5, 6, 7, 8, 9]]), past_key_values=filled, use_cache=True)
        return filled

    def answers() -> list[Any]:
        found: list[Any] = decoding.greedy_batch(base.model, prompts, cache(), (base.end_id,), 6)
        for prompt in prompts:
            kept = cache()
            found.append([decoding.step(base.model, ids, kept) for ids in (prompt, prompt[:1], prompt[:2])])
        return found

    quick = answers()
    monkeypatch.setattr(llama, "supports", lambda *_: False)
    slow = answers()
    count = len(prompts)
    assert quick[:count] == slow[:count]
    for ours, theirs in zip(quick[count:], slow[count:], strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
