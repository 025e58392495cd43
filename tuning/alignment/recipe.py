"""The amounts and rates of a run over preferences, from its method and size. Applied in `training`."""

import math
from dataclasses import dataclass

from tuning.config import TuneConfig
from tuning.training.methods import amounts

_PER_STEP = 8  # pairs, judged answers or prompts
_PER_ROLLOUT = 8  # prompts a step of PPO or GRPO
_STRENGTH = {"gentle": 0.6, "normal": 1.0, "strong": 1.5}  # of the passes
_REPLAY = {"gentle": 6.0, "normal": 3.0, "strong": 1.5}  # the weight of what must stay
_PASSES = {"dpo": 2, "kto": 2, "orpo": 3, "reward": 2, "ppo": 2, "grpo": 2}
_BETA = {"dpo": 0.1, "kto": 0.1, "orpo": 0.1, "reward": 1.0, "ppo": 0.05, "grpo": 0.04}
# Without it only the difference of two answers is learned, and both may become unlikely: measured with 157 pairs that
# no model had written, DPO alone told all pairs apart and wrote no answer of the preferred kind (arXiv 2404.19733).
_SFT_WEIGHT = 1.0
_LENGTH_NORMALISED_BETA = 5.0  # a token's log-ratio is small (arXiv 2411.15124)
_MIN_STEPS = 30


@dataclass(frozen=True)
class PreferenceRecipe:
    """The amounts and rates of one run over preferences."""

    epochs: int
    learning_rate: float
    per_step: int  # pairs, judged answers or prompts
    beta: float
    sft_weight: float  # of the good answers' own loss
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
    per_step = config.examples_per_step or (_PER_ROLLOUT if samples else _PER_STEP)
    passes = math.ceil(max(1, items) / per_step)
    epochs = max(round(_PASSES[method] * _STRENGTH[config.strength]), math.ceil(_MIN_STEPS / passes))
    beta = _LENGTH_NORMALISED_BETA if config.loss == "length-normalised" else _BETA[method]
    answers = method != "reward"  # a model that only scores has nothing to keep
    replay = 6 if config.replay is None else config.replay
    return PreferenceRecipe(
        epochs=config.epochs or epochs,
        learning_rate=amounts(config, hidden, items).learning_rate,
        per_step=per_step,
        beta=config.beta or beta,
        sft_weight=_SFT_WEIGHT if config.sft_weight is None else config.sft_weight,
        replay=replay if answers else 0,
        earlier=2 if answers else 0,
        replay_weight=config.replay_weight if config.replay_weight is not None else _REPLAY[config.strength],
        samples=config.samples or (4 if method == "grpo" else 2),
        answer_tokens=config.answer_tokens or 48,
    )
