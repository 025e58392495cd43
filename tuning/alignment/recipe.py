"""The amounts and rates of a run over preferences, from its method and size. Applied in `training`."""

import math
from dataclasses import dataclass

from tuning.config import TuneConfig
from tuning.training.methods import amounts

_PER_STEP = 8  # pairs, judged answers or prompts
_PER_ROLLOUT = 8  # prompts a step of PPO or GRPO
_STRENGTH = {"gentle": 0.6, "normal": 1.0, "strong": 1.5}  # of the passes
_REPLAY = {"gentle": 2.0, "normal": 1.0, "strong": 0.5}  # of the weight of what must stay
_PASSES = {"dpo": 3, "kto": 3, "orpo": 3, "reward": 3, "ppo": 3, "grpo": 3}
_BETA = {"dpo": 0.1, "kto": 0.1, "orpo": 0.1, "reward": 1.0, "ppo": 0.05, "grpo": 0.04}
_LENGTH_NORMALISED_BETA = 5.0  # a token's log-ratio is small (arXiv 2411.15124)
_MIN_STEPS = 30


@dataclass(frozen=True)
class PreferenceRecipe:
    """The amounts and rates of one run over preferences."""

    epochs: int
    learning_rate: float
    per_step: int  # pairs, judged answers or prompts
    beta: float
    replay: int  # general prompts a step that keep the reference's answer
    earlier: int  # examples of earlier rounds a step that keep theirs
    replay_weight: float
    samples: int  # answers to a prompt, of PPO and GRPO
    answer_tokens: int  # of such an answer, at most
    warmup: float = 0.1  # share of the steps

    def steps_per_epoch(self, items: int) -> int:
        """The steps of one pass over so many items."""
        return math.ceil(items / self.per_step)

    def steps(self, items: int) -> int:
        """The steps of all passes."""
        return self.epochs * self.steps_per_epoch(items)


def preference_recipe(config: TuneConfig, hidden: int, items: int) -> PreferenceRecipe:
    """The recipe over so many items on a base of this width; what the configuration sets wins. Raises MethodError."""
    method = config.method
    samples = method in ("ppo", "grpo")
    per_step = _PER_ROLLOUT if samples else _PER_STEP
    passes = math.ceil(max(1, items) / per_step)
    epochs = max(round(_PASSES[method] * _STRENGTH[config.strength]), math.ceil(_MIN_STEPS / passes))
    beta = _LENGTH_NORMALISED_BETA if config.loss == "length-normalised" else _BETA[method]
    answers = method != "reward"  # a model that only scores has nothing to keep
    replay = 2 if config.replay is None else config.replay
    return PreferenceRecipe(
        epochs=config.epochs or epochs,
        learning_rate=amounts(config, hidden, items).learning_rate,
        per_step=per_step,
        beta=config.beta or beta,
        replay=replay if answers else 0,
        earlier=2 if answers else 0,
        replay_weight=config.replay_weight if config.replay_weight is not None else _REPLAY[config.strength],
        samples=config.samples or (4 if method == "grpo" else 2),
        answer_tokens=config.answer_tokens or 48,
    )
