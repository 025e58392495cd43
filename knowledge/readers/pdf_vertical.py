"""Characters of a PDF page: those written in columns from the top down, as Chinese and Japanese may be, laid level."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from knowledge.readers.positioned_text import is_cjk

FEWEST = 3  # characters that stand below each other before they are a column


@dataclass(frozen=True, slots=True)
class Character:
    """One character at its place; y grows downwards."""

    text: str  # empty: a space
    x0: float
    x1: float
    baseline: float
    size: float
    index: int  # in the text of the page
    crosswise: bool
    guessed: bool  # a space that PDFium inserted


def divided(
    characters: Sequence[Character], page_width: float
) -> tuple[Sequence[Character], list[Character]]:
    """The characters that stand in lines, and those in columns as if they stood in lines.

    The column furthest to the right becomes the first line.
    """
    columns = [run for run in _runs(characters) if len(run) >= FEWEST]
    if not columns:
        return characters, []
    inside = {character.index for run in columns for character in run}
    level = [character for character in characters if character.index not in inside]
    if not any(character.text for character in level):
        level = []
    return level, [_laid(character, page_width) for run in columns for character in run]


def _runs(characters: Sequence[Character]) -> Iterator[list[Character]]:
    """Neighbours in the file of which each stands right below the one before."""
    written = [character for character in characters if character.text]
    if not written:
        return
    run = [written[0]]
    for last, character in pairwise(written):
        if not _below(last, character):
            yield run
            run = []
        run.append(character)
    yield run


def _below(last: Character, character: Character) -> bool:
    size = max(last.size, character.size, 1.0)
    column = abs((last.x0 + last.x1) - (character.x0 + character.x1)) < 0.6 * size
    step = character.baseline - last.baseline
    return is_cjk(last.text[0]) and is_cjk(character.text[0]) and column and 0.5 * size < step < 1.6 * size


def _laid(character: Character, page_width: float) -> Character:
    """The character after a quarter turn: down becomes right, left becomes down."""
    length = max(character.size, 1.0)
    start = character.baseline - 0.8 * length
    baseline = page_width - (character.x0 + character.x1) / 2
    return replace(character, x0=start, x1=start + length, baseline=baseline)
