"""The sentences of passages that are most relevant to a question: as much as a small model can use.

A model of 135 million parameters answers worse from whole passages; a few sentences hold the answer nearly as
often and cost a quarter of the tokens. Words are compared by their stems, Chinese by pairs of characters.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

from assistant.language.extractive import SMALL_WORDS
from assistant.language.text import has_chinese, sentences

_ROW = re.compile(r"^[^:;\n]{1,40}: .*; |\|.*\|")
# A line that goes on in the next one: wrapped text, not a heading or a list.
_WRAPPED = re.compile(r"(?<![\n.!?:。！？])\n(?=[^\n#*|•\-\d])")
_ANAPHORIC = re.compile(
    r"^(?:it|its|they|their|he|she|his|her|this|that|these|those)\b|^[它他她这那]", re.IGNORECASE
)
# Retrieval ranked the passages: a sentence of the next one must share this much more.
_STEP = 0.3
_LONG = 10


def excerpts(question: str, passages: Sequence[str], most: int) -> list[str]:
    """For each passage, best first, the chosen sentences in their order; passages without any are left out.

    `most` limits the sentences of all passages together; one that begins with a pronoun adds the one before it.
    """
    split = [_units(passage) for passage in passages]
    pool = [(number, place) for number, units in enumerate(split) for place in range(len(units))]
    if len(pool) <= most:
        return list(passages)
    words = {key: set(_stems(split[key[0]][key[1]])) for key in pool}
    spread = Counter(word for found in words.values() for word in found)
    asked = set(_stems(question))

    def weight(key: tuple[int, int]) -> float:
        shared = sum(math.log(1 + len(pool) / spread[word]) for word in asked & words[key])
        return shared / (1 + 0.02 * max(0, len(words[key]) - _LONG)) - _STEP * key[0]

    chosen = set(sorted(pool, key=weight, reverse=True)[:most])
    chosen |= {
        (number, place - 1) for number, place in chosen if place and _ANAPHORIC.match(split[number][place])
    }
    kept = [
        [unit for place, unit in enumerate(units) if (number, place) in chosen]
        for number, units in enumerate(split)
    ]
    return [" ".join(units) for units in kept if units]


def _units(passage: str) -> list[str]:
    """The passage's sentences; a row of a table is one."""
    units: list[str] = []
    text: list[str] = []
    for line in [*passage.splitlines(), None]:
        if line is not None and not _ROW.search(line):
            text.append(line)
            continue
        units += sentences(_WRAPPED.sub(" ", "\n".join(text)))
        text = []
        if line is not None:
            units.append(line.strip())
    return units


def _stems(text: str) -> list[str]:
    text = text.casefold()
    if has_chinese(text):
        pairs = (text[place : place + 2] for place in range(len(text) - 1))
        return [*filter(has_chinese, pairs), *re.findall(r"[a-z]{3,}|\d+", text)]
    words = (word for word in re.findall(r"[\w-]+", text) if word not in SMALL_WORDS)
    return [word[:5] if len(word) > 5 else word.rstrip("s") if len(word) > 3 else word for word in words]
