"""Jobs that learn from preferences: what can be refused before they start, and what they will take. Starts nothing."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuning.checkpoints.manifest import Checkpoint
from tuning.checkpoints.registry import Registry
from tuning.config import TuneConfig
from tuning.data.examples import Example
from tuning.data.preferences import ReadPreferences
from tuning.errors import CheckpointError, ExampleError, MethodError
from tuning.jobs import estimates
from tuning.jobs.estimates import Estimate

if TYPE_CHECKING:
    from tuning.alignment.dataset import PreferenceData

REPLAYED_TOKENS = 30  # of a general prompt and its answer
WRITTEN = 4.0  # a token that is written costs as much as so many that are learned
ASKED = 16  # prompts kept aside that are answered before and after


def check(config: TuneConfig, lessons: Sequence[Example] | ReadPreferences, registry: Registry) -> None:
    """Raise where the method does not learn from such lessons, or its parent or reward model does not fit."""
    from tuning.alignment.dataset import preference_data  # imports torch, as below
    from tuning.training.methods import METHODS, PREFERENCE_METHODS

    if config.method not in PREFERENCE_METHODS:
        if isinstance(lessons, ReadPreferences):
            known = ", ".join(PREFERENCE_METHODS)
            raise MethodError(
                f"{config.method!r} learns from examples, and preferences were given. "
                f"Choose one of {known}, or give examples."
            )
    elif not isinstance(lessons, ReadPreferences):
        known = ", ".join(METHODS)
        raise ExampleError(
            f"{config.method!r} learns from preferences, and examples were given. Give a file of preferences, "
            f"or choose one of {known}."
        )
    else:
        preference_data(config.method, lessons)
        _check_processes(config)
        _check_reward(config, registry)
    _check_parent(config, registry)


def _check_processes(config: TuneConfig) -> None:
    if config.processes > 1:
        raise MethodError(
            f"{config.method!r} learns in one process, and {config.processes} were asked for. Set processes to 1."
        )


def _check_parent(config: TuneConfig, registry: Registry) -> None:
    parent = registry.get(config.parent) if config.parent else None
    if parent is not None and parent.is_reward_model and config.method != "reward":
        raise CheckpointError(
            f"{parent.name!r} is a reward model: it scores answers and cannot be the parent of a model that "
            "writes them. Give it as the reward, or choose another parent."
        )


def _check_reward(config: TuneConfig, registry: Registry) -> None:
    from tuning.training.methods import method  # imports torch, as below

    if config.reward is None:
        if method(config.method).needs_reward:
            raise MethodError(
                f"{config.method!r} needs a reward model to score answers. Train one with the method 'reward', "
                "and give its name as the reward."
            )
        return
    checked_reward(registry.get(config.reward), config.base)


def checked_reward(reward: Checkpoint, base: str) -> Checkpoint:
    """The checkpoint, if it is a reward model of this base. Raises CheckpointError."""
    if not reward.is_reward_model:
        raise CheckpointError(
            f"{reward.name!r} was made by {reward.method!r} and is no reward model. Train one with the method "
            "'reward'."
        )
    if reward.base != base:
        raise CheckpointError(
            f"The reward model {reward.name!r} belongs to {reward.base!r}, and {base!r} is to be tuned. "
            "Train a reward model on that base."
        )
    return reward


def estimate(home: Path, config: TuneConfig, preferences: ReadPreferences) -> Estimate:
    """The time and memory of a job over preferences. Raises ExampleError, MethodError."""
    from tuning.alignment.dataset import preference_data  # imports torch, as below

    steps, tokens = _amounts(home, config, preference_data(config.method, preferences))
    answers = estimates.GENERAL_QUESTIONS + 2 * ASKED
    return estimates.estimated(home, config, steps, tokens, answers)


def _amounts(home: Path, config: TuneConfig, data: "PreferenceData") -> tuple[int, int]:
    """Steps and tokens that are computed on, about."""
    # Torch and transformers take seconds to import; listing and cancelling jobs must not wait for them.
    from tuning.alignment.dataset import size
    from tuning.alignment.recipe import preference_recipe

    count = size(config.method, data)
    recipe = preference_recipe(config, estimates.hidden_size(home, config.base), count)
    steps = recipe.steps(count)
    beside = steps * (recipe.replay + recipe.earlier) * REPLAYED_TOKENS
    if config.method in ("ppo", "grpo"):
        asked = sum(estimates.tokens_of_text(prompt) for prompt in data.prompts) / max(1, len(data.prompts))
        answers = steps * recipe.per_step * recipe.samples
        return steps, round(answers * (3 * asked + (3 + WRITTEN) * recipe.answer_tokens) + beside)
    answered = [(one.prompt, one.completion) for one in data.judgements]
    if config.method != "kto":
        answered = [(one.prompt, text) for one in data.pairs for text in (one.chosen, one.rejected)]
    one_pass = sum(
        estimates.tokens_of_text([*prompt, {"role": "assistant", "content": text}])
        for prompt, text in answered
    )
    passes = recipe.epochs + (config.method in ("dpo", "kto"))  # the reference reads everything once
    extra = 1.4 if config.method == "kto" else 1.0  # answers beside other prompts, without gradients
    return steps, math.ceil(passes * extra * one_pass + beside)
