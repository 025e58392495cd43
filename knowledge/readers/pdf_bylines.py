"""The lines between the title of a paper and its text that look like headings: who wrote it, and where."""

import re
from collections.abc import Sequence
from dataclasses import replace

from knowledge.readers.blocks import Block

_MOST_LINES = 12
_JOINS = re.compile(r"\s*(?:,|;|&|·|\band\b|\bund\b|\bet\b|\by\b)\s*")
_NAME = re.compile(r"(?:[A-ZÀ-ÖØ-Þ][\w'’.-]*|van|von|de|der|den|di|da|la|le|bin|al)(?:\s+|$)")
_SIGNS = re.compile(r"[\d*†‡§¶∗]+")


def without_bylines(blocks: Sequence[Block]) -> list[Block]:
    """The blocks in which authors and their places are text under the title and head nothing."""
    found = list(blocks)
    if not found or found[0].kind != "heading":
        return found
    end = next((at for at, block in enumerate(found) if block.kind != "heading"), len(found))
    for at in range(1, min(end, _MOST_LINES)):
        # A heading above one of a higher rank heads nothing.
        ranked_below = any(found[later].level < found[at].level for later in range(at + 1, end))
        if found[at].level > found[0].level and (ranked_below or _names_people(found[at].text)):
            found[at] = replace(found[at], kind="text", level=0)
        else:
            break
    return found


def _names_people(text: str) -> bool:
    """Whether it is several names: all of their words are capital, and something joins them."""
    names = [part.strip() for part in _JOINS.split(_SIGNS.sub("", text)) if part.strip()]
    return len(names) > 1 and all(1 < len(name.split()) < 6 and not _NAME.sub("", name) for name in names)
