"""One knowledge base: files in, passages found. Text lives in SQLite, vectors in Chroma; killed at any moment,
the two agree again when it is next opened."""

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from langchain_core.documents import Document as LangChainDocument
from langchain_core.embeddings import Embeddings

from knowledge.base import naming
from knowledge.base.document_languages import DocumentLanguages
from knowledge.base.given_documents import GivenDocuments
from knowledge.base.index_writer import IndexWriter
from knowledge.base.intake import Intake, absolute, sources
from knowledge.base.projection import MAX_POINTS, MapPoint, project
from knowledge.base.reports import DocumentReport, IndexProgress
from knowledge.base.uploads import keep_upload
from knowledge.errors import StoreError
from knowledge.index.embeddings import as_encoder, open_embeddings
from knowledge.index.passage_store import PassageStore
from knowledge.index.records import DocumentInfo
from knowledge.index.shared_chroma import SharedChroma
from knowledge.ingest.chunking import Passage
from knowledge.ingest.document import Document, document_from_parsed
from knowledge.ingest.fetch import WebLimits, is_url
from knowledge.readers.blocks import Block, ParsedFile
from knowledge.search.relevance import MIN_RELEVANCE
from knowledge.search.reranking import Reranker
from knowledge.search.searcher import Searcher
from knowledge.search.selection import Hit, passage_at


class KnowledgeBase:
    """A named index under `home/knowledge`, which several processes may open at once.

    Raises IndexBusyError where another has Chroma's folder open and does not answer.
    """

    def __init__(
        self,
        home: Path,
        name: str = "default",
        embeddings: Embeddings | None = None,
        chroma_url: str | None = None,
        reranker: Reranker | None = None,
        web: WebLimits | None = None,
    ) -> None:
        naming.check_name(name)
        self.name = name
        self.folder = Path(home) / "knowledge"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.embeddings = embeddings or open_embeddings()
        self.web = web or WebLimits()
        self._encoder = as_encoder(self.embeddings)
        self._close_lock = threading.Lock()
        self._closed = False
        self._store = PassageStore(self.folder / f"{name}.sqlite3")
        self._languages = DocumentLanguages(self._store, self._encoder)
        with ExitStack() as on_failure:
            on_failure.callback(self._store.close)
            self._chroma = SharedChroma.open(self.folder / "chroma", chroma_url)
            on_failure.callback(self._chroma.close)
            self._searcher = Searcher(self._store, self._encoder, reranker)
            self._writer = IndexWriter(
                name, self._store, self._chroma, self._encoder, self.folder / f"{name}.write.lock"
            )
            self._writer.repair()
            self.given = GivenDocuments(self._writer, self._store)
            on_failure.pop_all()

    def __enter__(self) -> "KnowledgeBase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the index and release its folder; a second call does nothing."""
        self._writer.close()
        with self._close_lock:
            if not self._closed:
                self._closed = True
                self._chroma.close()

    def delete(self) -> None:
        """Delete it with its vectors and uploads, for good; files that were indexed where they lie stay there."""
        with self._writer.exclusive():
            self._writer.vectors.drop()
        self.close()
        for ending in ("", "-wal", "-shm"):
            (self.folder / f"{self.name}.sqlite3{ending}").unlink(missing_ok=True)
        shutil.rmtree(self._uploads, ignore_errors=True)

    def rename(self, name: str) -> None:
        """Give it another name, and its uploads with it; it is closed then, and opens under the new name.

        Nothing is embedded again. Raises StoreError for a name that is none or is taken.
        """
        naming.check_free(self.folder, name)
        with self._writer.exclusive():
            naming.move_uploads(self._store, self._uploads, self.folder / "files" / name)
        self.close()
        naming.move_index(self.folder, self.name, name)

    # contents

    @property
    def count(self) -> int:
        """How many passages; a text that several documents contain counts once."""
        return self._store.count

    def documents(self) -> list[DocumentInfo]:
        """Every document."""
        return self._store.documents()

    def passage(self, passage_id: str) -> Passage:
        """One passage by its id, as it occurs in the first document that has it. Raises StoreError."""
        text = self._store.texts([passage_id]).get(passage_id)
        places = self._store.places([passage_id])[passage_id]
        if text is None or not places:
            raise StoreError(f"Passage {passage_id!r} is not in the knowledge base {self.name!r} (any more)")
        return passage_at(text, places[0])

    def passages(self, document_id: str) -> list[Passage]:
        """A document's passages in reading order."""
        places = self._store.places_of(document_id)
        texts = self._store.texts([place.passage_id for place in places])
        return [passage_at(texts[place.passage_id], place) for place in places if place.passage_id in texts]

    # adding and removing

    def add(
        self,
        paths: Sequence[Path | str],
        *,
        progress: Callable[[DocumentReport, int, int], None] | None = None,
        watch: Callable[[IndexProgress], None] | None = None,
        should_stop: Callable[[], bool] = lambda: False,
        force: bool = False,
        password: str | None = None,
    ) -> list[DocumentReport]:
        """Index files, folders and addresses; what cannot be read is reported and the others go on.

        Unchanged files are skipped by their hash unless `force`; a file that vanished from a folder given is
        removed; one that moved keeps its passages. `progress(report, done, total)` follows the files.
        `should_stop` is asked between batches: what was reported by then stays, the rest is left out.
        `password` opens those that are encrypted; it is kept nowhere.
        """
        folders = [absolute(Path(path)) for path in paths if not is_url(str(path)) and Path(path).is_dir()]
        intake = Intake(self._writer, self.web, sources(paths), progress, watch, should_stop)
        intake.add_sources(force, password)
        intake.remove_vanished(folders)
        return intake.reports

    def add_documents(self, documents: Sequence[LangChainDocument]) -> list[str]:
        """Index LangChain documents; those of one `source` are one document. Returns the documents' ids."""
        by_source: dict[str, list[LangChainDocument]] = {}
        for document in documents:
            digest = hashlib.sha256(document.page_content.encode("utf-8", "surrogatepass")).hexdigest()
            source = str(document.metadata.get("source") or f"document-{digest[:12]}")
            by_source.setdefault(source, []).append(document)
        made = [_from_langchain(source, parts) for source, parts in by_source.items()]
        intake = Intake(self._writer, self.web)
        for one in made:
            intake.add_document(one)
        intake.flush()
        return [one.id for one in made]

    def keep_upload(self, name: str, data: bytes) -> Path:
        """Write an uploaded file under the home, where `remove` deletes it with its document.

        The same name again replaces it. Index it with `add`.
        """
        return keep_upload(self._uploads, name, data)

    def remove(self, document_id: str) -> None:
        """Remove a document; its file stays, unless it was an upload. Raises StoreError."""
        info = self._store.document(document_id)
        if info is None:
            raise StoreError(f"There is no document {document_id!r} in the knowledge base {self.name!r}")
        with self._writer.exclusive():
            self._writer.remove([document_id])
        if Path(info.path).parent == self._uploads:
            Path(info.path).unlink(missing_ok=True)

    def rebuild(self, watch: Callable[[IndexProgress], None] | None = None) -> None:
        """Embed every passage anew, with the present embedding model; the files are not read again."""
        begun = time.monotonic()

        def on_batch(done: int, total: int) -> None:
            if watch:
                left = (time.monotonic() - begun) / done * (total - done)
                watch(IndexProgress(done / total, left, self.name, "embedding"))

        with self._writer.exclusive():
            self._writer.rebuild(on_batch)

    @property
    def rebuild_seconds(self) -> float:
        """How long `rebuild` takes on two cores, about."""
        return self._encoder.family.embedding_seconds(self.size)

    @property
    def size(self) -> int:
        """Bytes of the text of all passages, in UTF-8."""
        return self._store.size

    @property
    def stale_model(self) -> str:
        """The embedding model that the vectors were made with, where another is chosen now; else empty."""
        return self._writer.stale_model

    # searching

    def search(
        self,
        question: str,
        k: int = 4,
        *,
        history: Sequence[Mapping[str, str]] = (),
        documents: Sequence[str] | None = None,
        min_relevance: float = MIN_RELEVANCE,
    ) -> list[Hit]:
        """The best passages for a question, best first; an empty list when nothing relevant was found.

        `history` is the conversation before it, for a follow-up question; `documents` limits the
        search to these ids or paths; `min_relevance=0` returns even what is hardly about the question.
        """
        self._writer.check_embedding()
        among = None
        if documents is not None:
            wanted = set(documents)
            chosen = [info.id for info in self.documents() if info.id in wanted or info.path in wanted]
            among = self._store.passage_ids(chosen)
        return self._searcher.search(self._writer.vectors, question, k, history, among, min_relevance)

    def is_foreign(self, question: str) -> bool:
        """Whether no document here is in the language of a question, and the embedding model does not know it.

        Another script is told by its letters, another language of the same script by its words.
        """
        return self._languages.is_foreign(question)

    def languages(self) -> tuple[str, ...]:
        """ISO 639 codes of the languages that the documents are in, the most frequent first."""
        return self._languages.codes()

    def map(self, question: str = "") -> tuple[list[MapPoint], tuple[float, float] | None]:
        """Every passage (or an even sample) in two dimensions, and the place of the question among them."""
        ids = self._store.passage_ids()
        ids = ids[:: -(-len(ids) // MAX_POINTS) or 1]
        held = self._writer.vectors.get(ids)
        texts, places = self._store.texts(ids), self._store.places(ids)
        ids = [one for one in ids if one in held and one in texts and places[one]]
        vectors = np.stack([held[one] for one in ids]) if ids else np.zeros((0, 0))
        projection = project(vectors)
        points = []
        for one, (x, y) in zip(ids, projection.place(vectors), strict=True):
            place, text = places[one][0], texts[one].text[:300]
            points.append(MapPoint(one, place.document_id, place.title, text, float(x), float(y)))
        if not question.strip() or not ids:
            return points, None
        x, y = projection.place(self._encoder.encode_query(question)[None, :])[0]
        return points, (float(x), float(y))

    @property
    def _uploads(self) -> Path:
        return self.folder / "files" / self.name


def knowledge_bases(home: Path) -> list[str]:
    """The names of the knowledge bases kept under `home`."""
    return sorted(path.stem for path in (Path(home) / "knowledge").glob("*.sqlite3"))


def _from_langchain(source: str, parts: Sequence[LangChainDocument]) -> Document:
    pages = [part.metadata.get("page") for part in parts]
    blocks = tuple(
        Block("text", part.page_content, page if isinstance(page, int) else None)
        for part, page in zip(parts, pages, strict=True)
    )
    return document_from_parsed(ParsedFile(str(parts[0].metadata.get("title", "")), blocks), source)
