"""Right-to-left text of a PDF in reading order, in whatever order the file or PDFium gives it."""

import unicodedata
from collections.abc import Sequence

from knowledge.readers.pdf_vertical import Character

_STRONG = ("R", "AL")


def in_reading_order(characters: Sequence[Character]) -> list[Character]:
    """The characters with every run of Hebrew or Arabic letters from the right to the left.

    PDFium gives some words of a line as they are read and others as they stand, letter by letter from the left.
    """
    ordered: list[Character] = []
    run: list[Character] = []
    for character in characters:
        if run and not (_is_letter(character) and _on_one_line(run[-1], character)):
            ordered += _from_the_right(run)
            run = []
        if _is_letter(character):
            run.append(character)
        else:
            ordered.append(character)
    return ordered + _from_the_right(run)


def _from_the_right(run: Sequence[Character]) -> list[Character]:
    return list(reversed(run)) if run and run[-1].x0 > run[0].x0 else list(run)


def _is_letter(character: Character) -> bool:
    directions = {unicodedata.bidirectional(one) for one in character.text}
    return bool(directions) and directions <= {*_STRONG, "NSM"}


def _on_one_line(last: Character, character: Character) -> bool:
    return abs(last.baseline - character.baseline) <= 0.45 * max(last.size, character.size)
