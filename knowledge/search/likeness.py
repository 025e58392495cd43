"""How surely a question–answer pair answers a question, by vectors that were tuned to tell (a bi-encoder).

An embedding model holds two texts on one subject to be alike, whatever they ask of it. Here its own weights, with a
low-rank change (`likeness/`, made by `benchmarks/answerability`), put a question near the pair that answers it and away
from the pairs beside it: the packaged model for English, the multilingual one for Chinese. A vector is made once for
each text, and can be kept.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from knowledge.index.embedding_models import (
    DEFAULT_EMBEDDINGS,
    MULTILINGUAL,
    fetched_folder,
    packaged_folder,
)
from knowledge.search.low_rank import TunedEncoder

Language = Literal["en", "zh"]
ADAPTERS = Path(__file__).with_name("likeness")  # a folder for each language
MAX_TOKENS = 128  # of a text; a longer one is cut
PREFIXES: dict[Language, str] = {"en": "", "zh": "query: "}  # which the models were trained with
_SCALE, _OFFSET = "scale", "offset"


def encoder_folder(language: Language, home: Path | None) -> Path:
    """Where the model for a language lies. Raises StoreError."""
    return packaged_folder(DEFAULT_EMBEDDINGS) if language == "en" else fetched_folder(MULTILINGUAL, home)


class Likeness:
    """Vectors of questions and pairs. Loaded at the first text; safe between threads."""

    def __init__(self, language: Language, home: Path | None = None, device: str | None = None) -> None:
        """`home` has the multilingual model, which Chinese needs."""
        self._prefix = PREFIXES[language]
        self._encoder = TunedEncoder(
            lambda: encoder_folder(language, home), ADAPTERS / language, (_SCALE, _OFFSET), device
        )

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, float32 [texts, dimension]. Raises StoreError."""
        pooled = self._encoder.pooled([(f"{self._prefix}{text}",) for text in texts], MAX_TOKENS)
        return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True))

    def log_odds(self, cosines: np.ndarray) -> np.ndarray:
        """What the cosines of a question's vector and those of pairs say. Raises StoreError."""
        return np.asarray(cosines * self._encoder.besides(_SCALE) + self._encoder.besides(_OFFSET))
