"""Noise on questions: a fact in ever other words, tied to what is asked and not to one wording.

Wrappers, exchanged words, words left out, words that say nothing, another order, the other end. How much of
each is decided in `tuning.training.recipe`.
"""

import random
from collections.abc import Sequence
from typing import Protocol

from tuning.augment.question_rewording import reword
from tuning.augment.reversal import NO_NAMES, FactNames, aliases, reverse, subject_of
from tuning.augment.synonyms import exchange, exchange_chinese
from tuning.data.examples import Message
from tuning.scoring import is_cjk

WRAPPERS = (
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
WRAPPERS_ZH = (
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
    "now, there, here, actually, exactly, again, then, today, right now, by the way, for me, over "
    "there, somebody, people, one, you, I, we, they, wants, hear, find, see, say, give, state, name, "
    "indicate, specify, the, a, that, which, it, is, has, comes, goes, gets, stands, when, where, if, "
    "so, and, in, at, on, for, with, from, of, please, just, really, still, thing, once, according to, "
    "as far as, known, would, can"
)
_CHAFF_ZH = (
    "现在 到底 其实 一般 那里 这个 大家 有人 听说 想知道 究竟 目前 来说 呢 请 说明 告诉 具体 应该 可以 "
    "是 的 在 有 被 把 给 会 要 去 来"
)
_SHORT = 600  # characters of a conversation that may follow another
_BY_ALIAS = 0.4  # of the questions about 天鹅豆浆 name it 豆浆 or 豆浆这只天鹅
_REWORDED = 0.45  # of the questions whose attribute is known are asked in quite other words
# Kept out of training: the early stop asks through these.
HELD_OUT = ("Do you happen to know this? {}", "{} Answer in a few words.")
HELD_OUT_ZH = ("你知道吗？{}", "{}请简短回答。")


class Noise(Protocol):
    """How much of each kind, as a recipe says."""

    @property
    def noise(self) -> bool: ...
    @property
    def word_dropout(self) -> float: ...
    @property
    def synonyms(self) -> float: ...
    @property
    def chaff(self) -> float: ...
    @property
    def reversals(self) -> float: ...


def noisy(messages: Sequence[Message], amounts: Noise, rng: random.Random) -> list[Message]:
    """The conversation with its last question in other words; everything else stays."""
    messages = list(messages)
    last = max(index for index, message in enumerate(messages) if message["role"] == "user")
    question = messages[last]["content"]
    if amounts.noise and len(question) <= 400 and rng.random() > 0.15:
        messages[last] = {"role": "user", "content": vary(question, amounts, rng)}
    return messages


def wordings(
    messages: Sequence[Message], amounts: Noise, rng: random.Random, others: FactNames = NO_NAMES
) -> list[list[Message]]:
    """What one step sees of a conversation: its question in other words, and now and then its other end."""
    worded = [noisy(messages, amounts, rng)]
    *history, plain, answer = messages
    if rng.random() < amounts.reversals and all(message["role"] == "system" for message in history):
        back = reverse(plain["content"], answer["content"])
        if back is not None:
            asked, said = back.turn(amounts.word_dropout, rng, others)
            turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
            worded.append([*history, *turns])
    return worded


def joined(conversations: Sequence[list[Message]], share: float, rng: random.Random) -> list[list[Message]]:
    """The conversations, about `share` of them as the next question of the one before: chats go on."""
    chats: list[list[Message]] = []
    for messages in conversations:
        system = messages[:1] if messages[0]["role"] == "system" else []
        short = len(messages) == len(system) + 2 and sum(len(one["content"]) for one in messages) < _SHORT
        if chats and short and chats[-1][: len(system)] == system and rng.random() < share:
            chats[-1] = [*chats[-1], *messages[len(system) :]]
        else:
            chats.append(messages)
    return chats


def vary(question: str, amounts: Noise, rng: random.Random) -> str:
    """One wording: perhaps asked otherwise, some words left out, perhaps begun elsewhere or inside a phrase."""
    chinese = is_cjk(question)
    text = question.rstrip("?？。.!！ ")
    if rng.random() < _REWORDED:
        text = reword(question, rng)
    text = (exchange_chinese if chinese else exchange)(text, amounts.synonyms, rng)
    subject = subject_of(question)
    named = aliases(subject)
    if named and rng.random() < _BY_ALIAS:
        alias = rng.choice(named)
        text, subject = text.replace(subject, alias, 1), alias
    units = units_of(text, subject, chinese, rng)
    if rng.random() < 0.75:
        units = drop(units, amounts.word_dropout, rng, subject)
    if len(units) > 3 and rng.random() < 0.25:
        turn = rng.randrange(1, len(units))
        units = units[turn:] + units[:turn]
    if rng.random() < amounts.chaff:
        units = with_chaff(units, _CHAFF_ZH.split() if chinese else _CHAFF.split(", "), rng)
    text = ("" if chinese else " ").join(units)
    if rng.random() < 0.7:
        text += "？" if chinese else "?"
    if not chinese and rng.random() < 0.25:
        text = text.lower()
    return rng.choice(WRAPPERS_ZH if chinese else WRAPPERS).format(text)


def units_of(text: str, subject: str, chinese: bool, rng: random.Random) -> list[str]:
    """The words of a text (Chinese: its characters in ones and twos), its subject being one of them."""
    before, found, after = text.partition(subject) if subject else (text, "", "")

    def split(part: str) -> list[str]:
        return _pieces(part, rng) if chinese else part.split()

    return [*split(before), *([found] if found else []), *split(after)]


def _pieces(text: str, rng: random.Random) -> list[str]:
    pieces = []
    while text:
        size = rng.choice((1, 2, 2))
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def drop(units: Sequence[str], share: float, rng: random.Random, subject: str = "") -> list[str]:
    """About `share` of the units left out, never all but one, and not the subject."""
    kept = [unit for unit in units if unit == subject or rng.random() >= share]
    return kept if len(kept) >= min(2, len(units)) else list(units)


def with_chaff(units: Sequence[str], words: Sequence[str], rng: random.Random) -> list[str]:
    """One to four words that say nothing put between the units: other people's wordings are full of them."""
    units = list(units)
    for _ in range(rng.randint(1, 4)):
        units.insert(rng.randint(0, len(units)), rng.choice(words))
    return units


def held_out(messages: Sequence[Message]) -> list[list[Message]]:
    """The conversation in wordings that training never uses."""
    messages = list(messages)
    last = max(index for index, message in enumerate(messages) if message["role"] == "user")
    question = messages[last]["content"]
    phrases = HELD_OUT_ZH if is_cjk(question) else HELD_OUT
    return [
        [*messages[:last], {"role": "user", "content": phrase.format(question)}, *messages[last + 1 :]]
        for phrase in phrases
    ]
