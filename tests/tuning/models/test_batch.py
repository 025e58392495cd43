"""Several answers in one batch on real weights: each row by its own adapter, and as it would answer alone."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.tuning.models.test_base_model import lora, prefix
from tuning.models.adapters import FullAdapter, tuner_layers
from tuning.models.base_model import BaseModel
from tuning.models.batch import Batch, can_share

LONG = "Please answer in one sentence, and think about it well before you do: what is the capital of France?"
SHORT = "Name a colour."
# Below it, two ways of rounding the same product may choose another token (bf16 logits of 15 to 30).
ROUNDING = 0.5
ROWS = ((LONG, None), (SHORT, "first"), (LONG, "second"), (LONG, "first"))
TOKENS = 10


@pytest.fixture(scope="module")
def base(base_model: BaseModel) -> Iterator[BaseModel]:
    """The base with two LoRA adapters and a prefix, which change it visibly."""
    adapters = [
        lora(base_model, 0.1, seed=1),
        lora(base_model, 0.1, seed=2, layers="mlp"),
    ]  # before any is held
    for name, adapter in zip(("first", "second"), adapters, strict=True):
        base_model.add_adapter(name, adapter)
    base_model.add_adapter("prefix", prefix(base_model))
    yield base_model
    for name in ("first", "second", "prefix"):
        base_model.unload(name)


@pytest.fixture
def exact(base: BaseModel) -> Iterator[BaseModel]:
    """The base in float32, where another order of the same sums changes no token."""
    rounded = {parameter: parameter.data for parameter in base.model.parameters()}
    for parameter, data in rounded.items():
        parameter.data = data.float()
    base.dtype, before = torch.float32, base.dtype
    yield base
    base.dtype = before
    for parameter, data in rounded.items():
        parameter.data = data


def prompt(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def surprise(base: BaseModel, text: str, tokens: list[int], adapter: str | None) -> float:
    """How far the chosen tokens stay below the best ones, for this adapter alone."""
    ids = [*base.chat_ids(prompt(text), add_generation_prompt=True)]
    logits = base.logits([*ids, *tokens[:-1]], adapter=adapter)[len(ids) - 1 :]
    chosen = logits.gather(1, torch.tensor(tokens)[:, None])[:, 0]
    return float((logits.max(dim=1).values - chosen).max())


def best(logits: list[torch.Tensor]) -> list[int]:
    return [int(one.argmax()) for one in logits]


def watched(monkeypatch: pytest.MonkeyPatch) -> dict[Any, list[torch.Tensor]]:
    """The logits of each row as they are taken."""
    taken: dict[Any, list[torch.Tensor]] = {}
    take = Batch._take

    def note(self: Batch, row: Any, logits: torch.Tensor) -> str:
        taken.setdefault(row, []).append(logits.clone())
        return take(self, row, logits)

    monkeypatch.setattr(Batch, "_take", note)
    return taken


def test_each_row_is_answered_by_its_own_adapter(base: BaseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = Batch(base)
    taken = watched(monkeypatch)
    for place, (text, adapter) in enumerate(ROWS):
        batch.join(prompt(text), adapter=adapter, max_new_tokens=TOKENS)
        if place == 2:
            batch.step()  # rows may join while others are under way
    while batch.rows:
        batch.step()
    assert len(taken) == len(ROWS)
    for (text, adapter), logits in zip(ROWS, taken.values(), strict=True):
        tokens = best(logits)
        assert surprise(base, text, tokens, adapter) < ROUNDING, adapter
        others = {other for _, other in ROWS} - {adapter}
        assert min(surprise(base, text, tokens, other) for other in others) > ROUNDING, adapter


def test_a_row_that_leaves_does_not_disturb_the_others(
    base: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = Batch(base)
    taken = watched(monkeypatch)
    longest, _ = batch.join(prompt(LONG * 3), adapter="first", max_new_tokens=TOKENS)
    stays, _ = batch.join(prompt(SHORT), max_new_tokens=TOKENS)
    batch.step()
    batch.leave(longest)
    while batch.rows:
        batch.step()
    assert len(taken[longest]) == 2 and len(taken[stays]) > 2
    assert surprise(base, SHORT, best(taken[stays]), None) < ROUNDING


def test_a_row_among_others_has_the_logits_that_it_has_alone(
    exact: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, batch = watched(monkeypatch), Batch(exact)
    rows = [(SHORT, "prefix"), (LONG, None), (SHORT, "first"), (LONG, "prefix")]
    for text, adapter in rows:
        batch.join(prompt(text), adapter=adapter, max_new_tokens=6)
    while batch.rows:
        batch.step()
    answers = list(taken.values())
    for (text, adapter), logits in zip(rows, answers, strict=True):
        ids = exact.chat_ids(prompt(text), add_generation_prompt=True)
        alone = exact.logits([*ids, *best(logits)[:-1]], adapter=adapter)[len(ids) - 1 :]
        torch.testing.assert_close(torch.stack(logits), alone, atol=2e-3, rtol=0)
    assert (answers[0][0] - answers[2][0]).abs().max() > 1  # the same question, another adapter


def test_afterwards_the_model_is_as_it_was(base: BaseModel) -> None:
    before = {name: base.logits([1, 2, 3], adapter=name) for name in (None, "first", "second")}
    batch = Batch(base)
    for adapter in (None, "first", "second"):
        batch.join(prompt(SHORT), adapter=adapter, max_new_tokens=3)
    batch.step()
    assert not any(layer._forward_pre_hooks for layer in tuner_layers(base.model))
    for name, logits in before.items():
        assert torch.equal(base.logits([1, 2, 3], adapter=name), logits)


def test_only_what_can_be_mixed_shares_a_batch(base: BaseModel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [can_share(base, name) for name in (None, "first", "prefix")] == [True, True, True]
    monkeypatch.setattr(base, "adapter", lambda name: FullAdapter({}))
    assert not can_share(base, "full")
