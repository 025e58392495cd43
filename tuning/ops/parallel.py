"""The parts of a training step computed at once on a CPU, each by its own share of the cores.

A product of some hundred rows gains little from a second core, and what lies between the products less; two parts
at once gain both. Torch lets go of Python's lock inside its operators, so threads are enough. Knows no model.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")
_MOST = 4


class Lanes:
    """Threads that compute at once. One lane is the thread that asks, with all cores."""

    def __init__(self, count: int | None = None) -> None:
        self._cores = torch.get_num_threads()
        self.count = min(count or _MOST, self._cores)
        self._each = self._cores // self.count
        # OpenMP keeps a count of threads for each thread that asks it.
        self._pool = ThreadPoolExecutor(self.count, "lane", torch.set_num_threads, (self._each,))

    def map(self, function: Callable[[_Item], _Found], items: Sequence[_Item]) -> list[_Found]:
        """What the function makes of each item, in their order; raises what the first of them raises."""
        if self.count == 1 or len(items) < 2:
            return [function(item) for item in items]
        torch.set_num_threads(self._each)  # MKL keeps one count for all
        try:
            return list(self._pool.map(function, items))
        finally:
            torch.set_num_threads(self._cores)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def spread(items: Sequence[_Item], costs: Sequence[float], count: int) -> list[list[_Item]]:
    """The items in so many groups of about the same cost (longest first, Graham 1969), their order kept in each."""
    groups: list[list[int]] = [[] for _ in range(count)]
    totals = [0.0] * count
    for place in sorted(range(len(items)), key=lambda place: -costs[place]):
        lightest = totals.index(min(totals))
        groups[lightest].append(place)
        totals[lightest] += costs[place]
    return [[items[place] for place in sorted(group)] for group in groups if group]
