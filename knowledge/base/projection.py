"""A map of passages in two dimensions: the two directions in which their vectors differ most (PCA)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_POINTS = 5000  # a page draws no more; beyond, an even sample
FIT_SAMPLE = 2000


@dataclass(frozen=True)
class MapPoint:
    """One passage on the map."""

    passage_id: str
    document_id: str
    title: str
    text: str  # its beginning
    x: float  # -1 to 1
    y: float


@dataclass(frozen=True)
class Projection:
    """Two axes; places any vector of the same model on the same map."""

    mean: np.ndarray
    axes: np.ndarray  # [2, dimension]
    scale: float

    def place(self, vectors: np.ndarray) -> np.ndarray:
        """[n, 2], most of it within -1 to 1."""
        if not len(vectors) or not self.mean.size:
            return np.zeros((len(vectors), 2))
        return np.asarray((vectors - self.mean) @ self.axes.T / self.scale)


def project(vectors: np.ndarray | Sequence[Sequence[float]]) -> Projection:
    """The map of these vectors. The same vectors give the same map, signs included."""
    points = np.asarray(vectors, dtype=np.float64)
    if not len(points):
        return Projection(np.zeros(0), np.zeros((2, 0)), 1.0)
    sample = points[:: max(1, len(points) // FIT_SAMPLE)]
    mean = sample.mean(axis=0)
    _, _, directions = np.linalg.svd(sample - mean, full_matrices=False)
    axes = np.zeros((2, points.shape[1]))
    axes[: min(2, len(directions))] = directions[:2]
    for axis in axes:
        axis *= 1.0 if axis[np.abs(axis).argmax()] >= 0 else -1.0
    spread = np.abs((points - mean) @ axes.T).max()
    return Projection(mean, axes, float(spread) or 1.0)
