"""Words on a PDF page → lines and tables in reading order. Geometry alone: y grows downwards, in points."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

MAX_SEGMENTS = 4_000  # on a page; beyond it the order of the file is kept
_MARKER = re.compile(r"(?:[•◦▪▸‣●○■□–—·*-]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\[\d+\])$")


@dataclass(frozen=True)
class Word:
    """Some characters without a gap."""

    text: str
    x0: float
    x1: float
    top: float
    bottom: float
    size: float
    bold: bool
    mono: bool = False  # of a font whose characters are all as wide
    spaced: bool = True  # a space stands before it in the file

    @property
    def middle(self) -> float:
        """Half its height."""
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
    marked: bool = False  # begins with a bullet or a number
    mono: bool = False  # all of it as wide as on a typewriter


@dataclass(frozen=True)
class Table:
    """A grid of cells, merged ones repeated."""

    rows: tuple[tuple[str, ...], ...]
    x0: float
    x1: float
    top: float
    bottom: float


@dataclass
class _Segment:
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


def reading_order(words: Sequence[Word], tables: Sequence[Table]) -> list[Line | Table]:
    """The lines and tables of a page as a person reads them: columns one after the other, tables by rows."""
    segments = _segments(words) + [_Segment(table=table) for table in tables]
    if not segments:
        return []
    if len(segments) > MAX_SEGMENTS:
        return [_line([segment], segment.x0, segment.x1) for segment in segments if not segment.table]
    return _order(sorted(segments, key=lambda segment: (segment.top, segment.x0)), depth=0)


def join_words(words: Sequence[Word]) -> str:
    """The words with a space between them, except between Chinese or Japanese characters."""
    text = ""
    for word in words:
        glued = not text or (not word.spaced and is_cjk(text[-1]) and is_cjk(word.text[0]))
        text += word.text if glued else f" {word.text}"
    return text


def is_cjk(character: str) -> bool:
    """Whether it belongs to a script that is written without spaces (Korean is written with them)."""
    code = ord(character)
    return 0x2E80 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0xFF00 <= code <= 0xFFEF


def _segments(words: Sequence[Word]) -> list[_Segment]:
    """Words joined while the next stands on the same line at no more than a wide space's distance."""
    segments: list[_Segment] = []
    for word in words:
        if segments and _follows(segments[-1].words[-1], word):
            segments[-1].words.append(word)
        else:
            segments.append(_Segment([word]))
    for segment in segments:
        segment.measure()
    return _join_markers(segments)


def _follows(last: Word, word: Word) -> bool:
    size = max(min(last.size, word.size), 1.0)
    same_line = abs(last.middle - word.middle) < 0.45 * max(last.size, word.size)
    return same_line and -0.6 * size < word.x0 - last.x1 < 0.9 * size


def _join_markers(segments: list[_Segment]) -> list[_Segment]:
    """A bullet or number belongs to the text behind it, however wide the gap."""
    joined: list[_Segment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        near = last is not None and 0 <= segment.x0 - last.x1 < 4 * max(segment.size, 1.0)
        if last is not None and near and _marks(last, segment):
            last.words.extend(segment.words)
            last.measure()
            continue
        joined.append(segment)
    return joined


def _marks(marker: _Segment, segment: _Segment) -> bool:
    first = marker.words[0]
    level = abs(first.middle - segment.words[0].middle) < 0.6 * segment.size
    return len(marker.words) == 1 and level and bool(_MARKER.match(first.text))


def _order(segments: list[_Segment], depth: int) -> list[Line | Table]:
    """Peel groups off the top: side by side columns, borderless tables, or single lines."""
    items: list[Line | Table] = []
    gutter = max(5.0, 0.8 * median([segment.size for segment in segments if segment.size] or [10.0]))
    left, right = min(s.x0 for s in segments), max(s.x1 for s in segments)
    plain: list[_Segment] = []
    at = 0
    while at < len(segments):
        end, gaps = _widest_group(segments, at, gutter, left, right) if depth < 4 else (at, [])
        if not gaps:
            row = at + 1  # what stands on the same line goes with it
            while row < len(segments) and segments[row].top < segments[at].top + 0.3 * segments[at].size:
                row += 1
            plain.extend(segments[at:row])
            at = row
            continue
        items.extend(_lines(plain, left, right))
        plain = []
        items.extend(_columns(segments[at:end], gaps, depth))
        at = end
    return items + _lines(plain, left, right)


def _widest_group(
    segments: Sequence[_Segment], start: int, gutter: float, left: float, right: float
) -> tuple[int, list[tuple[float, float]]]:
    """The longest run from `start` that a vertical gap goes through with text on both sides, and its gaps."""
    free = [(left, right)]
    best = start
    best_gaps: list[tuple[float, float]] = []
    lowest = 0.0
    for at in range(start, len(segments)):
        segment = segments[at]
        free = [gap for gap in _without(free, segment.x0, segment.x1) if gap[1] - gap[0] >= gutter]
        if not free or any(not _open(gap, free) for gap in best_gaps):
            break  # what goes across a gap that columns kept to stands below them
        lowest = max(lowest, segment.bottom)
        if at - start >= 3 and (
            at + 1 == len(segments) or segments[at + 1].top >= lowest - 0.3 * segment.size
        ):
            group = segments[start : at + 1]
            gaps = [gap for gap in free if _divides(group, gap)]
            if gaps:
                best, best_gaps = at + 1, gaps
    if best and best < len(segments):  # what comes next goes across: the columns above it end together
        best = _common_end(segments, start, best, best_gaps)
    return best, best_gaps


def _open(gap: tuple[float, float], free: Sequence[tuple[float, float]]) -> bool:
    return any(low < gap[1] and high > gap[0] for low, high in free)


def _without(gaps: Sequence[tuple[float, float]], x0: float, x1: float) -> list[tuple[float, float]]:
    rest = []
    for low, high in gaps:
        if x1 <= low or x0 >= high:
            rest.append((low, high))
            continue
        if x0 > low:
            rest.append((low, x0))
        if x1 < high:
            rest.append((x1, high))
    return rest


def _divides(group: Sequence[_Segment], gap: tuple[float, float]) -> bool:
    """Whether at least three lines on each side keep to it; two are enough for a wide one."""
    before = [segment for segment in group if segment.x1 <= gap[0] + 0.1]
    after = [segment for segment in group if segment.x0 >= gap[1] - 0.1]
    if any(segment.table for segment in (*before, *after)):
        return len(before) >= 1 and len(after) >= 1
    fewest = min(len(_rows(before)), len(_rows(after)))
    wide = gap[1] - gap[0] > 2.0 * median(segment.size for segment in group)
    return fewest >= 3 or (fewest == 2 and wide)


def _common_end(
    segments: Sequence[_Segment], start: int, end: int, gaps: Sequence[tuple[float, float]]
) -> int:
    """Where the last lines of one column stand apart below all others, they are no part of the columns."""
    edges = [(low + high) / 2 for low, high in gaps]

    def column(segment: _Segment) -> int:
        return sum(segment.x0 > edge for edge in edges)

    last = column(segments[end - 1])
    at = end
    while at > start and column(segments[at - 1]) == last:
        at -= 1
    others = max((segment.bottom for segment in segments[start:at]), default=0.0)
    own = max((s.bottom for s in segments[start:at] if column(s) == last), default=0.0)
    for place in range(at, end):
        segment = segments[place]
        if segment.top > others and own and segment.top - own > 0.8 * segment.size:
            return place
        own = max(own, segment.bottom)
    return end


def _columns(group: list[_Segment], gaps: list[tuple[float, float]], depth: int) -> list[Line | Table]:
    edges = sorted((low + high) / 2 for low, high in gaps)
    columns: list[list[_Segment]] = [[] for _ in range(len(edges) + 1)]
    for segment in group:
        columns[sum(segment.x0 > edge for edge in edges)].append(segment)
    rows = _rows(group)
    if _is_table(rows, columns, edges):
        return _borderless(rows, edges, min(s.x0 for s in group), max(s.x1 for s in group))
    items: list[Line | Table] = []
    for column in columns:
        if column:
            items.extend(_order(column, depth + 1))
    return items


def _rows(segments: Sequence[_Segment]) -> list[list[_Segment]]:
    """Segments that stand on one line, from left to right."""
    rows: list[list[_Segment]] = []
    for segment in sorted(segments, key=lambda s: ((s.top + s.bottom) / 2, s.x0)):
        middle = (segment.top + segment.bottom) / 2
        if rows and rows[-1][0].top <= middle <= rows[-1][0].bottom and not segment.table:
            rows[-1].append(segment)
        else:
            rows.append([segment])
    for row in rows:
        row.sort(key=lambda segment: segment.x0)
    return rows


def _is_table(rows: list[list[_Segment]], columns: list[list[_Segment]], edges: list[float]) -> bool:
    """Columns of prose fill their width line after line; a table's cells are short and stand in rows."""
    if any(segment.table for row in rows for segment in row):
        return False
    full = sum(len({sum(s.x0 > edge for edge in edges) for s in row}) > 1 for row in rows)
    if full < 2 or full * 5 < len(rows) * 2:
        return False
    return not all(_is_prose(column) for column in columns)


def _is_prose(column: list[_Segment]) -> bool:
    width = max(s.x1 for s in column) - min(s.x0 for s in column)
    rows = _rows(column)
    fill = median([(row[-1].x1 - row[0].x0) / max(width, 1.0) for row in rows])
    length = median([sum(2 if c > "\u2e80" else 1 for s in row for c in s.text) for row in rows])
    return fill >= 0.7 and length >= 22 and len(rows) >= 3


def _borderless(
    rows: list[list[_Segment]], edges: list[float], left: float, right: float
) -> list[Line | Table]:
    """The rows as a table; lines above or below that fill one column only stay text."""
    cells = [_cells(row, edges) for row in rows]
    full = [number for number, row in enumerate(cells) if sum(map(bool, row)) > 1]
    first, last = full[0], full[-1]
    pitch = median([rows[b][0].top - rows[a][0].top for a, b in pairwise(full)] or [12.0])
    while (
        last + 1 < len(rows)
        and rows[last + 1][0].top - rows[last][0].top < 1.1 * pitch
        and not cells[last + 1][0]
    ):
        last += 1
    merged: list[list[str]] = []
    for number in range(first, last + 1):
        continues = merged and not cells[number][0]
        if continues and rows[number][0].top - rows[number - 1][0].top < 1.2 * pitch:
            merged[-1] = [
                " ".join(filter(None, pair)) for pair in zip(merged[-1], cells[number], strict=True)
            ]
        else:
            merged.append(cells[number])
    inside = [segment for row in rows[first : last + 1] for segment in row]
    table = Table(
        tuple(map(tuple, merged)),
        min(s.x0 for s in inside),
        max(s.x1 for s in inside),
        min(s.top for s in inside),
        max(s.bottom for s in inside),
    )
    above = [segment for row in rows[:first] for segment in row]
    below = [segment for row in rows[last + 1 :] for segment in row]
    return [*_lines(above, left, right), table, *_lines(below, left, right)]


def _cells(row: list[_Segment], edges: list[float]) -> list[str]:
    cells = [""] * (len(edges) + 1)
    for segment in row:
        column = sum(segment.x0 > edge for edge in edges)
        cells[column] = f"{cells[column]} {segment.text}".strip()
    return cells


def _lines(segments: Sequence[_Segment], left: float, right: float) -> list[Line | Table]:
    items: list[Line | Table] = []
    for row in _rows(segments):
        texts = [segment for segment in row if not segment.table]
        if texts:
            items.append(_line(texts, left, right))
        items.extend(segment.table for segment in row if segment.table)
    return items


def _line(segments: Sequence[_Segment], left: float, right: float) -> Line:
    words = [word for segment in segments for word in segment.words]
    characters = sum(len(word.text) for word in words)
    bold = sum(len(word.text) for word in words if word.bold)
    return Line(
        text=" ".join(segment.text for segment in segments),
        x0=segments[0].x0,
        x1=segments[-1].x1,
        top=min(segment.top for segment in segments),
        bottom=max(segment.bottom for segment in segments),
        size=_usual_size(words),
        bold=bold > 0.9 * characters,
        column=(left, right),
        mono=all(word.mono for word in words),
        marked=len(words) > 1 and bool(_MARKER.match(words[0].text)),
    )


def _usual_size(words: Sequence[Word]) -> float:
    sizes: dict[float, int] = {}
    for word in words:
        sizes[word.size] = sizes.get(word.size, 0) + len(word.text)
    by_length: Callable[[float], int] = sizes.__getitem__
    return max(sizes, key=by_length)
