"""The vectors of notes and of the questions that ask for them: those of the packaged model, always."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from assistant.lazy import IMPORT_LOCK

if TYPE_CHECKING:
    import numpy as np

    from knowledge.index.embeddings import SentenceEmbeddings


class NoteEncoder:
    """Whatever documents are indexed with, notes are told apart by the model whose threshold was measured."""

    def __init__(self, embeddings: "Callable[[], SentenceEmbeddings]") -> None:
        """`embeddings` is the model of the documents, shared where it is the packaged one."""
        self._of_documents = embeddings
        self._embeddings: SentenceEmbeddings | None = None

    def encode(self, texts: Sequence[str]) -> "np.ndarray":
        """A vector for each text."""
        if self._embeddings is None:
            self._embeddings = self._packaged()
        return self._embeddings.encode(texts)

    def _packaged(self) -> "SentenceEmbeddings":
        with IMPORT_LOCK:
            from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS  # heavy: torch
            from knowledge.index.embeddings import open_embeddings

        shared = self._of_documents()
        return shared if shared.name == DEFAULT_EMBEDDINGS else open_embeddings()
