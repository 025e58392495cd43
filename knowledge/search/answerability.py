"""Whether a text answers a question, judged by reading both together (a cross-encoder).

An embedding model compares two vectors that were made apart, so "Who manages the radio?" and "Who founded the radio?"
are alike to it. Here the packaged one's own weights, with a low-rank change that was tuned for this (`judge/`, made by
`benchmarks/answerability`), read the question and a short text as one input. It knows English.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS, packaged_folder
from knowledge.search.low_rank import TunedEncoder

ADAPTER = Path(__file__).with_name("judge")
MAX_PAIR_TOKENS = 256  # of a question and a text; the longer of the two is cut
_WEIGHT, _BIAS = "classifier.weight", "classifier.bias"  # it judges each token; their mean is the score


class Answerability:
    """Scores texts for a question. Loaded at the first score; safe between threads."""

    def __init__(self, device: str | None = None) -> None:
        self._encoder = TunedEncoder(
            lambda: packaged_folder(DEFAULT_EMBEDDINGS), ADAPTER, (_WEIGHT, _BIAS), device
        )

    def score(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """For each text the log-odds that it answers the question, float32 [texts]. Raises StoreError."""
        if not texts:
            return np.zeros(0, dtype=np.float32)
        pooled = self._encoder.pooled([(question, text) for text in texts], MAX_PAIR_TOKENS)
        return np.asarray(pooled @ self._encoder.besides(_WEIGHT)[0] + self._encoder.besides(_BIAS))
