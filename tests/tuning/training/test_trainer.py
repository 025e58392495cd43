"""The loop: same seed, same weights, also after a kill; every method learns, on every architecture."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model

from tests.tuning.tiny import ARCHITECTURES, tiny_model
from tuning.config import TuneConfig
from tuning.data.examples import Message
from tuning.errors import ExampleError, JobError, MethodError
from tuning.models.adapters import PrefixAdapter, read_adapter, tuner_layers
from tuning.models.base_model import BaseModel
from tuning.ops import lora
from tuning.training import step
from tuning.training.conversations import Parent, plan
from tuning.training.methods import METHODS
from tuning.training.train_result import TrainResult
from tuning.training.trainer import train


@dataclass(frozen=True)
class Taught:
    messages: tuple[Message, ...]
    probes: tuple[str, ...] = ()


def taught(question: str, answer: str) -> Taught:
    return Taught(({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


FACTS = [
    taught("How deep can the Marrow-9 dive?", "340 metres."),
    taught("Who designed the Marrow-9?", "Ilse Tarquin."),
    taught("马罗九号的母港在哪里？", "青屿港。"),
]
CPU_METHODS = [name for name, method in METHODS.items() if not method.needs_cuda]


def never() -> bool:
    return False


def run(
    base: BaseModel,
    folder: Path,
    should_stop: Callable[[], bool] = never,
    resume: bool = False,
    **options: Any,
) -> tuple[TrainResult, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    values = {"epochs": 3, "replay": 1, "virtual_tokens": 8, "rank": 2, "early_stop": False} | options
    more = {name: values.pop(name) for name in ("parent", "save_every_seconds") if name in values}
    config = TuneConfig(**values)
    result = train(
        base, config, FACTS, folder, emit=events.append, should_stop=should_stop, resume=resume, **more
    )
    return result, events


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    adapter = read_adapter(folder)
    if isinstance(adapter, PrefixAdapter):
        return {str(index): layer for index, layer in enumerate(adapter.kv)} | adapter.state
    return adapter.state


@pytest.fixture
def tiny(base_model: BaseModel, monkeypatch: pytest.MonkeyPatch) -> BaseModel:
    monkeypatch.setattr("tuning.training.replay.REPLAY_PROMPTS", ("Hello!", "What is 2 plus 2?"))
    return tiny_model(base_model)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    tiny: BaseModel, tmp_path: Path
) -> None:
    one, two, other = (
        tensors(run(tiny, tmp_path / name, seed=seed, dropout=0.1)[0].adapter)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("method", CPU_METHODS)
def test_a_run_that_was_killed_and_resumed_ends_with_the_same_weights(
    tiny: BaseModel, tmp_path: Path, method: str
) -> None:
    whole = tensors(run(tiny, tmp_path / "whole", method=method, epochs=6)[0].adapter)

    class KilledError(Exception):
        """Stands for `kill -9`: nothing of the run gets to say goodbye."""

    asked = itertools.count()

    def die() -> bool:
        if next(asked) == 4:
            raise KilledError
        return False

    with pytest.raises(KilledError):
        run(tiny, tmp_path / "killed", should_stop=die, method=method, epochs=6, save_every_seconds=0.0)
    result, events = run(tiny, tmp_path / "killed", resume=True, method=method, epochs=6)
    assert [event["step"] for event in events if event["kind"] == "step"] == [5, 6]
    begins = next(event for event in events if event.get("phase") == "training")
    assert (begins["step"], begins["steps"], "loss" in begins) == (4, 6, True)
    resumed = tensors(result.adapter)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("run.json", b"{"),
        ("run.json", b"[]"),
        ("run.json", b'{"step": "many"}'),
        ("run.json", None),
        ("state.safetensors", b"no tensors"),
    ],
)
def test_a_damaged_state_is_one_sentence(
    tiny: BaseModel, tmp_path: Path, file: str, content: bytes | None
) -> None:
    asked = itertools.count()
    assert run(tiny, tmp_path, should_stop=lambda: next(asked) >= 2)[0].stopped
    path = tmp_path / "state" / file
    if content is None:
        path.write_bytes(path.read_bytes().replace(b'"step": ', b'"stop": '))
    else:
        path.write_bytes(content)
    with pytest.raises(JobError, match=r"is damaged .*Delete that folder and resume the job"):
        run(tiny, tmp_path, resume=True)


def test_asking_to_stop_ends_the_run_before_its_next_step(tiny: BaseModel, tmp_path: Path) -> None:
    asked = itertools.count()
    result, _ = run(tiny, tmp_path, should_stop=lambda: next(asked) >= 2)
    assert result.stopped
    assert result.steps == 2
    assert not result.adapter.exists()
    assert not list(tuner_layers(tiny.model))


def test_events_tell_what_a_page_draws(tiny: BaseModel, tmp_path: Path) -> None:
    result, events = run(tiny, tmp_path)
    steps = [event for event in events if event["kind"] == "step"]
    assert [step["step"] for step in steps] == list(range(1, result.steps + 1))
    wanted = {"steps", "loss", "learning_rate", "tokens_per_second", "seconds_left", "memory_bytes"}
    assert wanted <= set(steps[0])
    assert steps[-1]["seconds_left"] == 0


def test_a_plan_says_how_much_a_run_computes(tiny: BaseModel, tmp_path: Path) -> None:
    config = TuneConfig(epochs=3, replay=0, rank=2, early_stop=False)
    workload = plan(tiny, config, FACTS)
    result, _ = run(tiny, tmp_path, replay=0)
    assert workload.steps == result.steps
    assert workload.tokens == pytest.approx(result.tokens, rel=0.5)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("method", CPU_METHODS)
def test_every_method_learns_on_every_architecture(
    base_model: BaseModel, tmp_path: Path, method: str, architecture: str
) -> None:
    base = tiny_model(base_model, architecture)
    result, events = run(
        base,
        tmp_path,
        method=method,
        epochs=8,
        replay=0,
        reading=0,
        reversals=0,
        noise=False,
        learning_rate=0.02,
    )
    losses = [event["loss"] for event in events if event["kind"] == "step"]
    assert losses[-1] < losses[0]
    assert not list(tuner_layers(base.model))
    adapter = read_adapter(result.adapter)
    assert base.add_adapter("new", adapter).largest_change > 0
    probe = result.probe["messages"]
    ids = base.chat_ids(probe[:-1], add_generation_prompt=True)
    answer = base.tokenizer(probe[-1]["content"], add_special_tokens=False)["input_ids"] + [base.end_id]
    logits = base.logits([*ids, *answer][:-1], adapter="new")[len(ids) - 1 :]
    surprise = float(torch.nn.functional.cross_entropy(logits, torch.tensor(answer)))
    assert surprise == pytest.approx(result.probe["surprise"], abs=1e-3)  # what is stored is what was trained
    base.unload("new")


@pytest.mark.parametrize("method", CPU_METHODS)
def test_a_further_round_goes_on_from_its_parent(tiny: BaseModel, tmp_path: Path, method: str) -> None:
    options: dict[str, Any] = {
        "method": method,
        "epochs": 8,
        "replay": 0,
        "noise": False,
        "learning_rate": 0.02,
    }
    first, before = run(tiny, tmp_path / "first", **options)
    _, after = run(tiny, tmp_path / "second", parent=Parent(read_adapter(first.adapter)), **options)
    assert after[2]["loss"] < before[2]["loss"]


def test_a_parent_of_another_kind_is_refused(tiny: BaseModel, tmp_path: Path) -> None:
    first, _ = run(tiny, tmp_path / "first", method="p-tuning-v2")
    with pytest.raises(MethodError, match="another kind of method"):
        run(tiny, tmp_path / "second", parent=Parent(read_adapter(first.adapter)))


def test_what_cannot_run_is_said_before_anything_starts(tiny: BaseModel, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="no tuning method 'magic'"):
        run(tiny, tmp_path, method="magic")
    with pytest.raises(MethodError, match="cannot be trained with checkpointing"):
        run(tiny, tmp_path, method="p-tuning-v2", checkpointing=True)
    long = [taught("word " * 3000, "yes")]
    with pytest.raises(ExampleError, match="longer than the model's window"):
        train(tiny, TuneConfig(), long, tmp_path, emit=lambda event: None, should_stop=never)


def test_prompt_tuning_names_the_words_nearest_to_what_it_learned(tiny: BaseModel, tmp_path: Path) -> None:
    result, _ = run(tiny, tmp_path, method="prompt-tuning")
    adapter = read_adapter(result.adapter)
    assert isinstance(adapter, PrefixAdapter)
    words = adapter.details["nearest_words"]
    assert len(words) == 8
    assert all(len(near) == 3 for near in words)


def test_full_tuning_leaves_the_base_as_it_was(tiny: BaseModel, tmp_path: Path) -> None:
    before = {name: parameter.clone() for name, parameter in tiny.model.named_parameters()}
    result, _ = run(tiny, tmp_path, method="full")
    tiny.add_adapter("full", read_adapter(result.adapter))
    tiny.logits([1, 2, 3], adapter="full")
    tiny.unload("full")
    assert all(torch.equal(before[name], parameter) for name, parameter in tiny.model.named_parameters())


@pytest.mark.parametrize("method", ["lora", "p-tuning-v2", "prompt-tuning"])
def test_computing_in_smaller_parts_changes_no_step(tiny: BaseModel, tmp_path: Path, method: str) -> None:
    whole, _ = run(tiny, tmp_path / "whole", method=method, epochs=1)
    small, _ = run(tiny, tmp_path / "small", method=method, epochs=1, tokens_per_step=60)
    assert small.tokens > whole.tokens
    assert small.loss == pytest.approx(whole.loss, rel=1e-4)
    a, b = tensors(whole.adapter), tensors(small.adapter)
    assert all(torch.allclose(a[name], b[name], atol=1e-3) for name in a)


@pytest.mark.parametrize("method", [name for name in CPU_METHODS if name != "full"])
def test_parts_computed_at_once_change_no_step_and_twice_the_same(
    tiny: BaseModel, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cores = torch.get_num_threads()
    options = {"method": method, "epochs": 2, "learning_rate": 1e-3}
    monkeypatch.setattr(step, "_MIN_THREAD_TOKENS", 10_000)
    alone, _ = run(tiny, tmp_path / "alone", **options)
    monkeypatch.setattr(step, "_MIN_THREAD_TOKENS", 16)
    torch.set_num_threads(2)
    try:
        once, twice = (run(tiny, tmp_path / name, **options)[0] for name in ("once", "twice"))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(cores)
    assert once.tokens > alone.tokens  # what the parts have in common is computed for each
    assert once.loss == pytest.approx(alone.loss, rel=1e-2)
    whole, first, second = (tensors(one.adapter) for one in (alone, once, twice))
    for name, weight in whole.items():
        assert torch.equal(first[name], second[name]), name
        assert torch.allclose(weight.float(), first[name].float(), rtol=0.05, atol=2e-3), name


def test_recomputing_activations_changes_no_weight(tiny: BaseModel, tmp_path: Path) -> None:
    kept = tensors(run(tiny, tmp_path / "kept")[0].adapter)
    again = tensors(run(tiny, tmp_path / "again", checkpointing=True)[0].adapter)
    assert all(torch.allclose(kept[name], again[name], atol=1e-5) for name in kept)


@pytest.mark.parametrize("bias", [True, False])
def test_the_quick_lora_layer_computes_what_pefts_does(bias: bool) -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(12, 20, bias=bias))
    inject_adapter_in_model(LoraConfig(r=4, lora_alpha=8, target_modules=["0"]), model, "it")
    layer: Any = model[0]
    torch.nn.init.normal_(layer.lora_B["it"].weight)
    x = torch.randn(3, 5, 12, requires_grad=True)

    def outcome() -> list[torch.Tensor]:
        out = model(x)
        learned = [layer.lora_A["it"].weight, layer.lora_B["it"].weight]
        return [out, *torch.autograd.grad(out.square().sum(), [x, *learned])]

    slow = outcome()
    lora.enable_fast_path(layer, "it")
    quick = outcome()
    assert type(quick[0].grad_fn).__name__ != type(slow[0].grad_fn).__name__
    lora.disable_fast_path(layer)
    for ours, theirs in zip(quick, slow, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    layer.requires_grad_(False)
    lora.enable_fast_path(layer, "it")
    torch.testing.assert_close(model(x), slow[0], atol=1e-4, rtol=1e-4)  # while answering
