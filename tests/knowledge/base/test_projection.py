"""The map of passages."""

import numpy as np
import pytest

from knowledge.base.projection import project


def test_the_map_is_the_same_each_time_and_puts_the_alike_together() -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat(rng.normal(size=(2, 16)), 5, axis=0)
    vectors = centres + 0.01 * rng.normal(size=(10, 16))
    points = project(vectors).place(vectors)
    assert np.array_equal(points, project(vectors).place(vectors))
    assert np.abs(points).max() <= 1.0 + 1e-9
    assert abs(points[:5, 0].mean() - points[5:, 0].mean()) > 10 * points[:5, 0].std()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_map_of_hardly_anything_is_drawn_too(count: int) -> None:
    vectors = np.eye(4)[:count]
    assert project(vectors).place(vectors).shape == (count, 2)
