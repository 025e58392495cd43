"""Looking inside a checkpoint: the figures are those of the weights and of the attention as they are used."""

from typing import Any

import pytest
import torch
from peft.tuners.tuners_utils import BaseTunerLayer

from tests.tuning.tiny import tiny_model
from tuning.checkpoints import inspection
from tuning.config import TuneConfig
from tuning.errors import CheckpointError
from tuning.models.adapters import Adapter, FullAdapter, PrefixAdapter
from tuning.models.base_model import BaseModel
from tuning.models.prefix import text_kv
from tuning.training.learner import LearnerPlan
from tuning.training.methods import METHODS, build
from tuning.training.recipe import recipe

QUESTION = [{"role": "user", "content": "How heavy is it?"}]
CHAT = [
    [{"role": "user", "content": "How heavy is it?"}, {"role": "assistant", "content": "It is 640 grams."}]
]


@pytest.fixture
def tiny(base_model: BaseModel) -> BaseModel:
    return tiny_model(base_model)


def learned(base: BaseModel, method: str, **options: Any) -> Adapter:
    """An adapter of this method whose weights are random: as if it had learned something."""
    config = TuneConfig(method=method, rank=4, layers="all", virtual_tokens=6, **options)
    plan = LearnerPlan(base, config, recipe(config, METHODS[method].family, 32), CHAT, 10, None)
    learner = build(plan)
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    adapter = learner.adapter()
    learner.close()
    return adapter


def dense_changes(base: BaseModel, name: str) -> list[float]:
    """‖W' - W‖ / ‖W‖ of every changed matrix, by letting each layer compute the whole identity."""
    found = []
    with base.activate(name), torch.inference_mode():
        for layer in base.model.modules():
            if isinstance(layer, BaseTunerLayer):
                own: Any = layer.get_base_layer()
                one = torch.eye(own.in_features)
                changed, weight = layer(one).T, own(one).T  # type: ignore[operator]
                found.append(float((changed - weight).norm() / weight.norm()))
    return found


@pytest.mark.parametrize(
    ("method", "options"),
    [("lora", {}), ("lora", {"rslora": True}), ("lora", {"dora": True}), ("adalora", {}), ("ia3", {})],
)
def test_the_size_of_a_change_is_that_of_the_weights_used(
    tiny: BaseModel, method: str, options: dict[str, bool]
) -> None:
    tiny.add_adapter("learned", learned(tiny, method, **options))
    found = inspection.weight_changes(tiny, "learned")
    assert [change.size for change in found] == pytest.approx(dense_changes(tiny, "learned"), rel=1e-3)
    assert {change.layer for change in found} == {0, 1}
    assert {"q_proj", "down_proj"} <= {change.module for change in found} or method == "ia3"


def test_full_tuning_shows_every_matrix(tiny: BaseModel) -> None:
    adapter = learned(tiny, "full")
    assert isinstance(adapter, FullAdapter)
    before = {name: value.clone() for name, value in tiny.model.named_parameters()}
    after = {name: value.clone() for name, value in adapter.state.items()}
    tiny.add_adapter("learned", adapter)
    found = inspection.weight_changes(tiny, "learned")
    wanted = [
        float((after[name] - value).norm() / value.norm()) for name, value in before.items() if value.ndim > 1
    ]
    assert [change.size for change in found] == pytest.approx(wanted, rel=1e-4)
    assert found[0].layer is None and found[0].module == "embed_tokens"


def test_full_tuning_takes_turns_with_low_rank(tiny: BaseModel) -> None:
    """Layers that another adapter put into the model are not there while every weight is exchanged."""
    prompt = tiny.chat_ids(QUESTION, add_generation_prompt=True)
    before = tiny.logits(prompt)
    adapters = {method: learned(tiny, method) for method in ("full", "lora")}
    tiny.add_adapter("low-rank", adapters["lora"])
    low_rank = tiny.logits(prompt, adapter="low-rank")
    tiny.add_adapter("whole", adapters["full"])
    whole = tiny.logits(prompt, adapter="whole")
    assert torch.equal(tiny.logits(prompt, adapter="low-rank"), low_rank)
    assert torch.equal(tiny.logits(prompt, adapter="whole"), whole)
    assert torch.equal(tiny.logits(prompt), before)
    assert len({tuple(one[-1].tolist()) for one in (before, low_rank, whole)}) == 3


def test_attention_to_a_prefix_is_that_to_its_text(tiny: BaseModel) -> None:
    """A prefix that holds a text's keys and values draws what the text itself would draw."""
    text: Any = tiny.tokenizer("The Skerrin is a weather station.")["input_ids"]
    tiny.add_adapter("text", PrefixAdapter(tuple(text_kv(tiny, text)), {}, {}))
    prompt = tiny.chat_ids(QUESTION, add_generation_prompt=True)
    tiny.model.set_attn_implementation("eager")
    with torch.inference_mode():
        whole = tiny.model(input_ids=torch.tensor([[*text, *prompt]]), output_attentions=True).attentions
    tiny.model.set_attn_implementation("sdpa")
    before = tiny.logits(prompt, adapter="text")

    found = inspection.prefix_attention(tiny, "text", QUESTION)
    for layer, weights in zip(found, whole, strict=True):
        assert layer.heads == pytest.approx(weights[0, :, -1, : len(text)].sum(-1).tolist(), abs=1e-4)
        assert layer.first == pytest.approx(float(weights[0, :, -1, 0].mean()), abs=1e-4)
    assert tiny.model.config._attn_implementation == "sdpa"
    assert torch.equal(tiny.logits(prompt, adapter="text"), before)


@pytest.mark.parametrize(
    ("method", "shown"),
    [
        ("lora", {"changes"}),
        ("ia3", {"changes"}),
        ("full", {"changes"}),
        ("p-tuning-v2", {"attention"}),
        ("prefix-tuning", {"attention"}),
        ("p-tuning", {"words", "attention"}),
        ("prompt-tuning", {"words", "attention"}),
    ],
)
def test_each_method_has_its_pictures(tiny: BaseModel, method: str, shown: set[str]) -> None:
    tiny.add_adapter("learned", learned(tiny, method))
    inside = inspection.look_inside(tiny, "learned", QUESTION)
    found = {name for name in ("changes", "words", "attention") if getattr(inside, name)}
    assert found == shown
    assert inside.sizes.learned > 0


def test_sizes_are_counted_without_what_else_is_loaded(tiny: BaseModel) -> None:
    own = sum(parameter.numel() for parameter in tiny.model.parameters())
    tiny.add_adapter("low-rank", learned(tiny, "lora"))
    tiny.add_adapter("words", learned(tiny, "prompt-tuning"))
    low_rank, words = inspection.sizes(tiny, "low-rank"), inspection.sizes(tiny, "words")
    assert low_rank.base == words.base == own
    # Rank 4 on q, k, v, o (32 and 16 wide) and gate, up, down (64 wide) of two layers.
    assert low_rank.learned == 2 * 4 * (2 * (32 + 32) + 2 * (32 + 16) + 3 * (32 + 64))
    assert (words.learned, words.positions) == (6 * 32, 6)
    assert words.share == words.learned / own


def test_what_is_not_loaded_is_named(tiny: BaseModel) -> None:
    with pytest.raises(CheckpointError, match="'gone' is not loaded"):
        inspection.weight_changes(tiny, "gone")
    tiny.add_adapter("words", learned(tiny, "prompt-tuning"))
    with pytest.raises(CheckpointError, match="too many to look at"):
        inspection.prefix_attention(tiny, "words", [{"role": "user", "content": "word " * 600}])
