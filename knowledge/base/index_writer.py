"""The write side of one knowledge base: passages in SQLite and their vectors in Chroma, which agree again
however a write ends. Reads no files and ranks nothing."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from knowledge.errors import EmbeddingChangedError, IndexBusyError
from knowledge.index.embeddings import Encoder
from knowledge.index.passage_store import PassageStore
from knowledge.index.records import StoredDocument, StoredText
from knowledge.index.shared_chroma import SharedChroma, Vectors
from knowledge.search.fusion import quantize
from knowledge.text.sentences import context_sentence_spans

log = logging.getLogger(__name__)

LOCK_SECONDS = 60.0  # how long another writer is waited for: it may be embedding a group of documents


class IndexWriter:
    """Writes to one index. Every change happens inside `exclusive()`."""

    def __init__(
        self, name: str, store: PassageStore, chroma: SharedChroma, encoder: Encoder, lock_file: Path
    ) -> None:
        self.name = name
        self.store = store
        self.encoder = encoder
        self._chroma = chroma
        self._thread_lock = threading.RLock()
        self._file_lock = FileLock(lock_file, thread_local=False)

    @property
    def vectors(self) -> Vectors:
        """The present vectors: a rebuild, also one of another process, makes a new collection."""
        return self._chroma.vectors(self.store.fact("collection") or f"kb-{self.store.fact('identity')}")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the write lock, against other threads and processes. Raises IndexBusyError."""
        with self._thread_lock:
            try:
                self._file_lock.acquire(timeout=LOCK_SECONDS)
            except Timeout as error:
                raise IndexBusyError(
                    f"The knowledge base {self.name!r} is being changed elsewhere; try again"
                ) from error
            try:
                yield
            finally:
                self._file_lock.release()

    def close(self) -> None:
        """Close the passage store, once a write of another thread is done."""
        with self._thread_lock:
            self.store.close()

    @property
    def stale_model(self) -> str:
        """The embedding model that the vectors were made with, where another is chosen now; else empty."""
        made_with = self.store.fact("embedding")
        return made_with if made_with != self.encoder.name else ""

    def check_embedding(self) -> None:
        """Raises EmbeddingChangedError where the stored vectors are those of another model."""
        if made_with := self.stale_model:
            raise EmbeddingChangedError(
                f"The knowledge base {self.name!r} was indexed with the embedding model {made_with!r}, and "
                f"{self.encoder.name!r} is chosen now: rebuild it (on the Knowledge page, or with `imprint "
                f"index --rebuild`), or choose {made_with!r} again."
            )

    def write(
        self,
        documents: Sequence[StoredDocument],
        new: Mapping[str, StoredText],
        on_batch: Callable[[int], None] | None = None,
    ) -> None:
        """Write documents in one transaction; those of their passages that are `new`, by id, are embedded.

        `on_batch(embedded)` may raise to stop; then nothing has been written.
        """
        ids, texts = list(new), list(new.values())
        spans = [context_sentence_spans(text.text, text.context) for text in texts]
        vectors, parts = self.encoder.encode_passages([text.context for text in texts], spans, on_batch)
        embedded = {
            text.id: replace(text, parts=quantize(of_sentences))
            for text, of_sentences in zip(texts, parts, strict=True)
        }
        if not self.store.fact("embedding"):
            self.store.set_facts(embedding=self.encoder.name)
        self.store.mark_pending(ids)
        self.vectors.put(ids, vectors)
        orphans = self.store.replace(
            [
                replace(document, texts=tuple(embedded.get(text.id, text) for text in document.texts))
                for document in documents
            ]
        )
        self.vectors.delete(orphans)
        self.store.clear_pending([*ids, *orphans])

    def remove(self, document_ids: Sequence[str]) -> None:
        """Remove documents, and the passages that no other document contains."""
        if document_ids:
            self._delete_vectors(self.store.remove(document_ids))

    def rebuild(self, on_batch: Callable[[int, int], None] | None = None) -> None:
        """Embed every stored passage with the present model; `on_batch(done, total)` follows it."""
        name = f"kb-{self.store.fact('identity')}-{int(time.time() * 1000):x}"
        fresh, old = self._chroma.vectors(name), self.vectors
        total, done, after = max(1, self.store.count), 0, 0
        while page := self.store.all_contexts(after):
            ids = [row[1] for row in page]
            spans = [context_sentence_spans(text, context) for _, _, text, context in page]
            rows, parts = self.encoder.encode_passages([row[3] for row in page], spans)
            fresh.put(ids, rows)
            self.store.set_parts(dict(zip(ids, map(quantize, parts), strict=True)))
            after, done = page[-1][0], done + len(page)
            if on_batch:
                on_batch(done, total)
        self.store.set_facts(collection=name, embedding=self.encoder.name)
        old.drop()

    def repair(self) -> None:
        """Make the vectors agree with the passages after a process was killed while it wrote."""
        pending = self.store.pending()
        if self.vectors.count != self.store.count:
            pending = list({*pending, *(self.vectors.ids() ^ set(self.store.passage_ids()))})
        if not pending or self.stale_model or self._is_written_elsewhere():
            return
        with self.exclusive():
            texts = self.store.texts(pending)
            held = self.vectors.get(pending)
            lost = [one for one in texts if one not in held]
            left_over = [one for one in held if one not in texts]
            log.info("repairing the index: %d vectors missing, %d left over", len(lost), len(left_over))
            contexts = [texts[one].context for one in lost]
            self.vectors.put(lost, self.encoder.encode_passages(contexts, [()] * len(lost))[0])
            self._delete_vectors(left_over)
            self.store.clear_pending(pending)

    def _is_written_elsewhere(self) -> bool:
        """Whether another process is writing now: it will settle by itself what looks unsettled."""
        try:
            with self._file_lock.acquire(timeout=0):
                return False
        except Timeout:
            return True

    def _delete_vectors(self, ids: Sequence[str]) -> None:
        self.vectors.delete(ids)
        self.store.clear_pending(ids)
