"""What is computed at once comes back in order, errors included; groups of about the same cost."""

import threading
from collections.abc import Iterator

import pytest
import torch

from tuning.ops.parallel import ComputeThreads, balanced


@pytest.fixture
def threads() -> Iterator[ComputeThreads]:
    cores = torch.get_num_threads()
    torch.set_num_threads(2)
    made = ComputeThreads()
    yield made
    made.close()
    torch.set_num_threads(cores)


def test_items_are_computed_at_once_each_with_its_share_of_the_cores(threads: ComputeThreads) -> None:
    met = threading.Barrier(2, timeout=20)  # one after the other would never meet

    def meet(item: int) -> tuple[int, int]:
        met.wait()
        return item, torch.get_num_threads()

    assert threads.map(meet, [7, 8]) == [(7, 1), (8, 1)]
    assert torch.get_num_threads() == 2


def test_one_item_has_all_cores(threads: ComputeThreads) -> None:
    assert threads.map(lambda item: (item, torch.get_num_threads()), [7]) == [(7, 2)]


def test_an_error_in_a_thread_is_raised_and_the_cores_come_back(threads: ComputeThreads) -> None:
    def fail(item: int) -> int:
        raise ValueError(item)

    with pytest.raises(ValueError, match="7"):
        threads.map(fail, [7, 8])
    assert torch.get_num_threads() == 2


def test_groups_cost_about_the_same_and_keep_their_order() -> None:
    assert balanced("abcdef", [5, 1, 4, 2, 3, 1], 2) == [["a", "b", "d"], ["c", "e", "f"]]
    assert balanced("ab", [1, 1], 3) == [["a"], ["b"]]
    assert balanced("", [], 2) == []
