"""Ruled lines on a PDF page → tables. Pure geometry: y grows downwards, lengths are points."""

from collections.abc import Mapping, Sequence

from knowledge.readers.pdf_cells import TOLERANCE, Cells, Edge, Place
from knowledge.readers.pdf_open_cells import with_undrawn
from knowledge.readers.positioned_text import Table, Word, group_lines, join_words
from knowledge.readers.table_cells import Across, Below, is_number

MAX_CELLS = 20_000
MAX_EDGES = 1_000  # on a page, after joining; beyond it this is a drawing


def ruled_tables(edges: Sequence[Edge], words: Sequence[Word]) -> tuple[list[Table], list[Word]]:
    """The tables that the edges draw, and the words that stand in none of them."""
    edges = joined(edges)
    if not 4 <= len(edges) <= MAX_EDGES:
        return [], list(words)
    tables: list[Table] = []
    rest = list(words)
    groups = [(group, Cells.of(group)) for group in _touching(edges)]
    for group, drawn in sorted(
        groups, key=lambda pair: len(pair[1].xs) < 3
    ):  # tables before frames around them
        inside = [word for word in rest if len(drawn.xs) > 1 and drawn.has(_middle(word), word.middle)]
        lines, places = with_undrawn(group, inside)
        cells = Cells.of(lines)
        if len(cells.xs) < 3 or len(cells.ys) < 2 or len(cells.xs) * len(cells.ys) > MAX_CELLS:
            continue
        rows = _grid(cells, inside, places)
        if sum(bool(any(row)) for row in rows) < 2:
            continue
        chosen = set(map(id, inside))
        rest = [word for word in rest if id(word) not in chosen]
        tables.append(Table(tuple(rows), cells.xs[0], cells.xs[-1], cells.ys[0], cells.ys[-1]))
    return tables, rest


def _middle(word: Word) -> float:
    return (word.x0 + word.x1) / 2


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


def _grid(cells: Cells, words: Sequence[Word], places: Mapping[int, float]) -> list[tuple[str, ...]]:
    """The cells' texts; `places` has the x of words that belong to a column into which they do not reach."""
    held: dict[Place, list[Word]] = {}
    for word in words:
        held.setdefault(cells.at(places.get(id(word), _middle(word)), word.middle), []).append(word)
    grid: list[tuple[str, ...]] = []
    for row, roots in enumerate(cells.roots):
        below = cells.roots[row + 1] if row + 1 < len(cells.roots) else []
        reaches = any(root[0] != row for root in roots) or any(root in roots for root in below)
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
