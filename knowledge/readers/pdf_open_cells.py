"""Lines that a table leaves out: between columns and rows that only the places of its words show. Pure geometry.

A region between drawn lines is open where at least two of its lines hold texts in the same columns, with free space
down the whole region between them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from knowledge.readers.pdf_cells import TOLERANCE, Cells, Edge, Place, positions
from knowledge.readers.pdf_segments import Segment, group_rows, join_segments
from knowledge.readers.positioned_text import Word, is_cjk
from knowledge.readers.table_cells import is_number

MAX_WORDS = 5_000  # in one table
_ROUNDS = 2  # what is found in one region may divide those beside it
_CROSSING = 0.05  # of the lines of a region may stand in the space between two columns
_CROSSED = 0.2  # of them may cross a line that is drawn above or below
_WIDEST = 0.5  # of the table: a narrower region is a cell, whatever is in it


@dataclass(frozen=True)
class _Region:
    """What no drawn line divides: one cell of the drawn table, or several of one width below each other."""

    x0: float
    x1: float
    top: float
    bottom: float
    rows: list[list[Segment]]


def with_undrawn(edges: Sequence[Edge], words: Sequence[Word]) -> tuple[list[Edge], dict[int, float]]:
    """The lines of a table and those that it leaves out; and by id the x of words that reach out of their column."""
    edges, places = list(edges), dict[int, float]()
    if not words or len(words) > MAX_WORDS:
        return edges, places
    for _ in range(_ROUNDS):
        cells = Cells.of(edges)
        if len(cells.xs) < 2 or len(cells.ys) < 2:
            break
        edges += _across_corners(cells, words)
        cells = Cells.of(edges)
        found = list(_undrawn(cells, words, places))
        if not found:
            break
        edges += found
    cells = Cells.of(edges)
    if places:
        edges += _names_apart(cells, words)
    return edges, places


def _undrawn(cells: Cells, words: Sequence[Word], places: dict[int, float]) -> Iterator[Edge]:
    """The lines of every open region; where one of them is divided the others are, if there is space."""
    xs = list(cells.xs)
    for region in sorted(_regions(cells, words), key=lambda region: -len(region.rows)):
        edges = _divided(region, cells, xs, words, places)
        xs += [edge.x0 for edge in edges if not edge.horizontal]
        yield from edges


def _across_corners(cells: Cells, words: Sequence[Word]) -> list[Edge]:
    """Lines where a region grows wider or narrower: a merged cell is a rectangle, and this is none."""
    found: list[Edge] = []
    taken: dict[Place, list[set[int]]] = {}
    for row, roots in enumerate(cells.roots):
        for column, root in enumerate(roots):
            bands = taken.setdefault(root, [set() for _ in cells.roots])
            bands[row].add(column)
    for bands in taken.values():
        for row, (above, below) in enumerate(pairwise(bands), start=1):
            if above and below and above != below and not _crosses(cells.ys[row], words):
                shared = above | below
                x0, x1 = cells.xs[min(shared)], cells.xs[max(shared) + 1]
                found.append(Edge(x0, cells.ys[row], x1, cells.ys[row]))
    return found


def _crosses(y: float, words: Sequence[Word]) -> bool:
    return any(word.top + 0.2 * word.size < y < word.bottom - 0.2 * word.size for word in words)


def _regions(cells: Cells, words: Sequence[Word]) -> list[_Region]:
    """The cells of the drawn table with their words; those of one width that follow each other together."""
    held: dict[Place, list[Word]] = {}
    for word in words:
        held.setdefault(cells.at((word.x0 + word.x1) / 2, word.middle), []).append(word)
    boxes: dict[Place, tuple[int, int, int, int]] = {}
    for row, roots in enumerate(cells.roots):
        for column, root in enumerate(roots):
            left, right, top, bottom = boxes.get(root, (column, column, row, row))
            boxes[root] = min(left, column), max(right, column), min(top, row), max(bottom, row)
    joined: list[tuple[tuple[int, int, int, int], list[Word]]] = []
    for root, (left, right, top, bottom) in sorted(boxes.items(), key=lambda item: (item[1][0], item[1][2])):
        inside = held.get(root, [])
        last = joined[-1][0] if joined else None
        if last and last[:2] == (left, right) and last[3] + 1 == top:
            joined[-1] = ((left, right, last[2], bottom), [*joined[-1][1], *inside])
        else:
            joined.append(((left, right, top, bottom), inside))
    width = _WIDEST * (cells.xs[-1] - cells.xs[0])
    return [
        _Region(cells.xs[left], cells.xs[right + 1], cells.ys[top], cells.ys[bottom + 1], _rows(inside))
        for (left, right, top, bottom), inside in joined
        if inside and cells.xs[right + 1] - cells.xs[left] >= width
    ]


def _rows(words: Sequence[Word]) -> list[list[Segment]]:
    return group_rows(join_segments(words))


def _divided(
    region: _Region, cells: Cells, xs: Sequence[float], words: Sequence[Word], places: dict[int, float]
) -> list[Edge]:
    """The lines that an open region leaves out; none for a cell."""
    gaps = _gaps(region)
    if not _is_open(region, gaps):
        return []
    inner = positions(x for at in range(len(gaps)) for x in _lines_within(gaps, at, region, xs))
    bounds = [region.x0, *inner, region.x1]
    for segment in (segment for row in region.rows for segment in row):
        places |= {id(word): _column_of(segment, bounds) for word in segment.words}
    sides = _sides(region, cells, words)
    rows = group_rows([*(s for row in region.rows for s in row), *join_segments(sides)])
    return [
        *(Edge(x, region.top, x, region.bottom) for x in inner),
        *_between_records(rows, bounds, region, cells),
    ]


def _between_records(
    rows: Sequence[Sequence[Segment]], bounds: Sequence[float], region: _Region, cells: Cells
) -> Iterator[Edge]:
    """A line below each record, through the region and what stands at its sides."""
    columns = [{_column_of(segment, bounds) for segment in row} for row in rows]
    first, last = min(row[0].x0 for row in rows), max(row[-1].x1 for row in rows)
    left = max((x for x in cells.xs if x <= first + TOLERANCE), default=region.x0)
    right = min((x for x in cells.xs if x >= last - TOLERANCE), default=region.x1)
    usual = _usual_distance([row for row, own in zip(rows, columns, strict=True) if len(own) > 1])
    record = columns[0]
    for at, (upper, lower) in enumerate(pairwise(rows), start=1):
        near = lower[0].bottom - upper[0].bottom < 0.95 * usual
        if near and _goes_on(lower, record, columns[at]):
            continue
        record = columns[at]
        y = _level_between(upper, lower, cells.ys)
        yield Edge(left, y, right, y)


def _usual_distance(rows: Sequence[Sequence[Segment]]) -> float:
    return median([lower[0].bottom - upper[0].bottom for upper, lower in pairwise(rows)] or [0.0])


def _sides(region: _Region, cells: Cells, words: Sequence[Word]) -> list[Word]:
    """The words of cells beside an open region that hold several lines: labels of its records."""
    held: dict[Place, list[Word]] = {}
    for word in words:
        middle = (word.x0 + word.x1) / 2
        beside = not region.x0 <= middle <= region.x1
        if beside and region.top <= word.middle <= region.bottom:
            held.setdefault(cells.at(middle, word.middle), []).append(word)
    return [word for inside in held.values() if len(_rows(inside)) > 1 for word in inside]


def _gaps(region: _Region) -> list[tuple[float, float]]:
    """Strips of the region in which nearly no line has text, from the left; the margins are the first and the last."""
    changes: list[tuple[float, int]] = []
    for row in region.rows:
        for segment in row:
            changes += [(segment.x0, 1), (segment.x1, -1)]
    allowed = int(_CROSSING * len(region.rows))
    gaps: list[tuple[float, float]] = []
    start, depth = region.x0, 0
    for x, change in sorted(changes):
        if depth <= allowed < depth + change:
            gaps.append((start, x))
        elif depth + change <= allowed < depth:
            start = x
        depth += change
    return [*gaps, (start, region.x1)]


def _is_open(region: _Region, gaps: Sequence[tuple[float, float]]) -> bool:
    inner = [gap for gap in gaps[1:-1] if gap[1] - gap[0] >= 0.6 * _size(region)]
    if not inner or len(region.rows) < 2:
        return False
    edges = [(low + high) / 2 for low, high in inner]
    full = sum(len({sum(s.x0 > edge for edge in edges) for s in row}) > 1 for row in region.rows)
    return full >= 2 and full * 5 >= len(region.rows) * 2 and not _is_prose(region, edges)


def _is_prose(region: _Region, edges: Sequence[float]) -> bool:
    """Whether every column is text that fills its width line after line."""
    for number in range(len(edges) + 1):
        inside = [s for row in region.rows for s in row if sum(s.x0 > edge for edge in edges) == number]
        length = median([sum(2 if is_cjk(c) else 1 for c in s.text) for s in inside]) if inside else 0
        if length < 22:
            return False
    return True


def _size(region: _Region) -> float:
    return median(segment.size for row in region.rows for segment in row)


def _lines_within(
    gaps: Sequence[tuple[float, float]], number: int, region: _Region, xs: Sequence[float]
) -> list[float]:
    """Where a space between texts is divided: at lines drawn elsewhere in the table, or in its middle.

    A line that a few texts cross counts as well, where the space between the others goes on beside it.
    """
    low, high = gaps[number]
    drawn = [x for x in xs if region.x0 + TOLERANCE < x < region.x1 - TOLERANCE]
    within = [x for x in drawn if low - TOLERANCE <= x <= high + TOLERANCE]
    if within or number in (0, len(gaps) - 1):
        return within
    near = [x for x in drawn if gaps[number - 1][1] < x < gaps[number + 1][0] and _is_mostly_free(x, region)]
    return [min(near, key=lambda x: min(abs(x - low), abs(x - high)), default=(low + high) / 2)]


def _is_mostly_free(x: float, region: _Region) -> bool:
    crossing = sum(any(s.x0 < x < s.x1 for s in row) for row in region.rows)
    return crossing <= _CROSSED * len(region.rows)


def _column_of(segment: Segment, bounds: Sequence[float]) -> float:
    """The middle of the column in which most of a text stands."""
    left, right = max(pairwise(bounds), key=lambda pair: min(segment.x1, pair[1]) - max(segment.x0, pair[0]))
    return (left + right) / 2


def _goes_on(row: Sequence[Segment], record: set[float], columns: set[float]) -> bool:
    """Whether a line is the rest of a record: words of one of its columns, and nothing else."""
    return (
        len(columns) == 1 and len(record) > 1 and columns < record and not any(is_number(s.text) for s in row)
    )


def _level_between(upper: Sequence[Segment], lower: Sequence[Segment], ys: Sequence[float]) -> float:
    low, high = max(segment.bottom for segment in upper), min(segment.top for segment in lower)
    return next((y for y in ys if low - TOLERANCE < y < high + TOLERANCE), (low + high) / 2)


def _names_apart(cells: Cells, words: Sequence[Word]) -> list[Edge]:
    """Lines through a cell of one line whose texts stand over columns that were found below or above it."""
    held: dict[Place, list[Word]] = {}
    for word in words:
        held.setdefault(cells.at((word.x0 + word.x1) / 2, word.middle), []).append(word)
    found: list[Edge] = []
    for (row, column), inside in held.items():
        rows = _rows(inside)
        last = max(at for at, root in enumerate(cells.roots[row]) if root == (row, column))
        if len(rows) != 1 or len(rows[0]) < 2 or last == column:
            continue
        region = _Region(cells.xs[column], cells.xs[last + 1], cells.ys[row], cells.ys[row + 1], rows)
        gaps = _gaps(region)
        lines = [_lines_within(gaps, at, region, cells.xs) for at in range(len(gaps))]
        if all(any(abs(x - line) <= TOLERANCE for x in cells.xs) for one in lines[1:-1] for line in one):
            found += [Edge(x, region.top, x, region.bottom) for one in lines for x in one]
    return found
