"""Ruled lines on a PDF page → tables. Pure geometry: y grows downwards, lengths are points."""

from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.readers.positioned_text import Table, Word, group_lines, join_words
from knowledge.readers.tables import Across, Below, is_number

TOLERANCE = 3.0  # lines nearer than this are one
MAX_EDGES = 1_000  # on a page, after joining; beyond it this is a drawing


@dataclass(frozen=True)
class Edge:
    """A straight line from (x0, top) to (x1, bottom); one of the two directions has no length."""

    x0: float
    top: float
    x1: float
    bottom: float

    @property
    def horizontal(self) -> bool:
        """Whether it separates rows."""
        return self.x1 - self.x0 > self.bottom - self.top


def ruled_tables(edges: Sequence[Edge], words: Sequence[Word]) -> tuple[list[Table], list[Word]]:
    """The tables that the edges draw, and the words that stand in none of them."""
    edges = joined(edges)
    if not 4 <= len(edges) <= MAX_EDGES:
        return [], list(words)
    tables: list[Table] = []
    rest = list(words)
    for group in _touching(edges):
        xs = _positions([x for edge in group if not edge.horizontal for x in (edge.x0,)])
        ys = _positions([y for edge in group if edge.horizontal for y in (edge.top,)])
        if len(xs) < 3 or len(ys) < 2 or len(xs) * len(ys) > 20_000:
            continue
        inside = [word for word in rest if _between(word, xs, ys)]
        rows = _grid(group, xs, ys, inside)
        if sum(bool(any(row)) for row in rows) < 2:
            continue
        chosen = set(map(id, inside))
        rest = [word for word in rest if id(word) not in chosen]
        tables.append(Table(tuple(rows), xs[0], xs[-1], ys[0], ys[-1]))
    return tables, rest


def joined(edges: Sequence[Edge]) -> list[Edge]:
    """Edges on one line that touch, as one: many files draw the four sides of every cell."""
    lines: dict[tuple[bool, int], list[tuple[float, float, float]]] = {}
    for edge in edges:
        if edge.horizontal:
            lines.setdefault((True, round(edge.top)), []).append((edge.x0, edge.x1, edge.top))
        else:
            lines.setdefault((False, round(edge.x0)), []).append((edge.top, edge.bottom, edge.x0))
    result: list[Edge] = []
    for (horizontal, _), parts in lines.items():
        parts.sort()
        start, end, place = parts[0]
        for first, last, _ in [*parts[1:], (float("inf"), 0.0, 0.0)]:
            if first <= end + TOLERANCE:
                end = max(end, last)
                continue
            result.append(Edge(start, place, end, place) if horizontal else Edge(place, start, place, end))
            start, end = first, last
    return result


def _touching(edges: Sequence[Edge]) -> list[list[Edge]]:
    """Edges in groups that are connected."""
    parents = list(range(len(edges)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    order = sorted(range(len(edges)), key=lambda number: edges[number].top)
    for place, first in enumerate(order):
        a = edges[first]
        for second in order[place + 1 :]:
            b = edges[second]
            if b.top > a.bottom + TOLERANCE:
                break
            if b.x0 <= a.x1 + TOLERANCE and b.x1 >= a.x0 - TOLERANCE:
                parents[root(second)] = root(first)
    groups: dict[int, list[Edge]] = {}
    for number, edge in enumerate(edges):
        groups.setdefault(root(number), []).append(edge)
    return [group for group in groups.values() if len(group) >= 4]


def _positions(values: list[float]) -> list[float]:
    positions: list[float] = []
    for value in sorted(values):
        if not positions or value - positions[-1] > TOLERANCE:
            positions.append(value)
    return positions


def _between(word: Word, xs: list[float], ys: list[float]) -> bool:
    middle = (word.x0 + word.x1) / 2
    return xs[0] <= middle <= xs[-1] and ys[0] <= word.middle <= ys[-1]


def _grid(
    edges: Sequence[Edge], xs: list[float], ys: list[float], words: Sequence[Word]
) -> list[tuple[str, ...]]:
    """The cells' texts; where no line is drawn between two cells they are one."""
    columns, rows = len(xs) - 1, len(ys) - 1
    owner = {(row, column): (row, column) for row in range(rows) for column in range(columns)}

    def find(cell: tuple[int, int]) -> tuple[int, int]:
        while owner[cell] != cell:
            cell = owner[cell]
        return cell

    verticals = [edge for edge in edges if not edge.horizontal]
    horizontals = [edge for edge in edges if edge.horizontal]
    for row in range(rows):
        y = (ys[row] + ys[row + 1]) / 2
        for column in range(columns - 1):
            x = xs[column + 1]
            if not any(abs(e.x0 - x) <= TOLERANCE and e.top <= y <= e.bottom for e in verticals):
                owner[find((row, column + 1))] = find((row, column))
    for column in range(columns):
        x = (xs[column] + xs[column + 1]) / 2
        for row in range(rows - 1):
            y = ys[row + 1]
            if not any(abs(e.top - y) <= TOLERANCE and e.x0 <= x <= e.x1 for e in horizontals):
                owner[find((row + 1, column))] = find((row, column))
    held: dict[tuple[int, int], list[Word]] = {}
    for word in words:
        cell = (_place(word.middle, ys), _place((word.x0 + word.x1) / 2, xs))
        held.setdefault(find(cell), []).append(word)
    grid: list[tuple[str, ...]] = []
    for row in range(rows):
        roots = [find((row, column)) for column in range(columns)]
        reaches = any(root[0] != row for root in roots) or (
            row + 1 < rows and any(find((row + 1, column)) in roots for column in range(columns))
        )
        band = [held.get(root, []) for root in roots]
        if not reaches and (records := _records(band, roots)):
            grid.extend(records)
        else:
            grid.append(_cells(band, roots, row))
    return [row for row in grid if any(row)]


def _cells(band: Sequence[Sequence[Word]], roots: Sequence[tuple[int, int]], row: int) -> tuple[str, ...]:
    cells: list[str] = []
    for column, (words, root) in enumerate(zip(band, roots, strict=True)):
        text = join_words(words)
        if column and roots[column - 1] == root:
            cells.append(Across(text))
        else:
            cells.append(text if root[0] == row else Below(text))
    return tuple(cells)


def _records(
    band: Sequence[Sequence[Word]], roots: Sequence[tuple[int, int]]
) -> list[tuple[str, ...]] | None:
    """The lines between two rules as rows, where columns have something on each and one of them numbers.

    Where at least two columns have, others may have gaps.
    """
    if len(set(roots)) < len(roots):
        return None
    columns = [group_lines(words) for words in band]
    count = max(map(len, columns))
    whole = [lines for lines in columns if len(lines) == count]
    if count < 2 or len(whole) < 2:
        return None
    levels = [[line[0].middle for line in lines] for lines in zip(*whole, strict=True)]
    size = whole[0][0][0].size
    if any(max(middles) - min(middles) > 0.5 * size for middles in levels):
        return None
    numeric = any(all(is_number(join_words(line)) for line in lines) for lines in whole)
    complete = all(len(lines) in (0, count) for lines in columns)
    if not numeric and (not complete or count < 3 or len(whole) < 3):
        return None  # cells whose text is broken into as many lines
    placed = [_on_levels(lines, [middles[0] for middles in levels], 0.5 * size) for lines in columns]
    if any(lines is None for lines in placed):
        return None
    return [tuple(join_words(lines[number]) for lines in placed if lines) for number in range(count)]


def _on_levels(
    lines: Sequence[list[Word]], levels: Sequence[float], nearest: float
) -> list[list[Word]] | None:
    """The lines of a column at their places among so many; None where one stands between two of them."""
    places: list[list[Word]] = [[] for _ in levels]
    for line in lines:
        place = min(range(len(levels)), key=lambda at: abs(levels[at] - line[0].middle))
        if abs(levels[place] - line[0].middle) > nearest or places[place]:
            return None
        places[place] = line
    return places


def _place(value: float, positions: list[float]) -> int:
    return min(max(sum(position <= value for position in positions) - 1, 0), len(positions) - 2)
