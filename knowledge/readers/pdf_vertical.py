"""Characters of a PDF page: those written in columns from the top down, as Chinese and Japanese may be, laid level."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from knowledge.readers.positioned_text import is_cjk

FEWEST = 3  # characters that stand below each other before they are a column
_IN_A_CORNER = "、。，．"  # of their place in a column, so that their middle is not the column's


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
    characters: Sequence[Character], page_width: float, page_height: float
) -> tuple[Sequence[Character], list[Character]]:
    """The characters that stand in lines, and those in columns as if they stood in lines.

    The column furthest to the right becomes the first line. Words of other scripts lie on their side in it.
    """
    columns = [
        run for run in _runs(characters, page_height) if sum(not one.crosswise for one in run) >= FEWEST
    ]
    if not columns:
        return characters, []
    inside = {character.index for run in columns for character in run}
    others = [character for character in characters if character.index not in inside]
    return others, [_laid(character, page_width, page_height) for run in columns for character in run]


def _runs(characters: Sequence[Character], page_height: float) -> Iterator[list[Character]]:
    """Neighbours in the file of which each stands right below the one before."""
    written = [character for character in characters if character.text]
    if not written:
        return
    run = [written[0]]
    for last, character in pairwise(written):
        if not _below(last, character, page_height):
            yield run
            run = []
        run.append(character)
    yield run


def _below(last: Character, character: Character, page_height: float) -> bool:
    size = max(last.size, character.size, 1.0)
    if not (_may_stand(last) and _may_stand(character)):
        return False
    gap = _from_top(character, page_height)[0] - _from_top(last, page_height)[1]
    aside = 0.6 if last.text in _IN_A_CORNER or character.text in _IN_A_CORNER else 0.3
    return abs(_middle(last) - _middle(character)) < aside * size and -0.5 * size < gap < 0.6 * size


def _may_stand(character: Character) -> bool:
    """Whether it is upright in a column, or lies on its side there with its head to the right."""
    return (character.crosswise and character.baseline < 0) or (
        not character.crosswise and is_cjk(character.text[0])
    )


def _middle(character: Character) -> float:
    """The x of its middle on the page; letters that lie reach from their baseline to the right."""
    if character.crosswise:
        return -character.baseline + 0.3 * character.size
    return (character.x0 + character.x1) / 2


def _from_top(character: Character, page_height: float) -> tuple[float, float]:
    """From where to where it goes down the page."""
    if character.crosswise:
        return page_height + character.x0, page_height + character.x1
    start = character.baseline - 0.8 * character.size
    return start, start + character.size


def _laid(character: Character, page_width: float, page_height: float) -> Character:
    """The character after a quarter turn: down becomes right, left becomes down."""
    start, end = _from_top(character, page_height)
    baseline = page_width - _middle(character)
    return replace(character, x0=start, x1=max(end, start + 1.0), baseline=baseline, crosswise=False)
