"""Replay: what the base itself answers to general prompts, and how likely it thinks each token."""

import pytest
import torch

from tests.tuning.tiny import tiny_model
from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.models.base_model import BaseModel
from tuning.training.replay import replay_set


def test_replay_holds_what_the_base_itself_says_and_thinks(base_model: BaseModel) -> None:
    first, *others = replay_set(base_model, "", count=3)
    assert 2 <= len(others) <= 3
    said = base_model.complete([[{"role": "user", "content": REPLAY_PROMPTS[0]}]], max_new_tokens=16)[0]
    targets = list(first.encoded.targets)
    answer = base_model.tokenizer.decode([first.encoded.ids[target] for target in targets])
    assert said.strip() and answer.startswith(said.strip())
    logits = base_model.logits(first.encoded.ids)[[target - 1 for target in targets]]
    probs, tokens = torch.softmax(logits, dim=-1).topk(64)
    assert torch.equal(first.teacher.tokens[:, 0], tokens[:, 0])
    torch.testing.assert_close(first.teacher.probs, probs, atol=0.02, rtol=0.1)


def test_replay_on_a_model_that_says_nothing_is_empty(
    base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny_model(base_model)
    monkeypatch.setattr(base, "complete", lambda prompts, max_new_tokens: [""] * len(prompts))
    assert replay_set(base, "", count=2) == []
