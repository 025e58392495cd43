"""Everyday words that may stand for each other in a question; training exchanges them.

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


def exchange(text: str, share: float, chance: random.Random) -> str:
    """The text with about `share` of the words that have substitutes exchanged for one of them."""

    def other(match: re.Match[str]) -> str:
        return chance.choice(_OTHERS[match[0]]) if chance.random() < share else match[0]

    return _KNOWN.sub(other, text)
