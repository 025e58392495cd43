"""The vectors of notes and of the questions that ask for them, by the models whose amounts were measured."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.lazy import IMPORT_LOCK

if TYPE_CHECKING:
    import numpy as np

    from assistant.notes.matching import Encode
    from knowledge.index.embeddings import SentenceEmbeddings


class NoteEncoder:
    """Whatever documents are indexed with: the packaged model, and where it was fetched the multilingual one."""

    def __init__(self, embeddings: "Callable[[], SentenceEmbeddings]", home: Path | None = None) -> None:
        """`embeddings` is the model of the documents, shared where it is one of the two; `home` has fetched ones."""
        self._of_documents = embeddings
        self._home = home
        self._opened: dict[str, SentenceEmbeddings] = {}

    def encode(self, texts: Sequence[str]) -> "np.ndarray":
        """A vector for each text, by the packaged model, which knows English."""
        with IMPORT_LOCK:
            from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS  # heavy: torch

        return self._of(DEFAULT_EMBEDDINGS).encode(texts)

    def multilingual(self) -> "Encode | None":
        """The same by the model that knows about a hundred languages; None where it was not fetched."""
        with IMPORT_LOCK:
            from knowledge.index.embedding_models import MULTILINGUAL, is_fetched  # heavy: torch

        if self._home is None or not is_fetched(MULTILINGUAL, self._home):
            return None
        return lambda texts: self._of(MULTILINGUAL).encode(texts)

    def _of(self, name: str) -> "SentenceEmbeddings":
        if name not in self._opened:
            with IMPORT_LOCK:
                from knowledge.index.embeddings import open_embeddings  # heavy: torch

            shared = self._of_documents()
            self._opened[name] = shared if shared.name == name else open_embeddings(name, self._home)
        return self._opened[name]
