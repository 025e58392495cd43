"""Synonyms of everyday words, which training exchanges in questions.

The table (`synonyms.txt`, a word and its substitutes a line) is rough on purpose: the question stays tied to
its names and numbers, and noise on the words does the rest.
"""

import random
import re
from pathlib import Path

_TABLE = Path(__file__).with_suffix(".txt")


def _read() -> dict[str, tuple[str, ...]]:
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    return {word: tuple(others.split(", ")) for word, others in (line.split(": ", 1) for line in lines)}


_OTHERS = _read()
_KNOWN = re.compile(rf"\b(?:{'|'.join(sorted(_OTHERS, key=len, reverse=True))})\b")


_CHINESE = {
    "什么时候": ("啥时候", "几时", "何时", "什么时间"),
    "叫什么": ("叫啥", "名字是什么", "怎么称呼"),
    "为什么": ("为啥", "为何"),
    "什么": ("啥", "哪种", "何种"),
    "哪里": ("哪儿", "什么地方", "何处"),
    "多久": ("多长时间",),
    "多少": ("几", "多少"),
    "怎么": ("咋", "怎样", "如何"),
    "谁": ("什么人", "哪个人", "哪位"),
    "哪个": ("哪一个", "什么"),
}
_KNOWN_CHINESE = re.compile("|".join(sorted(_CHINESE, key=len, reverse=True)))


def exchange(text: str, share: float, rng: random.Random) -> str:
    """The text with about `share` of the words that have substitutes exchanged for one of them."""
    return _exchanged(text, _KNOWN, _OTHERS, share, rng)


def exchange_chinese(text: str, share: float, rng: random.Random) -> str:
    """The same for the question words of a Chinese text."""
    return _exchanged(text, _KNOWN_CHINESE, _CHINESE, share, rng)


def _exchanged(
    text: str, known: re.Pattern[str], others: dict[str, tuple[str, ...]], share: float, rng: random.Random
) -> str:
    def other(match: re.Match[str]) -> str:
        return rng.choice(others[match[0]]) if rng.random() < share else match[0]

    return known.sub(other, text)
