"""Parts of a training step computed in parallel threads on a CPU, each with its own share of the cores.

A product of some hundred rows gains little from a second core, and what lies between the products less; two parts
in parallel gain both. Torch releases the GIL inside its operators, so threads are enough. Knows no model.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_MAX_THREADS = 4


class ComputeThreads:
    """Threads that share torch's cores. With a count of one, the calling thread computes with all cores."""

    def __init__(self, count: int | None = None) -> None:
        self._cores = torch.get_num_threads()
        self.count = min(count or _MAX_THREADS, self._cores)
        self._cores_each = self._cores // self.count
        # OpenMP keeps a number of cores for each thread, so each has to set its own.
        self._pool = ThreadPoolExecutor(self.count, "compute", torch.set_num_threads, (self._cores_each,))

    def map(self, function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
        """What the function makes of each item, in their order; raises what the first of them raises."""
        if self.count == 1 or len(items) < 2:
            return [function(item) for item in items]
        torch.set_num_threads(self._cores_each)  # MKL keeps one number for all threads
        try:
            return list(self._pool.map(function, items))
        finally:
            torch.set_num_threads(self._cores)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def balanced(items: Sequence[_Item], costs: Sequence[float], count: int) -> list[list[_Item]]:
    """The items in at most `count` groups of about the same cost, their order kept in each.

    The costliest item goes first, always into the cheapest group (Graham 1969).
    """
    groups: list[list[int]] = [[] for _ in range(count)]
    totals = [0.0] * count
    for place in sorted(range(len(items)), key=lambda place: -costs[place]):
        cheapest = totals.index(min(totals))
        groups[cheapest].append(place)
        totals[cheapest] += costs[place]
    return [[items[place] for place in sorted(group)] for group in groups if group]
