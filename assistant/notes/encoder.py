"""The models that find notes: vectors, and a judge that reads a question and a note together."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assistant.lazy import IMPORT_LOCK
from assistant.notes.far_words import Judge, as_text, by_likeness, is_latin

if TYPE_CHECKING:
    from assistant.notes.matching import Encode
    from knowledge.index.embeddings import SentenceEmbeddings
    from knowledge.search.answerability import Answerability
    from tuning.data.examples import Example

# The amounts of a judge in their order, chosen on the development domains: docs/memory-log.md.
_LOG_ODDS = (2.5, 4.0, 1.0, -5.0)
_COSINES = (0.945, 0.953, 0.0, 0.92)  # of a model whose cosines lie close together
_UNREAD = -99.0  # the log-odds of a lesson in a script that the judge does not know
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
    """Whatever documents are indexed with: the packaged model, and where it was fetched the multilingual one.

    Vectors are kept in memory. Safe between threads.
    """

    def __init__(self, embeddings: "Callable[[], SentenceEmbeddings]", home: Path | None = None) -> None:
        """`embeddings` is the model of the documents, shared where it is one of the two; `home` has fetched ones."""
        self._of_documents = embeddings
        self._home = home
        self._opened: dict[str, VectorCache] = {}
        self._answerability: Answerability | None = None

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """A vector for each text, by the packaged model, which knows English."""
        with IMPORT_LOCK:
            from knowledge.index.embedding_models import DEFAULT_EMBEDDINGS  # heavy: torch

        return self._of(DEFAULT_EMBEDDINGS)(texts)

    def judge(self, question: str) -> Judge | None:
        """What tells which note answers the question; None where no model here knows its language.

        In Latin script the packaged model reads both; elsewhere vectors compare them, where the multilingual
        model was fetched.
        """
        with IMPORT_LOCK:
            from knowledge.index.embedding_models import MULTILINGUAL, is_fetched  # heavy: torch

        if is_latin(question):
            return Judge(self.encode, self._read, *_LOG_ODDS)
        if self._home is None or not is_fetched(MULTILINGUAL, self._home):
            return None

        many = self._of(MULTILINGUAL)
        return Judge(many, partial(by_likeness, many), *_COSINES)

    def _read(self, question: str, lessons: "Sequence[Example]") -> np.ndarray:
        """The log-odds that each lesson answers the question, read together; hardly, where it is in another script."""
        if self._answerability is None:
            with IMPORT_LOCK:
                from knowledge.search.answerability import Answerability  # heavy: torch

            self._answerability = Answerability()
        scores = self._answerability.score(question, [as_text(lesson) for lesson in lessons])
        return np.where([is_latin(as_text(lesson)) for lesson in lessons], scores, _UNREAD)

    def _of(self, name: str) -> VectorCache:
        if name not in self._opened:
            with IMPORT_LOCK:
                from knowledge.index.embeddings import open_embeddings  # heavy: torch

            shared = self._of_documents()
            model = shared if shared.name == name else open_embeddings(name, self._home)
            self._opened[name] = VectorCache(model.encode)
        return self._opened[name]
