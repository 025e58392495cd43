"""Words on a PDF page → lines and tables in reading order. Geometry alone: y grows downwards, in points."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import median

from knowledge.readers.pdf_segments import MARKER, Segment, group_rows, join_segments
from knowledge.readers.positioned_text import Line, Table, Word, is_right_to_left, with_brackets

MAX_SEGMENTS = 4_000  # on a page; beyond it the order of the file is kept


def reading_order(words: Sequence[Word], tables: Sequence[Table]) -> list[Line | Table]:
    """The lines and tables of a page as a person reads them: columns one after the other, tables by rows."""
    segments = join_segments(words) + [Segment(table=table) for table in tables]
    if not segments:
        return []
    if len(segments) > MAX_SEGMENTS:
        return [_line([segment], segment.x0, segment.x1) for segment in segments if not segment.table]
    return _order(sorted(segments, key=lambda segment: (segment.top, segment.x0)), depth=0)


def _order(segments: list[Segment], depth: int) -> list[Line | Table]:
    """Peel groups off the top: side by side columns, borderless tables, or single lines."""
    items: list[Line | Table] = []
    gutter = max(5.0, 0.8 * median([segment.size for segment in segments if segment.size] or [10.0]))
    left, right = min(s.x0 for s in segments), max(s.x1 for s in segments)
    plain: list[Segment] = []
    at = 0
    while at < len(segments):
        end, gaps = _widest_group(segments, at, gutter, left, right) if depth < 4 else (at, [])
        if gaps and _is_over_columns(segments, at, end, gaps, gutter, left, right):
            gaps = []
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


def _is_over_columns(
    segments: Sequence[Segment],
    at: int,
    end: int,
    gaps: Sequence[tuple[float, float]],
    gutter: float,
    left: float,
    right: float,
) -> bool:
    """Whether a line is a title of what stands below it: without it the same group has more columns."""
    if at + 1 >= end or segments[at + 1].top < segments[at].bottom:
        return False
    without, more = _widest_group(segments, at + 1, gutter, left, right)
    return without >= end and len(more) > len(gaps)


def _widest_group(
    segments: Sequence[Segment], start: int, gutter: float, left: float, right: float
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


def _divides(group: Sequence[Segment], gap: tuple[float, float]) -> bool:
    """Whether at least three lines on each side keep to it; two are enough for a wide one."""
    before = [segment for segment in group if segment.x1 <= gap[0] + 0.1]
    after = [segment for segment in group if segment.x0 >= gap[1] - 0.1]
    if any(segment.table for segment in (*before, *after)):
        return len(before) >= 1 and len(after) >= 1
    fewest = min(len(group_rows(before)), len(group_rows(after)))
    wide = gap[1] - gap[0] > 2.0 * median(segment.size for segment in group)
    return fewest >= 3 or (fewest == 2 and wide)


def _common_end(
    segments: Sequence[Segment], start: int, end: int, gaps: Sequence[tuple[float, float]]
) -> int:
    """Where the last lines of one column stand apart below all others, they are no part of the columns."""
    edges = [(low + high) / 2 for low, high in gaps]

    def column(segment: Segment) -> int:
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


def _columns(group: list[Segment], gaps: list[tuple[float, float]], depth: int) -> list[Line | Table]:
    edges = sorted((low + high) / 2 for low, high in gaps)
    columns: list[list[Segment]] = [[] for _ in range(len(edges) + 1)]
    for segment in group:
        columns[sum(segment.x0 > edge for edge in edges)].append(segment)
    rows = group_rows(group)
    if parts := _around_a_table(rows, edges):
        return [item for part in parts for item in _order(part, depth + 1)]
    if _is_table(rows, columns, edges):
        return _borderless(rows, edges, min(s.x0 for s in group), max(s.x1 for s in group))
    items: list[Line | Table] = []
    for column in columns:
        if column:
            items.extend(_order(column, depth + 1))
    return items


def _is_table(rows: list[list[Segment]], columns: list[list[Segment]], edges: list[float]) -> bool:
    """Columns of prose fill their width line after line; a table's cells are short and stand in rows."""
    if any(segment.table for row in rows for segment in row):
        return False
    full = sum(len({sum(s.x0 > edge for edge in edges) for s in row}) > 1 for row in rows)
    if full < 2 or full * 5 < len(rows) * 2:
        return False
    return not all(_is_prose(column) for column in columns)


def _around_a_table(rows: list[list[Segment]], edges: list[float]) -> list[list[Segment]]:
    """What stands above a table, in it and below it, where the rest keeps to its first column; else nothing."""

    def places(row: list[Segment]) -> set[int]:
        return {sum(segment.x0 > edge for edge in edges) for segment in row}

    full = [number for number, row in enumerate(rows) if len(places(row)) > 1]
    if len(full) < 3:
        return []
    inside = rows[full[0] : full[-1] + 1]
    outside = [*rows[: full[0]], *rows[full[-1] + 1 :]]
    if not outside or any(places(row) != {0} for row in outside):
        return []
    columns = [
        [s for row in inside for s in row if sum(s.x0 > edge for edge in edges) == place]
        for place in range(len(edges) + 1)
    ]
    if not all(columns) or not _is_table(inside, columns, edges):
        return []
    parts = (rows[: full[0]], inside, rows[full[-1] + 1 :])
    return [sorted((s for row in part for s in row), key=lambda s: (s.top, s.x0)) for part in parts if part]


def _is_prose(column: list[Segment]) -> bool:
    width = max(s.x1 for s in column) - min(s.x0 for s in column)
    rows = group_rows(column)
    fill = median([(row[-1].x1 - row[0].x0) / max(width, 1.0) for row in rows])
    length = median([sum(2 if c > "\u2e80" else 1 for s in row for c in s.text) for row in rows])
    return fill >= 0.7 and length >= 22 and len(rows) >= 3


def _borderless(
    rows: list[list[Segment]], edges: list[float], left: float, right: float
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


def _cells(row: list[Segment], edges: list[float]) -> list[str]:
    cells = [""] * (len(edges) + 1)
    for segment in row:
        column = sum(segment.x0 > edge for edge in edges)
        cells[column] = f"{cells[column]} {segment.text}".strip()
    return cells


def _lines(segments: Sequence[Segment], left: float, right: float) -> list[Line | Table]:
    items: list[Line | Table] = []
    for row in group_rows(segments):
        texts = [segment for segment in row if not segment.table]
        if texts:
            items.append(_line(texts, left, right))
        items.extend(segment.table for segment in row if segment.table)
    return items


def _line(segments: Sequence[Segment], left: float, right: float) -> Line:
    words = [word for segment in segments for word in segment.words]
    characters = sum(len(word.text) for word in words)
    bold = sum(len(word.text) for word in words if word.bold)
    return Line(
        text=_text(segments),
        x0=segments[0].x0,
        x1=segments[-1].x1,
        top=min(segment.top for segment in segments),
        bottom=max(segment.bottom for segment in segments),
        size=_usual_size(words),
        bold=bold > 0.9 * characters,
        column=(left, right),
        mono=all(word.mono for word in words),
        turned=all(word.turned for word in words),
        marked=len(words) > 1 and (bool(MARKER.match(words[0].text)) or any(word.filled for word in words)),
    )


def _text(segments: Sequence[Segment]) -> str:
    texts = [segment.text for segment in segments]
    if not is_right_to_left("".join(texts)):
        return " ".join(texts)
    return with_brackets(" ".join(reversed(texts)))


def _usual_size(words: Sequence[Word]) -> float:
    sizes: dict[float, int] = {}
    for word in words:
        sizes[word.size] = sizes.get(word.size, 0) + len(word.text)
    by_length: Callable[[float], int] = sizes.__getitem__
    return max(sizes, key=by_length)
