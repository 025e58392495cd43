"""Attention span by span must be the same arithmetic as one product behind a block mask."""

import random

import pytest
import torch

from tests.tuning.tiny import tiny_model
from tuning import passes
from tuning.attention import Spans
from tuning.dataset import Encoded, pack
from tuning.learners import text_kv
from tuning.models import BaseModel
from tuning.passes import Front, forward


def _items(shared: int, chance: random.Random) -> list[Encoded]:
    beginning = tuple(chance.randrange(400) for _ in range(shared))
    items = []
    for length in (13, 40, 7, 21):
        ids = beginning + tuple(chance.randrange(400) for _ in range(length))
        items.append(Encoded(ids, tuple(range(len(ids) - 4, len(ids)))))
    return items


def _front(base: BaseModel, prefix: list[torch.Tensor]) -> Front:
    from transformers import DynamicCache

    cache = DynamicCache()
    for index, layer in enumerate(prefix):
        cache.update(layer[0][None], layer[1][None], index)
    return Front(prefix[0].shape[2], cache) if prefix else Front()


@pytest.mark.parametrize("architecture", ["llama", "qwen3", "glm4"])
@pytest.mark.parametrize("shared", [0, 9])
@pytest.mark.parametrize("before", [0, 5])
def test_spans_give_the_logits_and_gradients_of_the_block_mask(
    base_model: BaseModel, monkeypatch: pytest.MonkeyPatch, architecture: str, shared: int, before: int
) -> None:
    base = tiny_model(base_model, architecture)
    row = pack(_items(shared, random.Random(1)))
    found = []
    for least in (10_000, 1):  # one mask, then span by span
        monkeypatch.setattr(passes, "_WORTH_SPANS", least)
        kept = text_kv(base, list(range(5, 5 + before))) if before else []
        prefix = [layer.clone().requires_grad_() for layer in kept]
        base.model.requires_grad_(True)
        logits = forward(base, row, _front(base, prefix))
        logits.float().logsumexp(-1).sum().backward()
        gradients = [layer.grad for layer in prefix]
        gradients += [p.grad for p in base.model.parameters() if p.grad is not None]
        found.append((logits.detach(), [g.clone() for g in gradients if g is not None]))
        base.model.zero_grad(set_to_none=True)
    (one, first), (other, second) = found
    assert base.model.config._attn_implementation == "sdpa"
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
    assert len(first) == len(second) > 0
    for left, right in zip(first, second, strict=True):
        torch.testing.assert_close(left, right, rtol=1e-3, atol=1e-3 * float(left.abs().max()))


def test_a_plain_row_needs_no_mask() -> None:
    spans = Spans.of(torch.tensor([1, 1, 1, 2, 2]), before=0, lead=0)
    assert spans.lengths == (0, 3, 2)
    assert spans.masks == (None, None, None)
