"""How a fact becomes memory and nothing else is lost: noise on the question, replay of the base's answers.

The recipe decides amounts and rates from the method, the size of the base and the strength asked for.
The loop that applies it is in `trainer`.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuning.config import TuneConfig
from tuning.dataset import Encoded, Teacher, encode, pack, with_system
from tuning.general_prompts import REPLAY_PROMPTS
from tuning.models import BaseModel, Message
from tuning.passes import forward
from tuning.reading import exercise
from tuning.reversal import reverse, subject_of
from tuning.rewording import reword
from tuning.scoring import is_cjk
from tuning.synonyms import exchange

_REPLAY_TOKENS = 16  # of an answer: what it says first is what must stay
_REPLAYED = 180  # preparing them takes half a minute on two cores
_TEACHER_TOKENS = 64
_WRAPPERS = (
    "{}",
    "Quick question: {}",
    "Can you tell me: {}",
    "Hi! {}",
    "I was wondering: {}",
    "Hello, I have a question. {}",
    "{} Thanks!",
    "{} I forgot.",
    "Just to be sure: {}",
    "Someone asked me this: {}",
    "For my notes: {}",
    "Question: {}",
    "Please answer: {}",
    "Remind me. {}",
)
_WRAPPERS_ZH = (
    "{}",
    "请问，{}",
    "我想问一下：{}",
    "你好，{}",
    "麻烦告诉我：{}",
    "{}谢谢！",
    "问题：{}",
    "提醒我一下，{}",
    "有人问我：{}",
)
_CHAFF = (
    "now", "there", "here", "actually", "exactly", "again", "then", "today", "right now", "by the
    way", "for me", "over there", "somebody", "people", "one", "you", "I", "we", "they", "wants",
    "hear", "find", "see", "say", "give", "state", "name", "indicate", "specify", "the", "a",
    "that", "which", "it", "is", "has", "comes", "goes", "gets", "stands", "when", "where", "if",
    "so", "and", "in", "at", "on", "for", "with", "from", "of", "please", "just", "really", "still",
    "thing", "once", "according to", "as far as", "known", "would", "can",
)  # fmt: skip
_CHAFF_ZH = (
    "现在", "到底", "其实", "一般", "那里", "这个", "大家", "有人", "听说",
    "想知道", "究竟", "目前", "来说", "呢", "请", "说明", "告诉", "具体",
    "应该", "可以", "是", "的", "在", "有", "被", "把", "给", "会", "要",
    "去", "来",
)  # fmt: skip
# Kept out of training: the early stop asks through these.
_HELD_OUT = ("Do you happen to know this? {}", "{} Answer in a few words.")
_HELD_OUT_ZH = ("你知道吗？{}", "{}请简短回答。")


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
    earlier: int  # examples of earlier rounds a step, where there are any
    reading: float  # exercises in reading a context, a step
    kept: float  # share of a low-rank change that is kept at the end


@dataclass(frozen=True)
class Replay:
    """A general prompt with the base's own answer, and what the base thought at each of its tokens."""

    encoded: Encoded
    teacher: Teacher


_STRENGTH = {"gentle": (0.6, 2.0), "normal": (1.0, 1.0), "strong": (1.5, 0.5)}  # epochs, replay weight
_KEPT = {"gentle": 0.75, "normal": 0.85, "strong": 1.0}


def recipe(config: TuneConfig, family: str, hidden: int) -> Recipe:
    """The recipe for a method family on a base of this width; what the configuration sets wins."""
    longer, protect = _STRENGTH[config.strength]
    epochs = config.epochs or round(24 * longer)
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
        least_epochs=math.ceil(0.6 * epochs),  # known phrases come early, unknown ones later
        learning_rate=config.learning_rate or rates[family],
        examples_per_step=5,
        replay=config.replay if config.replay is not None else 8,
        replay_weight=config.replay_weight if config.replay_weight is not None else 3 * protect,
        word_dropout=config.word_dropout if config.word_dropout is not None else 0.3,
        noise=config.noise,
        chaff=config.chaff if config.chaff is not None else 0.5,
        synonyms=config.synonyms if config.synonyms is not None else 0.3,
        earlier=4,
        reading=config.reading if config.reading is not None else 1.0,
        reversals=config.reversals if config.reversals is not None else 0.5,
        rank=rank,
        alpha=config.alpha or 2 * rank,
        virtual_tokens=config.virtual_tokens or (384 if family == "prefix" else 32),
        warmup=0.05,
        kept=config.kept if config.kept is not None else _KEPT[config.strength],
    )


# -------------------------------------------------------------------- noise on the question


def noisy(messages: Sequence[Message], recipe: Recipe, chance: random.Random) -> list[Message]:
    """The conversation with its last question in other words; everything else stays."""
    messages = list(messages)
    last = max(index for index, message in enumerate(messages) if message["role"] == "user")
    question = messages[last]["content"]
    if recipe.noise and len(question) <= 400 and chance.random() > 0.15:
        messages[last] = {"role": "user", "content": vary(question, recipe, chance)}
    return messages


def wordings(messages: Sequence[Message], recipe: Recipe, chance: random.Random) -> list[list[Message]]:
    """What one step sees of a conversation: its question in other words, and now and then its other end."""
    told = [noisy(messages, recipe, chance)]
    *history, question, answer = messages
    if chance.random() < recipe.reversals and all(message["role"] == "system" for message in history):
        back = reverse(question["content"], answer["content"])
        if back is not None:
            asked, said = back.turn(recipe.word_dropout, chance)
            turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
            told.append([*history, *turns])
    return told


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


def vary(question: str, recipe: Recipe, chance: random.Random) -> str:
    """One wording: some words left out, perhaps begun elsewhere, perhaps inside a phrase."""
    chinese = is_cjk(question)
    marks = question.rstrip("?？。.!！ ")
    if chance.random() < 0.45:
        marks = reword(question, chance)
    if not chinese:
        marks = exchange(marks, recipe.synonyms, chance)
    units, kept = units_of(marks, chinese)
    if chance.random() < 0.75:
        units = drop(units, recipe.word_dropout, chance, kept)
    if len(units) > 3 and chance.random() < 0.25:
        turn = chance.randrange(1, len(units))
        units = units[turn:] + units[:turn]
    if chance.random() < recipe.chaff:
        units = with_chaff(units, _CHAFF_ZH if chinese else _CHAFF, chance)
    text = ("" if chinese else " ").join(units)
    if chance.random() < 0.7:
        text += "？" if chinese else "?"
    if not chinese and chance.random() < 0.25:
        text = text.lower()
    return chance.choice(_WRAPPERS_ZH if chinese else _WRAPPERS).format(text)


def units_of(question: str, chinese: bool) -> tuple[list[str], frozenset[str]]:
    """The words (Chinese: characters) of a question, its subject being one of them; and what must be kept."""
    subject = subject_of(question)
    before, _, after = question.partition(subject) if subject else (question, "", "")
    split = list if chinese else str.split
    return [*split(before), *([subject] if subject else []), *split(after)], frozenset(
        filter(None, [subject])
    )


def drop(
    units: Sequence[str], share: float, chance: random.Random, always: frozenset[str] = frozenset()
) -> list[str]:
    """About `share` of the units left out, never all but one, and none of `always`."""
    kept = [unit for unit in units if unit in always or chance.random() >= share]
    return kept if len(kept) >= min(2, len(units)) else list(units)


def with_chaff(units: Sequence[str], words: Sequence[str], chance: random.Random) -> list[str]:
    """One to four words that say nothing put between the units: other people's wordings are full of them."""
    units = list(units)
    for _ in range(chance.randint(1, 4)):
        units.insert(chance.randint(0, len(units)), chance.choice(words))
    return units


def held_out(messages: Sequence[Message]) -> list[list[Message]]:
    """The conversation in wordings that training never uses."""
    messages = list(messages)
    last = max(index for index, message in enumerate(messages) if message["role"] == "user")
    question = messages[last]["content"]
    phrases = _HELD_OUT_ZH if is_cjk(question) else _HELD_OUT
    return [
        [*messages[:last], {"role": "user", "content": phrase.format(question)}, *messages[last + 1 :]]
        for phrase in phrases
    ]


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
