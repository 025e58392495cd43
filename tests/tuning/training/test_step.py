"""The loss of a step: the divergence from what the base thought, over its likeliest tokens and the rest as one."""

import pytest
import torch

from tuning.models.packing import Encoded
from tuning.training.replay import teacher
from tuning.training.step import divergence, parts


def test_the_divergence_of_a_model_to_itself_is_nothing_and_to_another_is_not() -> None:
    torch.manual_seed(0)
    logits, other = torch.randn(5, 300), torch.randn(5, 300)
    thoughts = teacher(logits)
    assert float(divergence(logits, [thoughts])) == pytest.approx(0, abs=1e-4)
    full = torch.softmax(logits, -1)
    exact = float((full * (full.log() - other.log_softmax(-1))).sum())
    assert 0.4 * exact < float(divergence(other, [thoughts])) <= exact  # lumping the rest can only lose


def test_items_are_packed_in_order_into_parts_of_a_limited_length() -> None:
    items = [
        Encoded(tuple(range(start, start + length)), (length - 1,))
        for start, length in ((0, 6), (90, 5), (50, 20), (7, 4))
    ]
    assert list(parts(items, 12)) == [items[:2], items[2:3], items[3:]]
    assert list(parts([], 12)) == []
