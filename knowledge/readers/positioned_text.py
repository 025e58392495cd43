"""Text at its place on a page: words, lines, tables. y grows downwards, lengths are points."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

_RIGHT_TO_LEFT = ("R", "AL")
_SIGNS = ("ON", "CS", "ES", "ET", "NSM", "BN")
_BRACKETS = (("(", ")"), ("[", "]"), ("{", "}"), ("«", "»"))


@dataclass(frozen=True)
class Word:
    """A run of characters without a gap."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool
    mono: bool = False  # set in a monospaced font
    spaced: bool = True  # there is a space before it in the file
    turned: bool = False  # it stands crosswise among upright text, in a margin
    filled: bool = False  # the value of a form field

    @property
    def middle(self) -> float:
        """The y of the middle of its height."""
        return (self.top + self.bottom) / 2


@dataclass(frozen=True)
class Line:
    """Text on one baseline of one column."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool
    column: tuple[float, float]  # from where to where the text of its column goes
    marked: bool = False  # begins with a bullet or a number, or is a field that was filled in
    mono: bool = False  # all of it monospaced
    turned: bool = False  # all of it crosswise


@dataclass(frozen=True)
class Table:
    """A grid of cells; the places that a merged one covers are marked as in `tables`."""

    rows: tuple[tuple[str, ...], ...]
    x0: float
    x1: float
    top: float
    bottom: float


def join_words(words: Sequence[Word]) -> str:
    """The words with a space between them, except between Chinese or Japanese characters."""
    text = ""
    leftwards = is_right_to_left("".join(word.text for word in words))
    last: Word | None = None
    for word in _from_the_right(words) if leftwards else words:
        glued = not text or (not word.spaced and is_cjk(text[-1]) and is_cjk(word.text[0]))
        if leftwards and last:
            glued = (is_sign(last.text) or is_sign(word.text)) and _touch(last, word)
        text += word.text if glued else f" {word.text}"
        last = word
    return with_brackets(text) if leftwards else text


def _touch(one: Word, other: Word) -> bool:
    """Whether there is no space between two words, whichever stands on the left."""
    return max(one.x0, other.x0) - min(one.x1, other.x1) < 0.15 * one.size


def _from_the_right(words: Sequence[Word]) -> list[Word]:
    """Right-to-left words that stand in the file from the left; foreign words and numbers keep their own order."""
    if words[0].x0 >= words[-1].x0:
        return _with_foreign_names(words)
    ordered: list[Word] = []
    foreign: list[Word] = []
    for word in reversed(words):
        if is_right_to_left(word.text):
            ordered += [*reversed(foreign), word]
            foreign = []
        else:
            foreign.append(word)
    return ordered + foreign[::-1]


def _with_foreign_names(words: Sequence[Word]) -> list[Word]:
    """Words given from the right; several Latin ones beside each other become one, which is read from the left."""
    ordered: list[Word] = []
    for word in words:
        last = ordered[-1] if ordered else None
        level = last is not None and word.x1 <= last.x0 and abs(word.middle - last.middle) < 1
        if last and level and _is_latin(last) and _is_latin(word):
            ordered[-1] = replace(last, text=f"{word.text} {last.text}", x0=word.x0)
        else:
            ordered.append(word)
    return ordered


def _is_latin(word: Word) -> bool:
    return not is_right_to_left(word.text) and any(unicodedata.bidirectional(one) == "L" for one in word.text)


def with_brackets(text: str) -> str:
    """Right-to-left text in which what opens stands before what closes; a file holds the signs as they look."""
    for opening, closing in _BRACKETS:
        if 0 <= text.find(closing) < text.find(opening):
            text = text.translate({ord(opening): closing, ord(closing): opening})
        elif closing in text and opening not in text:  # both look alike there; an opening one follows a space
            text = re.sub(
                rf"(?<!\S){re.escape(closing)}(?=\w[^{re.escape(closing)}]*{re.escape(closing)})",
                opening,
                text,
            )
    return text


def group_lines(words: Sequence[Word]) -> list[list[Word]]:
    """The words of each line from the top down, in the order they were given."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.middle):
        if lines and word.middle - lines[-1][0].middle < 0.5 * max(word.size, lines[-1][0].size):
            lines[-1].append(word)
        else:
            lines.append([word])
    places = {id(word): place for place, word in enumerate(words)}
    return [sorted(line, key=lambda word: places[id(word)]) for line in lines]


def is_right_to_left(text: str) -> bool:
    """Whether most of its letters are of a script that is written from the right, such as Hebrew or Arabic."""
    directions = [unicodedata.bidirectional(character) for character in text]
    return 2 * sum(map(_RIGHT_TO_LEFT.__contains__, directions)) > len(directions) - sum(
        direction not in ("L", *_RIGHT_TO_LEFT) for direction in directions
    )


def is_sign(text: str) -> bool:
    """Whether it has no direction of its own, as brackets and full stops have none."""
    return all(unicodedata.bidirectional(character) in _SIGNS for character in text)


def is_cjk(character: str) -> bool:
    """Whether it belongs to a script that is written without spaces (Korean is written with them)."""
    code = ord(character)
    return 0x2E80 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0xFF00 <= code <= 0xFFEF
