"""Runs over preferences on tiny random models: they begin at the reference, learn, and end alike after a kill."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tuning.tiny import ARCHITECTURES, tiny_model
from tuning.alignment.advantages import group_advantages
from tuning.alignment.dataset import preference_data
from tuning.alignment.loop import Advance, Loop, LoopHooks, Weights
from tuning.alignment.reward_head import RewardHead
from tuning.alignment.reward_model import RewardModel
from tuning.alignment.rollouts import Rollout, Writer
from tuning.alignment.sequences import encoded_answer, token_log_probs, total_log_probs
from tuning.alignment.training import PreferenceResult, Start, train_preferences
from tuning.config import TuneConfig
from tuning.data.preferences import PreferencePair, ReadPreferences
from tuning.errors import ExampleError, MethodError, ModelError
from tuning.models.adapters import Adapter, PrefixAdapter, read_adapter
from tuning.models.base_model import BaseModel
from tuning.training.learner import LearnerPlan
from tuning.training.methods import PREFERENCE_METHODS, amounts, build

WORDS = ("lamp", "river", "stone", "cloud", "engine", "violin", "market", "harbour")
PAIRS = tuple(
    PreferencePair(
        ({"role": "user", "content": f"What is a {word}?"},),
        f"A {word}, says the book.",
        f"I believe that a {word} is something or other.",
    )
    for word in WORDS
)
DATA = {name: preference_data(name, ReadPreferences(PAIRS)) for name in PREFERENCE_METHODS}


def never() -> bool:
    return False


def run(
    base: BaseModel,
    folder: Path,
    method: str,
    start: Start | None = None,
    should_stop: Callable[[], bool] = never,
    resume: bool = False,
    **options: Any,
) -> tuple[PreferenceResult, list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []
    values = {
        "epochs": 3,
        "replay": 1,
        "rank": 2,
        "virtual_tokens": 8,
        "answer_tokens": 6,
        "samples": 2,
    } | options
    config = TuneConfig(method=method, **values)  # type: ignore[arg-type]
    hooks = LoopHooks(events.append, should_stop, save_every_seconds=0.0)
    result = train_preferences(base, config, DATA[method], folder, hooks, start=start, resume=resume)
    return result, [event for event in events if event["kind"] == "step"]


@pytest.fixture
def tiny(base_model: BaseModel, monkeypatch: pytest.MonkeyPatch) -> BaseModel:
    monkeypatch.setattr("tuning.alignment.kept.REPLAY_PROMPTS", ("Hello!", "What is 2 plus 2?"))
    return tiny_model(base_model)


def reward_of(base: BaseModel, folder: Path, **options: Any) -> RewardModel:
    result, _ = run(base, folder, "reward", **options)
    head = RewardHead.read(result.adapter)
    return RewardModel.of(base, "judge", read_adapter(result.adapter), head)


def start_of(base: BaseModel, folder: Path, method: str, parent: Adapter | None = None) -> Start:
    needs = PREFERENCE_METHODS[method].needs_reward
    return Start(parent, (), reward_of(base, folder / "reward", epochs=1) if needs else None)


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    adapter = read_adapter(folder)
    if isinstance(adapter, PrefixAdapter):
        return {str(index): layer for index, layer in enumerate(adapter.kv)}
    return adapter.state


def test_a_run_begins_at_its_reference_and_learns_the_pairs(tiny: BaseModel, tmp_path: Path) -> None:
    result, steps = run(tiny, tmp_path, "dpo", epochs=12, learning_rate=0.02, sft_weight=0)
    assert steps[0]["margin"] == pytest.approx(0, abs=1e-4)
    assert steps[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)
    assert steps[0]["kl"] == pytest.approx(0, abs=1e-3)
    assert steps[-1]["accuracy"] == 1.0
    assert steps[-1]["margin"] > 1.0
    assert result.steps == len(steps)


def test_the_preferred_answers_own_loss_makes_them_likelier(tiny: BaseModel, tmp_path: Path) -> None:
    chosen = [encoded_answer(tiny, one.prompt, one.chosen) for one in DATA["dpo"].pairs]
    gains = []
    for weight in (0, 5.0):
        result, _ = run(tiny, tmp_path / str(weight), "dpo", learning_rate=0.02, sft_weight=weight)
        after = total_log_probs(tiny, chosen, _named(tiny, result))
        gains.append(sum(after) - sum(total_log_probs(tiny, chosen, None)))
    assert gains[1] > max(0, gains[0])


@pytest.mark.parametrize("adapter", ["lora", "p-tuning-v2"])
def test_the_reference_of_a_further_round_is_the_parent(
    tiny: BaseModel, tmp_path: Path, adapter: str
) -> None:
    first, _ = run(tiny, tmp_path / "first", "dpo", adapter=adapter, learning_rate=0.02)
    start = Start(read_adapter(first.adapter))
    _, steps = run(tiny, tmp_path / "second", "dpo", start)
    assert steps[0]["margin"] == pytest.approx(0, abs=1e-3)
    assert tiny.loaded == []


@pytest.mark.parametrize(
    "options", [{"loss": "ipo"}, {"loss": "length-normalised"}, {"label_smoothing": 0.1}]
)
def test_each_form_of_dpo_widens_the_margin(tiny: BaseModel, tmp_path: Path, options: dict[str, Any]) -> None:
    _, steps = run(tiny, tmp_path, "dpo", epochs=8, learning_rate=0.02, **options)
    assert steps[-1]["margin"] > steps[0]["margin"]
    assert steps[-1]["loss"] < steps[0]["loss"]


@pytest.mark.parametrize("method", ["kto", "orpo", "reward"])
def test_each_method_tells_the_preferred_answers(tiny: BaseModel, tmp_path: Path, method: str) -> None:
    _, steps = run(tiny, tmp_path, method, epochs=12, learning_rate=0.02)
    assert steps[-1]["accuracy"] == 1.0
    assert steps[-1]["margin"] > steps[0]["margin"]


@pytest.mark.parametrize("method", PREFERENCE_METHODS)
def test_a_run_that_was_killed_and_resumed_ends_with_the_same_weights(
    tiny: BaseModel, tmp_path: Path, method: str
) -> None:
    start = start_of(tiny, tmp_path, method)
    whole, _ = run(tiny, tmp_path / "whole", method, start)

    class KilledError(Exception):
        """Stands for `kill -9`: nothing of the run gets to say goodbye."""

    asked = itertools.count()

    def die() -> bool:
        if next(asked) == 2:
            raise KilledError
        return False

    with pytest.raises(KilledError):
        run(tiny, tmp_path / "killed", method, start, die)
    resumed, steps = run(tiny, tmp_path / "killed", method, start, resume=True)
    assert steps[0]["step"] == 3
    ours, theirs = tensors(resumed.adapter), tensors(whole.adapter)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_learns_from_pairs_and_from_a_reward(
    base_model: BaseModel, tmp_path: Path, architecture: str
) -> None:
    base = tiny_model(base_model, architecture)
    _, steps = run(base, tmp_path / "dpo", "dpo", replay=0, learning_rate=0.02, layers="all")
    assert steps[0]["margin"] == pytest.approx(0, abs=1e-3)
    assert steps[-1]["margin"] > 0
    start = Start(reward=reward_of(base, tmp_path / "reward", epochs=1))
    _, steps = run(base, tmp_path / "ppo", "ppo", start, replay=0, epochs=1)
    assert math.isfinite(steps[-1]["loss"])


@pytest.mark.parametrize("method", ["ppo", "grpo"])
def test_a_step_makes_answers_likelier_that_were_better_than_others(
    tiny: BaseModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    written: list[Rollout] = []
    plain = Writer.roll_out

    def noted(self: Writer, *given: Any, **options: Any) -> list[Rollout]:
        written[:] = plain(self, *given, **options)
        return written

    monkeypatch.setattr(Writer, "roll_out", noted)
    start = Start(reward=reward_of(tiny, tmp_path / "reward", epochs=8, learning_rate=0.02))
    result, steps = run(
        tiny, tmp_path / method, method, start, epochs=1, learning_rate=0.02, samples=4, replay=0, beta=0.001
    )
    assert len(steps) == 1 and steps[0]["kl"] == pytest.approx(0, abs=1e-3)
    assert steps[0]["reward"] == pytest.approx(sum(one.score for one in written) / len(written))
    after = token_log_probs(tiny, [one.item for one in written], _named(tiny, result))
    gains = torch.tensor([float((new - one.old).mean()) for new, one in zip(after, written, strict=True)])
    scores = torch.tensor([one.score for one in written])
    groups = torch.tensor([one.group for one in written])
    assert float((gains * group_advantages(scores, groups)).sum()) > 0


def _named(base: BaseModel, result: PreferenceResult) -> str:
    base.add_adapter("policy", read_adapter(result.adapter))
    return "policy"


def test_a_run_that_ends_by_itself_goes_back_to_the_weights_that_it_kept(
    tiny: BaseModel, tmp_path: Path
) -> None:
    config = TuneConfig(method="dpo", rank=2)
    plan = LearnerPlan(tiny, config, amounts(config, 32, 8), [], 9, None)
    with tiny.activate(None):
        learner = build(plan)
        parameter = learner.parameters()[0]
        seen: list[torch.Tensor] = []

        class Drifting:
            """Moves the weights at each step, and finds at the fourth that this went wrong."""

            def advance(self, step: int, weights: Weights) -> Advance:
                if step == 1:
                    weights.keep()
                    seen.append(parameter.detach().clone())
                parameter.grad = torch.ones_like(parameter)
                weights.update()
                return Advance(1.0, 1, stop="It went wrong." if step == 3 else "")

        hooks = LoopHooks(lambda _: None, never)
        loop = Loop(tiny, learner, tmp_path, hooks, steps=9, learning_rate=0.01, warmup=0.1, seed=0)
        end = loop.fit(Drifting())
        assert (end.run.step, end.stopped, end.reason) == (4, False, "It went wrong.")
        assert torch.equal(parameter.detach(), seen[0])
        learner.close()


def test_a_reward_that_is_no_number_is_said(tiny: BaseModel, tmp_path: Path) -> None:
    result, _ = run(tiny, tmp_path / "reward", "reward", epochs=1)
    head = RewardHead(torch.full((32,), math.nan), 0.0)
    broken = RewardModel.of(tiny, "judge", read_adapter(result.adapter), head)
    with pytest.raises(ModelError, match="'judge' gave a score that is no number"):
        run(tiny, tmp_path / "ppo", "ppo", Start(reward=broken))
    with pytest.raises(ModelError, match="no number"):
        broken.score(PAIRS[0].prompt, "A lamp.")


def test_a_loss_that_is_no_number_ends_the_run(tiny: BaseModel, tmp_path: Path) -> None:
    with torch.no_grad():
        tiny.model.get_parameter("model.norm.weight").fill_(math.nan)
    with pytest.raises(MethodError, match="loss of step 1 is no number"):
        run(tiny, tmp_path, "dpo")


def test_pairs_beyond_the_window_are_refused_and_long_chats_lose_their_oldest_turns(
    tiny: BaseModel, tmp_path: Path
) -> None:
    long = PreferencePair(({"role": "user", "content": "word " * 600},), "yes", "no")
    turns = tuple({"role": role, "content": "word " * 300} for role in ("user", "assistant"))
    chat = PreferencePair((*turns, {"role": "user", "content": "So?"}), "yes", "no")
    config = TuneConfig(method="dpo", replay=0, epochs=1, rank=2)
    hooks = LoopHooks(lambda _: None, never)

    def learn(*pairs: PreferencePair) -> PreferenceResult:
        data = preference_data("dpo", ReadPreferences(PAIRS))
        return train_preferences(tiny, config, replace(data, pairs=pairs), tmp_path / str(len(pairs)), hooks)

    with pytest.raises(ExampleError, match=r"None of the 1 preferences .* window of 512 tokens"):
        learn(long)
    result = learn(long, chat)
    assert (result.examples, result.dropped) == (1, 1)
