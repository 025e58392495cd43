"""The vectors that find notes, and what tells by them which note answers a question."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.language.text import has_chinese
from assistant.lazy import IMPORT_LOCK
from assistant.notes.far_words import UNREAD, Judge, as_text, is_latin

if TYPE_CHECKING:
    from assistant.notes.matching import Encode
    from knowledge.index.embeddings import SentenceEmbeddings
    from knowledge.search.likeness import Language, Likeness
    from tuning.data.examples import Example

# The amounts of a judge in their order, chosen on the development domains: docs/memory-log.md.
_AMOUNTS: "dict[Language, tuple[float, float, float, float]]" = {
    "en": (3.5, 4.0, -5.0, 0.0),
    "zh": (2.0, 3.0, -5.0, -2.0),
}
MAX_VECTORS = 20_000


class VectorCache:
    """An encoder that keeps the vectors of the texts that it was asked for last. Safe between threads."""

    def __init__(self, encode: "Encode") -> None:
        self._encode = encode
        self._vectors: OrderedDict[str, np.ndarray] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """A unit vector for each text [texts, dimension]."""
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
            if missing:
                self._vectors |= dict(zip(missing, self._encode(missing), strict=True))
            rows = np.stack([self._vectors[text] for text in texts])
            while len(self._vectors) > MAX_VECTORS:
                self._vectors.popitem(last=False)
        return rows


class NoteEncoder:
    """What notes are compared with: the packaged model's vectors, and vectors that were tuned to tell lessons apart.

    English needs nothing else; Chinese the multilingual model, where it was fetched. Vectors are kept in memory. Safe
    between threads.
    """

    def __init__(self, embeddings: "Callable[[], SentenceEmbeddings]", home: Path | None = None) -> None:
        """`embeddings` is the model of the documents, shared where it is the packaged one; `home` has fetched ones."""
        self._of_documents = embeddings
        self._home = home
        self._packaged: VectorCache | None = None
        self._likeness: dict[Language, tuple[VectorCache, Likeness]] = {}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """A vector for each text, by the packaged model, which knows English."""
        if self._packaged is None:
            with IMPORT_LOCK:
                from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS  # heavy: torch
                from knowledge.index.embeddings import open_embeddings

            shared = self._of_documents()
            is_packaged = shared.name == DEFAULT_EMBEDDINGS
            model = shared if is_packaged else open_embeddings(DEFAULT_EMBEDDINGS, self._home)
            self._packaged = VectorCache(model.encode)
        return self._packaged(texts)

    def judge(self, question: str) -> Judge | None:
        """What tells which note answers the question; None where no model here knows its language."""
        language = _language_of(question)
        if language is None or (language == "zh" and not self._knows_chinese()):
            return None
        vectors, likeness = self._tuned(language)

        def score(asked: str, lessons: "Sequence[Example]") -> np.ndarray:
            found = vectors([asked, *map(as_text, lessons)])
            known = [_language_of(as_text(lesson)) == language for lesson in lessons]
            return np.where(known, likeness.log_odds(found[1:] @ found[0]), UNREAD)

        return Judge(score, *_AMOUNTS[language])

    def _knows_chinese(self) -> bool:
        with IMPORT_LOCK:
            from knowledge.index.embedding_models import MULTILINGUAL, is_fetched  # heavy: torch

        return self._home is not None and is_fetched(MULTILINGUAL, self._home)

    def _tuned(self, language: "Language") -> "tuple[VectorCache, Likeness]":
        if language not in self._likeness:
            with IMPORT_LOCK:
                from knowledge.search.likeness import Likeness  # heavy: torch

            likeness = Likeness(language, self._home)
            self._likeness[language] = VectorCache(likeness.encode), likeness
        return self._likeness[language]


@lru_cache(maxsize=MAX_VECTORS)
def _language_of(text: str) -> "Language | None":
    """The language of a text, where it is one that vectors were tuned for."""
    if has_chinese(text):
        return "zh"
    if not is_latin(text):
        return None
    from knowledge.search.languages import is_in_another  # heavy: its model takes half a second to unpack

    return None if is_in_another(text, ("en",)) else "en"
