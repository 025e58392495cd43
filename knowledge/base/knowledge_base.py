"""One knowledge base: files in, passages found. Text lives in the catalogue, vectors in Chroma; killed at any
moment, the two agree again when it is next opened."""

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from langchain_core.documents import Document as LangChainDocument
from langchain_core.embeddings import Embeddings

from knowledge.base.projection import MAX_POINTS, MapPoint, project
from knowledge.errors import (
    DocumentError,
    EmbeddingChangedError,
    IndexBusyError,
    PasswordNeededError,
    StoreError,
)
from knowledge.index.chroma import ChromaHome, VectorStore
from knowledge.index.embeddings import as_encoder, open_embeddings
from knowledge.index.passage_store import DocumentInfo, PassageStore, Place, StoredDocument, StoredText
from knowledge.ingest.chunking import Passage, split
from knowledge.ingest.document import Document, document_from_draft, find_files, read_document
from knowledge.ingest.fetch import WebLimits, fetch, is_url, read_download
from knowledge.readers.blocks import Block, Draft
from knowledge.sandbox.client import shared_sandbox
from knowledge.search.fusion import pack
from knowledge.search.relevance import MIN_RELEVANCE
from knowledge.search.reranking import Reranker
from knowledge.search.searcher import Message, Searcher
from knowledge.search.selection import Hit, passage_at
from knowledge.text.sentences import sentence_spans
from knowledge.text.terms import passage_codes

log = logging.getLogger(__name__)

GROUP_PASSAGES, GROUP_SECONDS = (
    256,
    3.0,
)  # documents are written in groups: one transaction, well filled batches
PAGE_BYTES = 200_000  # what a page of the web counts for in the progress, before it is fetched
TELLING = 200  # characters from which a text means the same under any title
_NAME = re.compile(r"[\w][\w .-]{0,62}")


@dataclass(frozen=True)
class DocumentReport:
    """What became of one file."""

    path: str
    status: str  # added, updated, unchanged, renamed, removed, failed
    passages: int = 0
    error: str = ""
    seconds: float = 0.0
    document_id: str = ""
    notes: tuple[str, ...] = ()
    locked: bool = False  # it failed for want of the right password: ask for it and add it again


@dataclass(frozen=True)
class IndexProgress:
    """How far an `add` is."""

    share: float  # 0 to 1
    seconds_left: float | None
    path: str
    phase: str  # "reading" or "embedding"


@dataclass(frozen=True)
class _Prepared:
    stored: StoredDocument
    status: str
    bytes: int
    started: float


class KnowledgeBase:
    """A named index under `home/knowledge`. Raises IndexBusyError when another process has it open."""

    def __init__(
        self,
        home: Path,
        name: str = "default",
        embeddings: Embeddings | None = None,
        chroma_url: str | None = None,
        reranker: Reranker | None = None,
        web: WebLimits | None = None,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise StoreError(
                f"A knowledge base cannot be called {name!r}; use letters, digits, spaces, dots and dashes"
            )
        self.name = name
        self.folder = Path(home) / "knowledge"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.embeddings = embeddings or open_embeddings()
        self._encoder = as_encoder(self.embeddings)
        self.web = web or WebLimits()
        self._thread_lock = threading.RLock()
        self._write_lock = FileLock(self.folder / f"{name}.write.lock", thread_local=False)
        self._chroma = ChromaHome.open(self.folder / "chroma", chroma_url)
        self._catalogue = PassageStore(self.folder / f"{name}.sqlite3")
        self._searcher = Searcher(self._catalogue, self._encoder, reranker)
        self._vectors = VectorStore(self._chroma.client, self._collection_name())
        self._closed = False
        self._repair()

    def __enter__(self) -> "KnowledgeBase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the folder; a second time does nothing."""
        with self._thread_lock:
            if not self._closed:
                self._closed = True
                self._catalogue.close()
                self._chroma.close()

    # what is in it

    @property
    def count(self) -> int:
        """Passages; a text that several documents contain counts once."""
        return self._catalogue.count

    def documents(self) -> list[DocumentInfo]:
        """Every document."""
        return self._catalogue.documents()

    def passage(self, passage_id: str) -> Passage:
        """One passage by its id, at the first place where it stands. Raises StoreError."""
        text = self._catalogue.texts([passage_id]).get(passage_id)
        places = self._catalogue.places([passage_id])[passage_id]
        if text is None or not places:
            raise StoreError(f"Passage {passage_id!r} is not in the knowledge base {self.name!r} (any more)")
        return passage_at(text, places[0])

    def passages(self, document_id: str) -> list[Passage]:
        """A document's passages in reading order."""
        places = self._catalogue.places_of(document_id)
        texts = self._catalogue.texts([place.passage_id for place in places])
        return [passage_at(texts[place.passage_id], place) for place in places]

    # what goes in

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
        wanted = sources(paths)
        with self._writing():
            intake = _Intake(self, wanted, progress, watch, should_stop)
            try:
                for source in wanted:
                    intake.take(source, force, password)
                intake.flush()
            except _Stopped:
                log.info("stopped after %d of %d files", len(intake.reports), len(wanted))
            intake.forget_vanished([absolute(Path(path)) for path in paths if not is_url(str(path))])
        return intake.reports

    def add_bytes(self, name: str, data: bytes, *, password: str | None = None) -> DocumentReport:
        """Keep an uploaded file under the home and index it; the same name again replaces it."""
        folder = self.folder / "files" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / safe_name(name)
        temporary = path.with_name(f".{path.name}.part")
        temporary.write_bytes(data)
        temporary.replace(path)
        return self.add([path], password=password)[0]

    def add_documents(self, documents: Sequence[LangChainDocument]) -> list[str]:
        """Index LangChain documents; those of one `source` are one document. Returns the documents' ids."""
        by_source: dict[str, list[LangChainDocument]] = {}
        for document in documents:
            digest = hashlib.sha256(document.page_content.encode("utf-8", "surrogatepass")).hexdigest()
            by_source.setdefault(
                str(document.metadata.get("source") or f"document-{digest[:12]}"), []
            ).append(document)
        with self._writing():
            intake = _Intake(self, [], None, None, lambda: False)
            ids = [
                intake.take_document(_from_langchain(source, parts)) for source, parts in by_source.items()
            ]
            intake.flush()
        return ids

    def remove(self, document_id: str) -> None:
        """Forget a document; its file stays, unless it was an upload. Raises StoreError."""
        info = self._catalogue.document(document_id)
        if info is None:
            raise StoreError(f"There is no document {document_id!r} in the knowledge base {self.name!r}")
        with self._writing():
            self._settle_removed(self._catalogue.remove([document_id]))
        uploads = self.folder / "files" / self.name
        if Path(info.path).parent == uploads:
            Path(info.path).unlink(missing_ok=True)

    # what comes out

    def search(
        self,
        question: str,
        k: int = 4,
        *,
        history: Sequence[Message] = (),
        documents: Sequence[str] | None = None,
        min_relevance: float = MIN_RELEVANCE,
    ) -> list[Hit]:
        """The best passages for a question, best first; an empty list when nothing relevant was found.

        `history` is the conversation before it, for a question that leans on it; `documents` limits the
        search to these ids or paths; `min_relevance=0` returns even what is hardly about the question.
        """
        self._check_embedding()
        among = None
        if documents is not None:
            wanted = set(documents)
            chosen = [info.id for info in self.documents() if info.id in wanted or info.path in wanted]
            among = self._catalogue.passage_ids(chosen)
        return self._searcher.search(self._vectors, question, k, history, among, min_relevance)

    def map(self, question: str = "") -> tuple[list[MapPoint], tuple[float, float] | None]:
        """Every passage (or an even sample) in two dimensions, and where the question would lie among
        them."""
        ids = self._catalogue.passage_ids()
        ids = ids[:: -(-len(ids) // MAX_POINTS) or 1]
        held = self._vectors.get(ids)
        texts, places = self._catalogue.texts(ids), self._catalogue.places(ids)
        ids = [one for one in ids if one in held and one in texts and places[one]]
        vectors = np.stack([held[one] for one in ids]) if ids else np.zeros((0, 0))
        projection = project(vectors)
        points = [
            MapPoint(
                one,
                places[one][0].document_id,
                places[one][0].title,
                texts[one].text[:300],
                float(x),
                float(y),
            )
            for one, (x, y) in zip(ids, projection.place(vectors), strict=True)
        ]
        if not question.strip() or not ids:
            return points, None
        x, y = projection.place(self._encoder.encode_query(question)[None, :])[0]
        return points, (float(x), float(y))

    # how it is kept

    def rebuild(self, watch: Callable[[IndexProgress], None] | None = None) -> None:
        """Embed every passage anew, with the present embedding model; the files are not read again."""
        with self._writing():
            name = f"kb-{self._catalogue.fact('identity')}-{int(time.time() * 1000):x}"
            fresh, old = VectorStore(self._chroma.client, name), self._vectors
            total, done, after, begun = max(1, self.count), 0, 0, time.monotonic()
            while page := self._catalogue.all_contexts(after):
                ids = [row[1] for row in page]
                spans = [sentences_in(text, context) for _, _, text, context in page]
                rows, parts = self._encoder.encode_passages([row[3] for row in page], spans)
                fresh.put(ids, rows)
                self._catalogue.set_parts(dict(zip(ids, map(pack, parts), strict=True)))
                after, done = page[-1][0], done + len(page)
                if watch:
                    left = (time.monotonic() - begun) / done * (total - done)
                    watch(IndexProgress(done / total, left, self.name, "embedding"))
            self._catalogue.set_facts(collection=name, embedding=self._encoder.name)
            self._vectors = fresh
            old.drop()

    @property
    def stale_model(self) -> str:
        """The embedding model that the vectors were made with, where another is chosen now; else empty."""
        made_with = self._catalogue.fact("embedding")
        return made_with if made_with != self._encoder.name else ""

    def _collection_name(self) -> str:
        return self._catalogue.fact("collection") or f"kb-{self._catalogue.fact('identity')}"

    def _check_embedding(self) -> None:
        if made_with := self.stale_model:
            raise EmbeddingChangedError(
                f"The knowledge base {self.name!r} was indexed with the embedding model {made_with!r}, and "
                f"{self._encoder.name!r} is chosen now: rebuild it (on the Knowledge page, or with `imprint "
                f"index --rebuild`), or choose {made_with!r} again."
            )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._thread_lock:
            try:
                self._write_lock.acquire(timeout=10)
            except Timeout as error:
                raise IndexBusyError(
                    f"The knowledge base {self.name!r} is being changed elsewhere; try again"
                ) from error
            try:
                yield
            finally:
                self._write_lock.release()

    def _settle_removed(self, orphans: Sequence[str]) -> None:
        self._vectors.delete(orphans)
        self._catalogue.settle(orphans)

    def _repair(self) -> None:
        """Make the vectors agree with the catalogue after a process was killed while it wrote."""
        unsettled = self._catalogue.unsettled()
        if self._vectors.count != self.count:
            unsettled = list({*unsettled, *(self._vectors.ids() ^ set(self._catalogue.passage_ids()))})
        if not unsettled or self._catalogue.fact("embedding") not in ("", self._encoder.name):
            return
        with self._writing():
            texts = self._catalogue.texts(unsettled)
            held = self._vectors.get(unsettled)
            lost = [one for one in texts if one not in held]
            log.info("repairing: %d vectors lost, %d left over", len(lost), len(held.keys() - texts.keys()))
            self._vectors.put(
                lost, self._encoder.encode_passages([texts[one].context for one in lost], [()] * len(lost))[0]
            )
            self._settle_removed([one for one in held if one not in texts])
            self._catalogue.settle(unsettled)


class _Stopped(Exception):  # noqa: N818 — no error: the person asked for it
    pass


class _Intake:
    """One `add`: reads files, gathers their passages, and writes them in groups."""

    def __init__(
        self,
        base: KnowledgeBase,
        wanted: Sequence[str],
        progress: Callable[[DocumentReport, int, int], None] | None,
        watch: Callable[[IndexProgress], None] | None,
        should_stop: Callable[[], bool],
    ) -> None:
        base._check_embedding()
        self.base = base
        self.reports: list[DocumentReport] = []
        self._catalogue, self._encoder = base._catalogue, base._encoder
        self._total = len(wanted)
        self._sizes = {source: _size(source) for source in wanted}
        self._bytes_total, self._bytes_done = max(1, sum(self._sizes.values())), 0
        self._progress, self._watch, self._should_stop = progress, watch, should_stop
        self._group: list[_Prepared] = []
        self._fresh: dict[str, StoredText] = {}
        self._begun = self._group_begun = time.monotonic()

    def take(self, source: str, force: bool, password: str | None) -> None:
        """Read one file or address, unless it is known; a failure becomes a report."""
        if self._should_stop():
            raise _Stopped
        started = time.monotonic()
        size = self._sizes[source]
        self._tell(source, "reading", 0)
        try:
            known = self._catalogue.document(document_id(source))
            found = self._read(source, known, force, password, started)
            if isinstance(found, DocumentReport):
                self._report(found, size)
            else:
                self._prepare(found, "updated" if known else "added", size, started)
        except DocumentError as error:
            locked = isinstance(error, PasswordNeededError)
            seconds = time.monotonic() - started
            failed = DocumentReport(source, "failed", error=str(error), seconds=seconds, locked=locked)
            self._report(failed, size)

    def _read(
        self, source: str, known: DocumentInfo | None, force: bool, password: str | None, started: float
    ) -> Document | DocumentReport:
        """The document, or the report on one that need not be read. Raises DocumentError."""
        if not is_url(source):
            report = None if force else self._known(Path(source), known, started)
            return report or read_document(source, source=source, password=password)
        download = fetch(source, self.base.web)
        if known and known.sha256 == download.sha256 and not force:
            return _unchanged(known, started)
        return read_download(download, password=password)

    def take_document(self, document: Document) -> str:
        """Prepare a document that was made in memory; returns its id."""
        known = self._catalogue.document(document.id)
        if known is None or known.sha256 != document.sha256:
            self._prepare(document, "updated" if known else "added", 0, time.monotonic())
        return document.id

    def _known(self, file: Path, known: DocumentInfo | None, started: float) -> DocumentReport | None:
        """The report on a file that need not be read: unchanged, or only moved."""
        if _size(str(file)) > shared_sandbox().limits.bytes:
            return None  # reading it will refuse it, sooner than its gigabytes are hashed
        digest = _sha256(file)
        if known and known.sha256 == digest:
            return _unchanged(known, started)
        moved = [] if known else [info for info in self._catalogue.with_content(digest) if _is_gone(info)]
        if not moved:
            return None
        new_id = document_id(str(file))
        self._catalogue.rename(moved[0].id, replace(moved[0], id=new_id, path=str(file)))
        notes = (f"was {moved[0].path}",)
        return DocumentReport(
            str(file),
            "renamed",
            moved[0].passages,
            "",
            time.monotonic() - started,
            document_id=new_id,
            notes=notes,
        )

    def _prepare(self, document: Document, status: str, size: int, started: float) -> None:
        passages = split(document, self._encoder.count_tokens, self._encoder.passage_tokens)
        texts: list[StoredText] = []
        places: list[Place] = []
        for position, passage in enumerate(passages):
            key = passage_key(passage)
            context = passage.context_text
            codes = passage_codes(context, sentences_in(passage.text, context))
            texts.append(StoredText(key, passage.text, context, codes))
            places.append(
                Place(
                    key,
                    document.id,
                    position,
                    document.source,
                    passage.title,
                    passage.page,
                    passage.headings,
                    passage.start,
                    passage.end,
                )
            )
        info = DocumentInfo(
            document.id,
            document.source,
            document.title,
            len(places),
            document.bytes,
            time.time(),
            document.sha256,
            document.notes,
        )
        missing = self._catalogue.missing([text.id for text in texts])
        if not self._group:
            self._group_begun = time.monotonic()
        self._group.append(
            _Prepared(StoredDocument(info, tuple(texts), tuple(places)), status, size, started)
        )
        self._fresh.update({text.id: text for text in texts if text.id in missing})
        if len(self._fresh) >= GROUP_PASSAGES or time.monotonic() - self._group_begun > GROUP_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Embed and write what was gathered."""
        if not self._group:
            return
        ids = list(self._fresh)
        fresh = list(self._fresh.values())
        spans = [sentences_in(text.text, text.context) for text in fresh]
        vectors, parts = self._encoder.encode_passages(
            [text.context for text in fresh], spans, self._on_batch
        )
        for text, vectors_of_parts in zip(fresh, parts, strict=True):
            self._fresh[text.id] = replace(text, parts=pack(vectors_of_parts))
        if not self._catalogue.fact("embedding"):
            self._catalogue.set_facts(embedding=self._encoder.name)
        self._catalogue.unsettle(ids)
        self.base._vectors.put(ids, vectors)
        orphans = self._catalogue.replace([self._with_parts(one.stored) for one in self._group])
        self.base._vectors.delete(orphans)
        self._catalogue.settle([*ids, *orphans])
        group, self._group, self._fresh = self._group, [], {}
        for one in group:
            info = one.stored.info
            seconds = time.monotonic() - one.started
            self._report(
                DocumentReport(info.path, one.status, info.passages, "", seconds, info.id, info.notes),
                one.bytes,
            )

    def _with_parts(self, document: StoredDocument) -> StoredDocument:
        return replace(document, texts=tuple(self._fresh.get(text.id, text) for text in document.texts))

    def forget_vanished(self, paths: Sequence[Path]) -> None:
        """Remove documents that lay in one of the folders and are gone."""
        folders = [path for path in paths if path.is_dir()]
        gone = [
            info
            for info in self._catalogue.documents()
            if _is_gone(info) and any(Path(info.path).is_relative_to(folder) for folder in folders)
        ]
        self.base._settle_removed(self._catalogue.remove([info.id for info in gone]) if gone else [])
        for info in gone:
            self._total += 1
            self._report(DocumentReport(info.path, "removed", document_id=info.id), 0)

    def _on_batch(self, done: int) -> None:
        if self._should_stop():
            raise _Stopped
        share = done / max(1, len(self._fresh))
        self._tell(
            self._group[-1].stored.info.path,
            "embedding",
            round(share * sum(one.bytes for one in self._group)),
        )

    def _tell(self, path: str, phase: str, under_way: int) -> None:
        if self._watch:
            share = min(1.0, (self._bytes_done + under_way) / self._bytes_total)
            passed = time.monotonic() - self._begun
            self._watch(IndexProgress(share, passed / share - passed if share > 0.01 else None, path, phase))

    def _report(self, report: DocumentReport, size: int) -> None:
        self.reports.append(report)
        self._bytes_done += size
        if self._progress:
            self._progress(report, len(self.reports), self._total)


def sources(paths: Sequence[Path | str]) -> list[str]:
    """What `KnowledgeBase.add` reads for these, in its order: files, those in folders too, then addresses."""
    files = find_files([path for path in paths if not is_url(str(path))])
    addresses = dict.fromkeys(str(path) for path in paths if is_url(str(path)))
    return [*(str(absolute(file)) for file in files), *addresses]


def absolute(path: Path) -> Path:
    """The path from the root without `..`; links stay what they are, for they are what the person named."""
    return Path(os.path.abspath(path))  # noqa: PTH100 — Path.resolve would follow links


def knowledge_bases(home: Path) -> list[str]:
    """The names of the knowledge bases kept under `home`."""
    return sorted(path.stem for path in (Path(home) / "knowledge").glob("*.sqlite3"))


def document_id(source: str) -> str:
    """Stable for one source, whatever its content; the same as `Document.id`."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def passage_key(passage: Passage) -> str:
    """A passage's content as an id. A short text ("Price: 20") means nothing without its headings."""
    content = passage.text if len(passage.text) >= TELLING else passage.context_text
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def sentences_in(text: str, context: str) -> list[tuple[int, int]]:
    """The sentences of a passage, as (start, end) in the text that is embedded."""
    shift = len(context) - len(text)
    return [(start + shift, end + shift) for start, end in sentence_spans(text)]


def safe_name(name: str) -> str:
    """A file name without folders, control characters and leading dots."""
    last = re.split(r"[\\/]", name)[-1]
    kept = "".join(character for character in last if character.isprintable() and character not in '<>:"|?*')
    stem, dot, suffix = kept.strip().lstrip(".").rpartition(".")
    short = f"{stem[:100]}{dot}{suffix[:20]}"
    return short if short.strip(". ") else "document"


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DocumentError(f"{path}: cannot be opened ({error.strerror})") from error


def _unchanged(known: DocumentInfo, started: float) -> DocumentReport:
    seconds = time.monotonic() - started
    return DocumentReport(known.path, "unchanged", known.passages, seconds=seconds, document_id=known.id)


def _is_gone(info: DocumentInfo) -> bool:
    """Whether a document was a file and is there no more; an address and a text from a program are none."""
    return Path(info.path).is_absolute() and not Path(info.path).exists()


def _size(source: str) -> int:
    if is_url(source):
        return PAGE_BYTES
    return Path(source).stat().st_size if Path(source).is_file() else 0


def _from_langchain(source: str, parts: Sequence[LangChainDocument]) -> Document:
    pages = [part.metadata.get("page") for part in parts]
    blocks = tuple(
        Block("text", part.page_content, page if isinstance(page, int) else None)
        for part, page in zip(parts, pages, strict=True)
    )
    return document_from_draft(Draft(str(parts[0].metadata.get("title", "")), blocks), source)
