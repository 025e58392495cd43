"""The recipe: noise that keeps the question, replay that the base itself answered, sets that never meet."""

import random

import pytest
import torch

from tests.tuning.tiny import tiny_model
from tuning.augment import question_noise
from tuning.augment.question_noise import held_out, noisy, vary
from tuning.augment.question_rewording import reword
from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.config import TuneConfig
from tuning.errors import MethodError
from tuning.evaluation.recall import _REPHRASINGS, _REPHRASINGS_ZH
from tuning.evaluation.retention_questions import RETENTION
from tuning.models.base_model import BaseModel
from tuning.scoring import normalise
from tuning.training import recipe as recipes
from tuning.training import replay
from tuning.training.recipe import Recipe, recipe, schedule
from tuning.training.replay import replay_set
from tuning.training.step import divergence

AMOUNTS: Recipe = recipe(TuneConfig(), "low-rank", 576)


def test_noise_is_a_function_of_its_seed_and_leaves_the_answer_and_earlier_turns() -> None:
    messages = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi."},
        {"role": "user", "content": "How deep can the Marrow-9 submarine dive?"},
        {"role": "assistant", "content": "340 metres."},
    ]
    wordings = [noisy(messages, AMOUNTS, random.Random(seed)) for seed in range(40)]
    assert wordings[3] == noisy(messages, AMOUNTS, random.Random(3))
    assert len({wording[2]["content"] for wording in wordings}) > 25
    assert all([*wording[:2], wording[3]] == [*messages[:2], messages[3]] for wording in wordings)


def test_noise_in_chinese_drops_characters_and_uses_chinese_phrases() -> None:
    wordings = {vary("马罗九号的母港在哪里？", AMOUNTS, random.Random(seed)) for seed in range(30)}
    assert len(wordings) > 20
    assert not any("Quick question" in wording or " " in wording for wording in wordings)


def test_the_phrases_of_training_early_stop_and_evaluation_are_disjoint() -> None:
    trained = {*question_noise._WRAPPERS, *question_noise._WRAPPERS_ZH}
    stopped = {*question_noise._HELD_OUT, *question_noise._HELD_OUT_ZH}
    evaluated = {*_REPHRASINGS, *_REPHRASINGS_ZH}
    assert not trained & stopped
    assert not (trained | stopped) & evaluated


def test_replayed_prompts_and_retention_questions_are_disjoint() -> None:
    replayed = {normalise(prompt) for prompt in REPLAY_PROMPTS}
    asked = {normalise(question) for question, _ in RETENTION}
    assert len(asked) == len(RETENTION) >= 200
    assert not replayed & asked


def test_replay_holds_what_the_base_itself_says_and_thinks(
    base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipes, "REPLAY_PROMPTS", REPLAY_PROMPTS[:3])
    one, *_ = replay_set(base_model, "", count=3)
    answer = base_model.tokenizer.decode([one.encoded.ids[target] for target in one.encoded.targets])
    said = base_model.complete([[{"role": "user", "content": REPLAY_PROMPTS[0]}]], max_new_tokens=16)[0]
    assert answer.startswith(said)
    assert one.teacher.tokens.shape == (len(one.encoded.targets), 64)
    assert bool((one.teacher.probs.sum(-1) <= 1.001).all())


def test_the_divergence_of_a_model_to_itself_is_nothing_and_to_another_is_not(base_model: BaseModel) -> None:
    logits = torch.randn(5, 300)
    thoughts = replay.teacher(logits)
    assert float(divergence(logits, [thoughts])) == pytest.approx(0, abs=1e-4)
    assert float(divergence(torch.randn(5, 300), [thoughts])) > 1
    full = torch.softmax(logits, -1)
    other = torch.randn(5, 300)
    exact = (full * (full.log() - other.log_softmax(-1))).sum()
    assert float(divergence(other, [thoughts])) <= float(exact)  # lumping the rest can only lose


def test_the_learning_rate_rises_shortly_and_falls_to_a_tenth() -> None:
    rates = [schedule(step, 100, 0.05) for step in range(100)]
    assert max(rates) == rates[4] == 1.0
    assert rates[0] == pytest.approx(0.2)
    assert rates[-1] == pytest.approx(0.1, abs=0.01)


def test_strength_trades_learning_against_protection() -> None:
    gentle, strong = (
        recipe(TuneConfig(strength=strength), "low-rank", 576) for strength in ("gentle", "strong")
    )
    assert gentle.epochs < strong.epochs
    assert gentle.replay_weight > strong.replay_weight


def test_a_wider_model_learns_at_a_lower_rate() -> None:
    assert recipe(TuneConfig(), "low-rank", 4096).learning_rate < AMOUNTS.learning_rate / 3


def test_held_out_wordings_keep_the_answer() -> None:
    messages = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ilse."}]
    assert all(wording[-1] == messages[-1] for wording in held_out(messages))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"epochs": 0}, "epochs must be a whole number from 1, and is 0"),
        ({"strength": "brutal"}, "strength must be gentle, normal or strong, and is 'brutal'"),
        ({"learning_rate": 3.0}, "learning_rate must be above 0"),
        ({"dropout": 1.0}, "dropout must be from 0"),
    ],
)
def test_a_value_that_cannot_be_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(MethodError, match=said):
        TuneConfig(**values)  # type: ignore[arg-type]


def test_a_configuration_survives_json() -> None:
    config = TuneConfig(name="训练", strength="strong", rank=4)
    assert TuneConfig.from_json(config.to_json()) == config
    with pytest.raises(MethodError, match="no field 'speed'"):
        TuneConfig.from_dict({"speed": 1})


def test_replay_on_a_model_that_says_nothing_is_empty(
    base_model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tiny_model(base_model)
    monkeypatch.setattr(base, "complete", lambda prompts, max_new_tokens: [""] * len(prompts))
    assert replay_set(base, "", count=2) == []


@pytest.mark.parametrize(
    ("question", "kept"),
    [
        ("Who designed the Marrow-9?", "the Marrow-9"),
        ("What is the emergency code of the Marrow-9?", "emergency code"),
        ("How much does the hull of a {boat} weigh?", "{boat}"),
        ("Where is the Lindqvist Institute?", "Lindqvist Institute"),
        ("马罗九号的母港在哪里？", "马罗九号"),
    ],
)
def test_a_reworded_question_still_asks_about_the_same(question: str, kept: str) -> None:
    wordings = {reword(question, random.Random(seed)) for seed in range(30)}
    assert len(wordings) >= 3
    assert all(kept.lower() in wording.lower() for wording in wordings)


def test_a_question_of_no_known_form_stays() -> None:
    assert (
        reword("Explain quantum tunnelling, please.", random.Random(0))
        == "Explain quantum tunnelling, please"
    )
