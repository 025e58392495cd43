"""The sentences of passages that are most relevant to a question: as much as a small model can use.

Words are compared by their stems, Chinese by pairs of characters. It knows no model: whoever calls it says how
many tokens there may be, and counts them.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.language.extractive import SMALL_WORDS
from assistant.language.text import has_chinese, sentences

Place = tuple[int, int]  # of a sentence: its passage, and where in it
_ROW = re.compile(r"^[^:;\n]{1,40}: .*; |\|.*\|")
# A line that goes on in the next one: wrapped text, not a heading or a list.
_WRAPPED = re.compile(r"(?<![\n.!?:。！？])\n(?=[^\n#*|•\-\d])")
ANAPHORIC = re.compile(
    r"^(?:it|its|they|their|he|she|his|her|this|that|these|those)\b|^[它他她这那]", re.IGNORECASE
)
# Retrieval ranked the passages: a sentence of the next one must share this much more.
_STEP = 0.3
_NO_SPACE_AFTER = ("。", "！", "？", "；", "”")
_LONG = 10


def excerpts(question: str, passages: Sequence[str], tokens: int, count: Callable[[str], int]) -> list[str]:
    """Of each passage, best first, the chosen sentences in their order; "" where none was chosen.

    `tokens` limits the sentences of all passages together, as `count` counts them; the best one is taken whatever
    its length. One that begins with a pronoun adds the one before it.
    """
    split = [units(passage) for passage in passages]
    sizes = {
        (number, place): count(unit) for number, found in enumerate(split) for place, unit in enumerate(found)
    }
    if sum(sizes.values()) <= tokens:
        return list(passages)
    chosen: set[Place] = set()
    room = tokens
    for key in _ranked(question, split):
        added = {key, *_before(key, split)} - chosen
        size = sum(sizes[one] for one in added)
        if size <= room or not chosen:
            chosen |= added
            room -= size
    return [
        passage
        if all((number, place) in chosen for place in range(len(found)))
        else _joined([unit for place, unit in enumerate(found) if (number, place) in chosen])
        for number, (passage, found) in enumerate(zip(passages, split, strict=True))
    ]


def _joined(chosen: Sequence[str]) -> str:
    """Sentences after each other; Chinese ones have no space between them."""
    return "".join(
        unit if not place or chosen[place - 1].endswith(_NO_SPACE_AFTER) else f" {unit}"
        for place, unit in enumerate(chosen)
    )


def _ranked(question: str, split: Sequence[Sequence[str]]) -> list[Place]:
    """Every sentence, the one that shares most with the question first."""
    words = {
        (number, place): set(stems(unit))
        for number, found in enumerate(split)
        for place, unit in enumerate(found)
    }
    spread = Counter(word for found in words.values() for word in found)
    asked = set(stems(question))

    def weight(key: Place) -> float:
        shared = sum(math.log(1 + len(words) / spread[word]) for word in asked & words[key])
        return shared / (1 + 0.02 * max(0, len(words[key]) - _LONG)) - _STEP * key[0]

    return sorted(words, key=weight, reverse=True)


def _before(key: Place, split: Sequence[Sequence[str]]) -> set[Place]:
    """The sentence before one that begins with a pronoun."""
    number, place = key
    return {(number, place - 1)} if place and ANAPHORIC.match(split[number][place]) else set()


def units(passage: str) -> list[str]:
    """The passage's sentences; a row of a table is one."""
    found: list[str] = []
    text: list[str] = []
    for line in [*passage.splitlines(), None]:
        if line is not None and not _ROW.search(line):
            text.append(line)
            continue
        found += sentences(_WRAPPED.sub(" ", "\n".join(text)))
        text = []
        if line is not None:
            found.append(line.strip())
    return found


@dataclass(frozen=True)
class Piece:
    """A sentence with the one before it, or the row of a table with the head: it can be judged by itself.

    What a sentence is about, the one before it often says; what a cell is, the first row does.
    """

    before: str
    sentence: str
    is_row: bool = False

    @property
    def text(self) -> str:
        """Both, as they are judged."""
        return f"{self.before} {self.sentence}".strip()


def pieces(passage: str) -> list[Piece]:
    """The passage in pieces; of more than one sentence the first is only what stands before the second."""
    split = units(passage)
    found: list[Piece] = []
    head: int | None = None
    for place, unit in enumerate(split):
        is_row = bool(_ROW.search(unit))
        if not is_row:
            head = None
        elif head is None:
            head = place
        before = head if head is not None and head < place else place - 1
        if place:
            found.append(Piece(split[before], unit, is_row))
    return found or [Piece("", unit) for unit in split]


def titled(title: str, piece: str) -> str:
    """A piece of a passage below what its document is called."""
    return f"{title}: {piece}" if title else piece


def stems(text: str) -> list[str]:
    """The words of a text as they are compared, in order: stems, of Chinese pairs of characters."""
    text = text.casefold()
    if has_chinese(text):
        pairs = (text[place : place + 2] for place in range(len(text) - 1))
        return [*filter(has_chinese, pairs), *re.findall(r"[a-z]{3,}|\d+", text)]
    words = (word for word in re.findall(r"[\w-]+", text) if word not in SMALL_WORDS)
    return [word[:5] if len(word) > 5 else word.rstrip("s") if len(word) > 3 else word for word in words]
