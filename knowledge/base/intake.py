"""One `KnowledgeBase.add`: reads files and addresses, cuts them into passages and writes them in groups.

What cannot be read becomes a report; what is unchanged is skipped by its hash. Searching is not done here.
"""

import hashlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.base.index_writer import IndexWriter
from knowledge.base.reports import DocumentReport, IndexProgress
from knowledge.errors import DocumentError, PasswordNeededError
from knowledge.index.embeddings import Encoder
from knowledge.index.records import DocumentInfo, Place, StoredDocument, StoredText
from knowledge.ingest.chunking import Passage, split
from knowledge.ingest.document import Document, document_id, find_files, read_document
from knowledge.ingest.fetch import WebLimits, fetch, is_url, read_download
from knowledge.sandbox.client import shared_sandbox
from knowledge.text.sentences import context_sentence_spans
from knowledge.text.terms import passage_codes

log = logging.getLogger(__name__)

# Documents are written in groups, one transaction each: after so many new passages, or so many seconds.
GROUP_PASSAGES, GROUP_SECONDS = 256, 3.0
ASSUMED_PAGE_BYTES = 200_000  # the weight of a web page in the progress: its size is not known beforehand
MIN_STANDALONE_CHARACTERS = 200  # a text of this length means the same under any title


@dataclass(frozen=True)
class _Prepared:
    """A document that was read and waits for its group to be written."""

    stored: StoredDocument
    status: str
    bytes: int
    started: float


class _Stopped(Exception):  # noqa: N818 — no error: the person asked for it
    pass


class Intake:
    """Adds some sources to one index; used once. Raises EmbeddingChangedError when it is made.

    Reading, which may take long, holds no lock: only what changes the index does.
    `on_report(report, done, total)` follows the documents, `on_progress` their reading and embedding;
    `should_stop` is asked between documents and between batches.
    """

    def __init__(
        self,
        writer: IndexWriter,
        web: WebLimits,
        sources: Sequence[str] = (),
        on_report: Callable[[DocumentReport, int, int], None] | None = None,
        on_progress: Callable[[IndexProgress], None] | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> None:
        writer.check_embedding()
        self.reports: list[DocumentReport] = []
        self._writer, self._store, self._web = writer, writer.store, web
        self._sources, self._total = sources, len(sources)
        self._sizes = {source: _size(source) for source in sources}
        self._bytes_total, self._bytes_done = max(1, sum(self._sizes.values())), 0
        self._on_report, self._on_progress, self._should_stop = on_report, on_progress, should_stop
        self._group: list[_Prepared] = []
        self._new: dict[str, StoredText] = {}  # of the group, by id: what has to be embedded
        self._begun = self._group_begun = time.monotonic()

    def add_sources(self, force: bool = False, password: str | None = None) -> None:
        """Read and write every source, until `should_stop`; a failure becomes a report."""
        try:
            for source in self._sources:
                if self._should_stop():
                    raise _Stopped
                self._add_source(source, force, password)
            self.flush()
        except _Stopped:
            log.info("stopped after %d of %d documents", len(self.reports), len(self._sources))

    def add_document(self, document: Document) -> None:
        """Add a document that was made in memory, unless it is known and unchanged."""
        known = self._store.document(document.id)
        if known is None or known.sha256 != document.sha256:
            self._prepare(document, "updated" if known else "added", 0, time.monotonic())

    def flush(self) -> None:
        """Embed and write the documents gathered so far."""
        if not self._group:
            return
        with self._writer.exclusive():
            self._writer.check_embedding()
            self._new = self._missing(text for one in self._group for text in one.stored.texts)
            self._writer.write([one.stored for one in self._group], self._new, self._on_batch)
        group, self._group, self._new = self._group, [], {}
        for one in group:
            info, seconds = one.stored.info, time.monotonic() - one.started
            report = DocumentReport(info.path, one.status, info.passages, "", seconds, info.id, info.notes)
            self._report(report, one.bytes)

    def remove_vanished(self, folders: Sequence[Path]) -> None:
        """Remove documents whose file lay in one of the folders and is gone."""
        with self._writer.exclusive():
            gone = [
                info
                for info in self._store.documents()
                if _is_gone(info) and any(Path(info.path).is_relative_to(folder) for folder in folders)
            ]
            self._writer.remove([info.id for info in gone])
        for info in gone:
            self._total += 1
            self._report(DocumentReport(info.path, "removed", document_id=info.id), 0)

    def _add_source(self, source: str, force: bool, password: str | None) -> None:
        started, size = time.monotonic(), self._sizes[source]
        self._announce(source, "reading", 0)
        try:
            known = self._store.document(document_id(source))
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
            report = None if force else self._report_without_reading(Path(source), known, started)
            return report or read_document(source, source=source, password=password)
        download = fetch(source, self._web)
        if known and known.sha256 == download.sha256 and not force:
            return _unchanged(known, started)
        return read_download(download, password=password)

    def _report_without_reading(
        self, file: Path, known: DocumentInfo | None, started: float
    ) -> DocumentReport | None:
        """The report on a file that is unchanged or only moved; None for one that must be read."""
        if _size(str(file)) > shared_sandbox().limits.bytes:
            return None  # reading it will refuse it, sooner than its gigabytes are hashed
        digest = _sha256(file)
        if known and known.sha256 == digest:
            return _unchanged(known, started)
        moved = [] if known else [info for info in self._store.with_content(digest) if _is_gone(info)]
        if not moved:
            return None
        old, path, new_id = moved[0], str(file), document_id(str(file))
        with self._writer.exclusive():
            self._store.rename(old.id, replace(old, id=new_id, path=path))
        seconds = time.monotonic() - started
        return DocumentReport(
            path, "renamed", old.passages, "", seconds, document_id=new_id, notes=(f"was {old.path}",)
        )

    def _prepare(self, document: Document, status: str, size: int, started: float) -> None:
        """Put a document into the group, and write the group once it is large or old enough."""
        stored = stored_document(document, self._writer.encoder)
        if not self._group:
            self._group_begun = time.monotonic()
        self._group.append(_Prepared(stored, status, size, started))
        self._new.update(self._missing(stored.texts))
        if len(self._new) >= GROUP_PASSAGES or time.monotonic() - self._group_begun > GROUP_SECONDS:
            self.flush()

    def _missing(self, texts: Iterable[StoredText]) -> dict[str, StoredText]:
        """Those of the texts that are not stored, by id; another writer may have changed that since they were read."""
        by_id = {text.id: text for text in texts}
        missing = self._store.missing(list(by_id))
        return {one: text for one, text in by_id.items() if one in missing}

    def _on_batch(self, embedded: int) -> None:
        if self._should_stop():
            raise _Stopped
        share = embedded / max(1, len(self._new))
        path = self._group[-1].stored.info.path
        self._announce(path, "embedding", round(share * sum(one.bytes for one in self._group)))

    def _announce(self, path: str, phase: str, bytes_in_group: int) -> None:
        if self._on_progress:
            share = min(1.0, (self._bytes_done + bytes_in_group) / self._bytes_total)
            passed = time.monotonic() - self._begun
            left = passed / share - passed if share > 0.01 else None
            self._on_progress(IndexProgress(share, left, path, phase))

    def _report(self, report: DocumentReport, size: int) -> None:
        self.reports.append(report)
        self._bytes_done += size
        if self._on_report:
            self._on_report(report, len(self.reports), self._total)


def sources(paths: Sequence[Path | str]) -> list[str]:
    """What `KnowledgeBase.add` reads for these, in its order: files, those in folders too, then addresses."""
    files = find_files([path for path in paths if not is_url(str(path))])
    addresses = dict.fromkeys(str(path) for path in paths if is_url(str(path)))
    return [*(str(absolute(file)) for file in files), *addresses]


def absolute(path: Path) -> Path:
    """The absolute path without `..`; links are kept, because they are what the person named."""
    return Path(os.path.abspath(path))  # noqa: PTH100 — Path.resolve would follow links


def stored_document(document: Document, encoder: Encoder) -> StoredDocument:
    """A document cut into passages, as the passage store keeps it."""
    passages = split(document, encoder.count_tokens, encoder.passage_tokens)
    texts = [_stored_text(passage) for passage in passages]
    places = [
        Place(
            passage_id=text.id,
            document_id=document.id,
            position=position,
            source=document.source,
            title=passage.title,
            page=passage.page,
            headings=passage.headings,
            start=passage.start,
            end=passage.end,
        )
        for position, (text, passage) in enumerate(zip(texts, passages, strict=True))
    ]
    info = DocumentInfo(
        id=document.id,
        path=document.source,
        title=document.title,
        passages=len(places),
        bytes=document.bytes,
        indexed=time.time(),
        sha256=document.sha256,
        notes=document.notes,
    )
    return StoredDocument(info, tuple(texts), tuple(places))


def _stored_text(passage: Passage) -> StoredText:
    context = passage.context_text
    codes = passage_codes(context, context_sentence_spans(passage.text, context))
    return StoredText(_content_id(passage), passage.text, context, codes)


def _content_id(passage: Passage) -> str:
    """A hash of a passage's content: the same text is stored once, however many documents contain it.

    Of a short text ("Price: 20") title and headings are part of the content.
    """
    content = passage.text if len(passage.text) >= MIN_STANDALONE_CHARACTERS else passage.context_text
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:32]


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
    """Whether a document was a file that does not exist any more. Addresses and texts of a program are no files."""
    return Path(info.path).is_absolute() and not Path(info.path).exists()


def _size(source: str) -> int:
    if is_url(source):
        return ASSUMED_PAGE_BYTES
    return Path(source).stat().st_size if Path(source).is_file() else 0
