"""The recipe of a run: amounts and rates, from the method, the width of the base and the strength asked for.

The loop that applies it is in `trainer`, the batches that it makes are in `batches`.
"""

import math
from dataclasses import dataclass

from tuning.config import TuneConfig

_EXAMPLES_PER_STEP = 5
_MIN_STEPS = 80  # few examples are seen more often: with less, what is learned does not stay
_MANY = 100


@dataclass(frozen=True)
class Recipe:
    """The amounts and rates of one run."""

    epochs: int  # at most; an early stop may end before
    min_epochs: int  # before an early stop is considered
    learning_rate: float
    examples_per_step: int
    replay: int  # general prompts a step
    replay_weight: float
    word_dropout: float
    noise: bool
    reversals: float  # how often a step that asks for a fact also asks for its other end
    rank: int
    alpha: int
    virtual_tokens: int
    warmup: float  # share of the steps
    chaff: float  # how often words that say nothing are put into a question
    synonyms: float  # share of the words with a synonym that are exchanged for one
    joined: float  # share of the examples that are asked as the next question of a chat
    earlier: int  # examples of earlier rounds a step, where there are any
    reading: float  # exercises in reading a context, a step
    update_scale: float  # share of a low-rank change that is kept at the end

    def steps_per_epoch(self, examples: int) -> int:
        """The optimizer steps of one pass over so many examples."""
        return math.ceil(examples / self.examples_per_step)


_STRENGTH = {"gentle": (0.6, 2.0), "normal": (1.0, 1.0), "strong": (1.5, 0.5)}  # epochs, replay weight
_UPDATE_SCALE = {"gentle": 0.85, "normal": 1.0, "strong": 1.0}


def recipe(config: TuneConfig, family: str, hidden: int, examples: int = _MANY) -> Recipe:
    """The recipe for a method family on a base of this width; what the configuration sets wins."""
    longer, protect = _STRENGTH[config.strength]
    per_step = config.examples_per_step or _EXAMPLES_PER_STEP
    passes = math.ceil(examples / per_step)  # steps of one pass
    epochs = config.epochs or max(round(40 * longer), math.ceil(_MIN_STEPS * longer / passes))
    # LoRA Without Regret (thinkingmachines.ai, 2025): the best rate falls with the width of the model.
    narrowness = min(1.0, 576 / hidden)
    scale = narrowness**0.7
    rates = {
        # Measured at widths of 576 and 896: more loses general knowledge there and gains nothing
        # (docs/memory-log.md). 2e-4 is usual for models of one to eight billion parameters, too.
        "low-rank": 1e-3 * max(0.2, narrowness**3.6),
        "scaling": 1e-2 * scale,
        "full": 1e-4 * scale,
        "prefix": 2e-2,
        "prompt": 1e-2,
    }
    rank = config.rank or 32
    return Recipe(
        epochs=epochs,
        min_epochs=math.ceil(0.75 * epochs),  # known phrases come early, unknown ones later
        learning_rate=config.learning_rate or rates[family],
        examples_per_step=per_step,
        replay=config.replay if config.replay is not None else 8,
        replay_weight=config.replay_weight if config.replay_weight is not None else 3 * protect,
        word_dropout=config.word_dropout if config.word_dropout is not None else 0.3,
        noise=config.noise,
        chaff=config.chaff if config.chaff is not None else 0.5,
        synonyms=config.synonyms if config.synonyms is not None else 0.3,
        joined=0.2,
        earlier=4,
        reading=config.reading if config.reading is not None else 1.0,
        reversals=config.reversals if config.reversals is not None else 0.5,
        rank=rank,
        alpha=config.alpha or 2 * rank,
        virtual_tokens=config.virtual_tokens or (384 if family == "prefix" else 32),
        warmup=0.05,
        update_scale=config.update_scale
        if config.update_scale is not None
        else _UPDATE_SCALE[config.strength],
    )


def schedule(step: int, steps: int, warmup: float, least: int = 1) -> float:
    """The share of the learning rate at a step: a rise of `least` steps or more, then a straight fall to a tenth."""
    rise = max(least, math.ceil(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 1.0 - 0.9 * (step - rise) / max(1, steps - rise)
