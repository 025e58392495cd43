"""How a fact becomes memory and nothing else is lost: amounts, rates, reading, replay of the base's answers.

The recipe decides amounts and rates from the method, the size of the base and the strength asked for.
The loop that applies it is in `trainer`.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning.augment.reading_exercises import exercise
from tuning.augment.replay_prompts import REPLAY_PROMPTS
from tuning.augment.reversal import reverse
from tuning.config import TuneConfig
from tuning.models.base_model import BaseModel, Message
from tuning.models.forward import forward
from tuning.models.packing import Encoded, Teacher, encode, pack, with_system
from tuning.scoring import is_cjk

_REPLAY_TOKENS = 16  # of an answer: what it says first is what must stay
_REPLAYED = 180  # preparing them takes half a minute on two cores
_TEACHER_TOKENS = 64
_EXAMPLES_PER_STEP = 5
_LEAST_STEPS = 80  # few examples are seen more often: with less, what is learned does not stay
_MANY = 100


@dataclass(frozen=True)
class Recipe:
    """The amounts and rates of one run."""

    epochs: int  # at most; an early stop may end before
    least_epochs: int  # before an early stop is considered
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
    kept: float  # share of a low-rank change that is kept at the end


@dataclass(frozen=True)
class Replay:
    """A general prompt with the base's own answer, and what the base thought at each of its tokens."""

    encoded: Encoded
    teacher: Teacher


_STRENGTH = {"gentle": (0.6, 2.0), "normal": (1.0, 1.0), "strong": (1.5, 0.5)}  # epochs, replay weight
_KEPT = {"gentle": 0.85, "normal": 1.0, "strong": 1.0}


def recipe(config: TuneConfig, family: str, hidden: int, examples: int = _MANY) -> Recipe:
    """The recipe for a method family on a base of this width; what the configuration sets wins."""
    longer, protect = _STRENGTH[config.strength]
    passes = math.ceil(examples / _EXAMPLES_PER_STEP)  # steps of one pass
    epochs = config.epochs or max(round(40 * longer), math.ceil(_LEAST_STEPS * longer / passes))
    # LoRA Without Regret (thinkingmachines.ai, 2025): the best rate falls with the width of the model.
    scale = min(1.0, (576 / hidden) ** 0.7)
    rates = {
        "low-rank": 1e-3 * scale,
        "scaling": 1e-2 * scale,
        "full": 1e-4 * scale,
        "prefix": 2e-2,
        "prompt": 1e-2,
    }
    rank = config.rank or 32
    return Recipe(
        epochs=epochs,
        least_epochs=math.ceil(0.75 * epochs),  # known phrases come early, unknown ones later
        learning_rate=config.learning_rate or rates[family],
        examples_per_step=_EXAMPLES_PER_STEP,
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
        kept=config.kept if config.kept is not None else _KEPT[config.strength],
    )


# -------------------------------------------------------------------- reading


class Exercises:
    """Exercises in reading a context, in the languages and partly about the subjects of the conversations."""

    def __init__(self, conversations: Sequence[Sequence[Message]]) -> None:
        self._systems = [one[0] for one in conversations if one[0]["role"] == "system"]
        questions = [(one[-2]["content"], one[-1]["content"]) for one in conversations]
        found = [reverse(question, answer) for question, answer in questions]
        self._subjects = sorted({back.subject for back in found if back is not None})
        self._chinese = sum(is_cjk(question) for question, _ in questions) / len(questions)

    def draw(self, count: float, chance: random.Random) -> list[list[Message]]:
        """About `count` exercises as conversations."""
        whole = int(count) + (chance.random() < count % 1)
        return [self._one(chance) for _ in range(whole)]

    def _one(self, chance: random.Random) -> list[Message]:
        prompt, answer = exercise(self._subjects, chance.random() < self._chinese, chance)
        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
        return [*self._systems[:1], *turns]


# -------------------------------------------------------------------- replay of what the base says


def replay_set(base: BaseModel, system_prompt: str, count: int = _REPLAYED) -> list[Replay]:
    """The base's own answers to about `count` general prompts of every kind, with its thoughts.

    Only inside `activate(None)`. The same prompts each time, so that their answers can be remembered.
    """
    spread = REPLAY_PROMPTS[:: max(1, len(REPLAY_PROMPTS) // count)]
    prompts = [with_system([{"role": "user", "content": prompt}], system_prompt) for prompt in spread]
    answers = base.complete(prompts, max_new_tokens=_REPLAY_TOKENS)
    encoded = []
    for prompt, answer in zip(prompts, answers, strict=True):
        if answer.strip():
            encoded.append(encode(base, [*prompt, {"role": "assistant", "content": answer}])[-1])
    return [
        replay for start in range(0, len(encoded), 16) for replay in taught(base, encoded[start : start + 16])
    ]


@torch.no_grad()
def taught(base: BaseModel, items: Sequence[Encoded]) -> list[Replay]:
    """The items with the base's own thoughts at each target."""
    row = pack(items, multiple=64).to(base.device)
    logits = forward(base, row)
    return [Replay(item, teacher(logits[row.owner == number].cpu())) for number, item in enumerate(items)]


def teacher(logits: Tensor) -> Teacher:
    """The likeliest tokens of logits (targets, vocabulary), with their probabilities."""
    chances, tokens = torch.softmax(logits.float(), dim=-1).topk(_TEACHER_TOKENS)
    return Teacher(tokens, chances)


def schedule(step: int, steps: int, warmup: float) -> float:
    """The share of the learning rate at a step: a short rise, then a straight fall to a tenth."""
    rise = max(1, math.ceil(warmup * steps))
    if step < rise:
        return (step + 1) / rise
    return 1.0 - 0.9 * (step - rise) / max(1, steps - rise)
