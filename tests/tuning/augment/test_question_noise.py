"""Noise on questions: other wordings of the question alone, none of those that the evaluation asks."""

import random

from tuning.augment.question_noise import (
    HELD_OUT,
    HELD_OUT_ZH,
    WRAPPERS,
    WRAPPERS_ZH,
    held_out,
    noisy,
    vary,
)
from tuning.config import TuneConfig
from tuning.evaluation.recall import REPHRASINGS, REPHRASINGS_ZH
from tuning.scoring import normalise
from tuning.training.recipe import Recipe, recipe

AMOUNTS: Recipe = recipe(TuneConfig(), "low-rank", 576)
NO_DROPOUT: Recipe = recipe(TuneConfig(word_dropout=0.0), "low-rank", 576)


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


def test_without_noise_a_question_stays() -> None:
    messages = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ilse."}]
    plain = recipe(TuneConfig(noise=False), "low-rank", 576)
    assert all(noisy(messages, plain, random.Random(seed)) == messages for seed in range(20))


def test_noise_in_chinese_drops_characters_and_uses_chinese_phrases() -> None:
    question = "马罗九号的母港在哪里？"
    wordings = {vary(question, AMOUNTS, random.Random(seed)) for seed in range(30)}
    assert len(wordings) > 20
    english = [wrapper.replace("{}", "").strip() for wrapper in WRAPPERS[1:]]
    assert not any(phrase in wording for wording in wordings for phrase in (" ", *english))
    without = sum("母港" not in wording for wording in wordings)
    undropped = {vary(question, NO_DROPOUT, random.Random(seed)) for seed in range(30)}
    assert without > sum("母港" not in wording for wording in undropped)


def test_the_phrases_of_training_early_stop_and_evaluation_are_disjoint() -> None:
    trained, stopped, evaluated = (
        {normalise(phrase.format("it")) for phrase in phrases}
        for phrases in ((*WRAPPERS, *WRAPPERS_ZH), (*HELD_OUT, *HELD_OUT_ZH), (*REPHRASINGS, *REPHRASINGS_ZH))
    )
    assert len(trained) > 15 and len(stopped) == 4 and len(evaluated) == 6
    assert not trained & stopped
    assert not (trained | stopped) & evaluated


def test_held_out_wordings_ask_the_whole_question_and_keep_the_answer() -> None:
    for question in ("Who built it?", "谁造的？"):
        messages = [{"role": "user", "content": question}, {"role": "assistant", "content": "Ilse."}]
        wordings = held_out(messages)
        assert len({one[0]["content"] for one in wordings} - {question}) == 2
        assert all(question in one[0]["content"] and one[1:] == messages[1:] for one in wordings)
