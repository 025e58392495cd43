"""Words of one line that stand close together → segments, which reading order and tables are made of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from knowledge.readers.positioned_text import Table, Word, is_right_to_left, join_words

MARKER = re.compile(r"(?:[•◦▪▸‣●○■□–—·*-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\[\d+\])$")
BOX_WIDTH = 3  # characters of "[x]"


@dataclass
class Segment:
    """Neighbouring words of one line, or a table that stands among them."""

    words: list[Word] = field(default_factory=list)
    table: Table | None = None

    def __post_init__(self) -> None:
        if self.table:
            self.x0, self.x1 = self.table.x0, self.table.x1
            self.top, self.bottom = self.table.top, self.table.bottom
            self.size = 0.0
        else:
            self.measure()

    def measure(self) -> None:
        self.x0, self.x1 = min(word.x0 for word in self.words), max(word.x1 for word in self.words)
        self.top = min(word.top for word in self.words)
        self.bottom = max(word.bottom for word in self.words)
        self.size = max(word.size for word in self.words)

    @property
    def text(self) -> str:
        return join_words(self.words)


def join_segments(words: Sequence[Word]) -> list[Segment]:
    """Words joined while the next stands on the same line at no more than a wide space's distance."""
    segments: list[Segment] = []
    for word in (word for word in words if not word.filled):
        if segments and _follows(segments[-1].words, word):
            segments[-1].words.append(word)
        else:
            segments.append(Segment([word]))
    for segment in segments:
        segment.measure()
    segments = _join_markers(segments)
    for word in (word for word in words if word.filled):
        _join_value(word, segments)
    return segments


def _join_value(value: Word, segments: list[Segment]) -> None:
    """The value of a form field belongs to its label: close to the right of a box that is ticked, or to the left."""
    level = [s for s in segments if s.words and s.top < value.middle < s.bottom]
    right = min((s for s in level if s.x0 >= value.x1 - 1), key=lambda s: s.x0, default=None)
    left = max((s for s in level if s.x1 <= value.x0 + 1), key=lambda s: s.x1, default=None)
    if right and len(value.text) == BOX_WIDTH and right.x0 - value.x1 < 1.5 * value.size:
        right.words.insert(0, value)
        right.measure()
    elif left:
        left.words.append(value)
        left.measure()
    else:
        segments.append(Segment([value]))


def _follows(words: Sequence[Word], word: Word) -> bool:
    last = words[-1]
    size = max(min(last.size, word.size), 1.0)
    same_line = abs(last.middle - word.middle) < 0.45 * max(last.size, word.size)
    gap = last.x0 - word.x1 if _leftwards(words, word) else word.x0 - last.x1
    return same_line and -0.6 * size < gap < 0.9 * size


def _leftwards(words: Sequence[Word], word: Word) -> bool:
    """Whether the text goes on to the left: the next stands there, and it or one before is right-to-left."""
    if word.x0 >= words[-1].x0:
        return False
    return is_right_to_left(word.text) or any(is_right_to_left(one.text) for one in reversed(words))


def _join_markers(segments: list[Segment]) -> list[Segment]:
    """A bullet or number belongs to the text behind it, however wide the gap."""
    joined: list[Segment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        near = last is not None and 0 <= segment.x0 - last.x1 < 4 * max(segment.size, 1.0)
        if last is not None and near and _marks(last, segment):
            last.words.extend(segment.words)
            last.measure()
            continue
        joined.append(segment)
    return joined


def _marks(marker: Segment, segment: Segment) -> bool:
    first = marker.words[0]
    level = abs(first.middle - segment.words[0].middle) < 0.6 * segment.size
    return len(marker.words) == 1 and level and bool(MARKER.match(first.text))


def group_rows(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Segments that stand on one line, from left to right."""
    rows: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda s: ((s.top + s.bottom) / 2, s.x0)):
        middle = (segment.top + segment.bottom) / 2
        if rows and rows[-1][0].top <= middle <= rows[-1][0].bottom and not segment.table:
            rows[-1].append(segment)
        else:
            rows.append([segment])
    for row in rows:
        row.sort(key=lambda segment: segment.x0)
    return rows
