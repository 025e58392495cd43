"""The rows of an RTF table → a full grid. Lengths bound their cells, so that a row may have fewer than others."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from knowledge.readers.table_cells import Across, Row, spread

_NEAR = 100  # twentieths of a point: edges nearer than this are one


@dataclass
class RowShape:
    """What a file says of the cells of a row: their right edges, and which are merged."""

    edges: list[int] = field(default_factory=list)
    merges: list[set[str]] = field(default_factory=list)
    is_header: bool = False
    _next: set[str] = field(default_factory=set)

    def add(self, word: str, number: int) -> None:
        """One of the words between `trowd` and `row`."""
        if word == "cellx":
            self.edges.append(number)
            self.merges.append(self._next)
            self._next = set()
        elif word == "trhdr":
            self.is_header = True
        else:
            self._next.add(word)

    def merge(self, at: int) -> set[str]:
        """How a cell is merged with others."""
        return self.merges[at] if at < len(self.merges) else set()


@dataclass(frozen=True)
class WrittenRow:
    """The texts of a row's cells, and their shape."""

    cells: Sequence[str]
    shape: RowShape


def header_rows(rows: Iterable[WrittenRow]) -> int | None:
    """How many rows at the top repeat on every page; None when none says so."""
    height = 0
    for row in rows:
        if not row.shape.is_header:
            break
        height += 1
    return height or None


def grid(rows: Sequence[WrittenRow]) -> list[Row]:
    """The cells as a full grid: the places that a merged cell covers are marked."""
    edges = _edges(rows)
    result: list[Row] = []
    for row in rows:
        texts: Row = []
        above = result[-1] if result else []
        own = ""  # the text of the cell that the next ones may continue
        for at, text in enumerate(row.cells):
            merge = row.shape.merge(at)
            width = _width(row.shape, at, edges, len(texts))
            if "clmrg" in merge and at and text in ("", own):
                texts += [Across(own)] * width
                continue
            continued = "clvmrg" in merge and not text
            own = str(above[len(texts)]) if continued and len(texts) < len(above) else text
            texts += spread(own, width, continued and bool(own))
        result.append(texts)
    return result


def _edges(rows: Sequence[WrittenRow]) -> list[int]:
    """The right edges of all columns; none where every row has as many cells, which then are the columns."""
    if len({len(row.cells) for row in rows}) < 2:
        return []
    found: list[int] = []
    for edge in sorted({edge for row in rows for edge in row.shape.edges[: len(row.cells)]}):
        if not found or edge - found[-1] > _NEAR:
            found.append(edge)
    return found


def _width(shape: RowShape, at: int, edges: Sequence[int], before: int) -> int:
    """How many columns a cell covers, behind so many that are taken."""
    if at >= len(shape.edges) or not edges:
        return 1
    return max(bisect_right(edges, shape.edges[at] + _NEAR) - before, 1)
