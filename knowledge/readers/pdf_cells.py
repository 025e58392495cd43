"""Lines on a PDF page → the cells that they bound. Pure geometry: y grows downwards, lengths are points."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

TOLERANCE = 3.0  # lines nearer than this are one

Place = tuple[int, int]  # row and column


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


@dataclass(frozen=True)
class Cells:
    """Between which lines a table has its columns and rows, and for each place the first one of its cell."""

    xs: list[float]
    ys: list[float]
    roots: list[list[Place]]

    @classmethod
    def of(cls, edges: Sequence[Edge]) -> "Cells":
        """Where no line is drawn between two places they are one cell."""
        verticals = [edge for edge in edges if not edge.horizontal]
        horizontals = [edge for edge in edges if edge.horizontal]
        xs, ys = positions(edge.x0 for edge in verticals), positions(edge.top for edge in horizontals)
        rows, columns = max(len(ys) - 1, 0), max(len(xs) - 1, 0)
        owner = {(row, column): (row, column) for row in range(rows) for column in range(columns)}

        def find(cell: Place) -> Place:
            while owner[cell] != cell:
                cell = owner[cell]
            return cell

        for row in range(rows):
            y = (ys[row] + ys[row + 1]) / 2
            drawn = [e.x0 for e in verticals if e.top <= y <= e.bottom]
            for column in range(columns - 1):
                if not any(abs(x - xs[column + 1]) <= TOLERANCE for x in drawn):
                    owner[find((row, column + 1))] = find((row, column))
        for column in range(columns):
            x = (xs[column] + xs[column + 1]) / 2
            drawn = [e.top for e in horizontals if e.x0 <= x <= e.x1]
            for row in range(rows - 1):
                if not any(abs(y - ys[row + 1]) <= TOLERANCE for y in drawn):
                    owner[find((row + 1, column))] = find((row, column))
        return cls(xs, ys, [[find((row, column)) for column in range(columns)] for row in range(rows)])

    def at(self, x: float, y: float) -> Place:
        """The first place of the cell in which a point lies."""
        return self.roots[_between(y, self.ys)][_between(x, self.xs)]

    def has(self, x: float, y: float) -> bool:
        """Whether a point lies within the table."""
        return self.xs[0] <= x <= self.xs[-1] and self.ys[0] <= y <= self.ys[-1]


def positions(values: Iterable[float]) -> list[float]:
    """The places of lines, from the first to the last; those that are nearly one are one."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > TOLERANCE:
            found.append(value)
    return found


def _between(value: float, lines: Sequence[float]) -> int:
    return min(max(sum(line <= value for line in lines) - 1, 0), len(lines) - 2)
