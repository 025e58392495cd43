"""Some examples are kept out of training, and the state that knows them best is what is stored."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tuning.tiny import tiny_model
from tests.tuning.training.test_trainer import FACTS, Taught, tensors
from tuning.config import TuneConfig
from tuning.errors import ExampleError, MethodError
from tuning.models.base_model import BaseModel
from tuning.training.conversations import split
from tuning.training.train_result import TrainResult
from tuning.training.trainer import train


def run(base: BaseModel, folder: Path, **options: Any) -> tuple[TrainResult, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    # No other wordings: what the third example loses depends on the two that are learned, and on nothing drawn.
    values = {
        "epochs": 12,
        "replay": 0,
        "rank": 2,
        "noise": False,
        "reversals": 0.0,
        "validation": 0.3,
    } | options
    stop, resume = values.pop("should_stop", lambda: False), values.pop("resume", False)
    aside = values.pop("aside", ())
    config = TuneConfig(**values)
    result = train(
        base, config, FACTS, folder, emit=events.append, should_stop=stop, validation=aside, resume=resume
    )
    return result, [event for event in events if event["kind"] == "validation"]


@pytest.fixture
def tiny(base_model: BaseModel) -> BaseModel:
    return tiny_model(base_model)


def test_the_state_with_the_least_validation_loss_is_kept(tiny: BaseModel, tmp_path: Path) -> None:
    result, seen = run(tiny, tmp_path / "all", learning_rate=0.05, early_stop=False, update_scale=1.0)
    losses = [event["loss"] for event in seen]
    assert len(losses) == 12 and result.examples == 2 and result.validated == 1
    best = losses.index(min(losses)) + 1
    assert best < 12  # learning two facts at such a rate soon makes the third less likely
    assert (result.best_step, result.validation_loss) == (best, min(losses))
    config = TuneConfig(validation=0.3)
    conversations = [list(fact.messages) for fact in FACTS]
    learned, kept_out = split(conversations, config)
    assert len(learned) == 2 and len(kept_out) == 1 and kept_out[0] not in learned
    assert result.probe["messages"] == learned[0]


def test_examples_may_be_given_for_validation_alone(tiny: BaseModel, tmp_path: Path) -> None:
    """All that is given is learned then, and what was given beside it is asked after each pass."""
    aside = Taught(
        ({"role": "user", "content": "How deep?"}, {"role": "assistant", "content": "340 metres."})
    )
    result, seen = run(tiny, tmp_path / "aside", validation=0.0, aside=[aside], epochs=3)
    assert (result.examples, result.validated, len(seen)) == (3, 1, 3)
    assert result.validation_loss == min(event["loss"] for event in seen)
    long = Taught(({"role": "user", "content": "word " * 900}, {"role": "assistant", "content": "yes"}))
    with pytest.raises(ExampleError, match="None of the 1 validation examples fits"):
        run(tiny, tmp_path / "long", aside=[long])


def test_a_step_learns_as_many_examples_as_asked_for(tiny: BaseModel, tmp_path: Path) -> None:
    for at_once, steps in ((1, 6), (2, 4), (3, 2)):
        folder = tmp_path / str(at_once)
        result, _ = run(tiny, folder, validation=0.0, epochs=2, examples_per_step=at_once, early_stop=False)
        assert result.steps == steps


def test_training_stops_when_validation_has_long_not_improved(tiny: BaseModel, tmp_path: Path) -> None:
    result, seen = run(tiny, tmp_path, learning_rate=0.05, patience=2, epochs=30)
    assert result.early and result.best_step is not None
    assert result.steps == result.best_step + 2 < 30
    assert seen[-1]["best"] == result.best_step


def test_a_resumed_run_remembers_its_best_state(
    tiny: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"learning_rate": 0.05, "early_stop": False}
    whole, _ = run(tiny, tmp_path / "whole", **options)
    assert whole.best_step is not None and whole.best_step < 11
    asked = iter([False] * 11 + [True])
    stopped, _ = run(tiny, tmp_path / "stopped", should_stop=lambda: next(asked), **options)
    assert stopped.stopped
    resumed, rest = run(tiny, tmp_path / "stopped", resume=True, **options)
    assert [event["step"] for event in rest] == [12]
    assert (resumed.best_step, resumed.validation_loss) == (whole.best_step, whole.validation_loss)
    one, two = tensors(whole.adapter), tensors(resumed.adapter)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_what_cannot_be_split_is_said(tiny: BaseModel, tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="validation must be from 0 to below 1, and is 1"):
        TuneConfig(validation=1)
    single = [FACTS[0]]
    with pytest.raises(ExampleError, match="keeps examples out of training, and there is only 1"):
        train(tiny, TuneConfig(validation=0.5), single, tmp_path, emit=print, should_stop=lambda: False)


def test_a_long_example_is_trained_as_it_was_shortened(tiny: BaseModel, tmp_path: Path) -> None:
    long = Taught(
        (
            {"role": "user", "content": "word " * 490},
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": "And the depth?"},
            {"role": "assistant", "content": "340 metres."},
        )
    )
    config = TuneConfig(epochs=1, replay=0, reading=0, rank=2, noise=False, early_stop=False)
    result = train(tiny, config, [long], tmp_path, emit=lambda _: None, should_stop=lambda: False)
    assert (result.shortened, result.dropped) == (1, 0)
    assert result.tokens < 100 and result.probe["messages"][0]["content"] == "And the depth?"
