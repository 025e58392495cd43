"""Words of one line that stand close together → segments, which reading order and tables are made of."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from knowledge.readers.positioned_text import Table, Word, join_words

MARKER = re.compile(r"(?:[•◦▪▸‣●○■□–—·*-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\[\d+\])$")


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
        self.x0, self.x1 = self.words[0].x0, max(word.x1 for word in self.words)
        self.top = min(word.top for word in self.words)
        self.bottom = max(word.bottom for word in self.words)
        self.size = max(word.size for word in self.words)

    @property
    def text(self) -> str:
        return join_words(self.words)


def join_segments(words: Sequence[Word]) -> list[Segment]:
    """Words joined while the next stands on the same line at no more than a wide space's distance."""
    segments: list[Segment] = []
    for word in words:
        if segments and _follows(segments[-1].words[-1], word):
            segments[-1].words.append(word)
        else:
            segments.append(Segment([word]))
    for segment in segments:
        segment.measure()
    return _join_markers(segments)


def _follows(last: Word, word: Word) -> bool:
    size = max(min(last.size, word.size), 1.0)
    same_line = abs(last.middle - word.middle) < 0.45 * max(last.size, word.size)
    return same_line and -0.6 * size < word.x0 - last.x1 < 0.9 * size


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
