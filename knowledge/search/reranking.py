"""Optional reranking by a cross-encoder, which reads question and passage together: better than vectors, slower."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from knowledge.errors import StoreError
from knowledge.index.embedding_models import (
    UNREADABLE,
    Reads,
    Trusts,
    fast_dtype,
    is_trusted,
    no_progress_bar,
    nobody,
    reason,
)

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

# The choices offered, of a hub, smallest first, as `EMBEDDINGS`. The folder of any other can be given as well.
RERANKERS: dict[str, tuple[Reads, int]] = {
    "cross-encoder/ms-marco-MiniLM-L6-v2": ("english", 23),
    "BAAI/bge-reranker-base": ("english_chinese", 278),
    "BAAI/bge-reranker-v2-m3": ("many", 568),
}


class Reranker(Protocol):
    """Scores passages for a question."""

    def score(self, question: str, texts: Sequence[str]) -> np.ndarray: ...


class CrossEncoderReranker:
    """A sentence-transformers cross-encoder from a folder or a hub; loaded at the first question."""

    def __init__(self, model: str, device: str = "cpu", trusts: Trusts = nobody) -> None:
        self.name = model
        self._device = device
        self._trusts = trusts
        self._model: CrossEncoder | None = None
        self._lock = threading.Lock()

    def score(self, question: str, texts: Sequence[str]) -> np.ndarray:
        """How well each text answers the question; higher is better, the scale is the model's own."""
        with self._lock:
            if self._model is None:
                self._model = self._load()
            scores = self._model.predict([(question, text) for text in texts], show_progress_bar=False)
        judged: np.ndarray = np.asarray(scores, dtype=np.float32).reshape(len(texts), -1)[:, -1]
        return judged

    def _load(self) -> "CrossEncoder":
        from sentence_transformers import CrossEncoder  # takes seconds to import

        try:
            with no_progress_bar():
                return CrossEncoder(
                    self.name,
                    device=self._device,
                    trust_remote_code=is_trusted(self.name, self._trusts),
                    local_files_only=Path(self.name).is_dir(),
                    model_kwargs={"dtype": fast_dtype(self._device), "use_safetensors": True},
                )
        except UNREADABLE as error:
            raise StoreError(
                f"The reranker {self.name!r} cannot be opened ({reason(self.name, error)}). Give the folder of a "
                "cross-encoder, or go without one."
            ) from error
