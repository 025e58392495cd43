"""Vectors in Chroma: a folder that one process opens at a time, or a Chroma server. Stores no text."""

import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import chromadb
import httpx
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.client import AdminClient, Client
from chromadb.api.fastapi import FastAPI
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError
from filelock import FileLock, Timeout

from knowledge.errors import IndexBusyError, StoreError

log = logging.getLogger(__name__)

_PANIC = "PanicException"  # of pyo3, which exports no such class; it is no Exception
WRITE_BATCH = 250  # Chroma is fastest at 50 to 250 a call
READ_BATCH = 1000
CHECKED_BYTES = 64 * 2**20  # a larger database is checked by its head alone: all of it would take seconds


class SharedChromaClient:
    """The one Chroma client of this process for a folder or server, counted by its users.

    Chroma's embedded mode is for one process: a lock file keeps others out while there are users.
    """

    _opened: dict[str, "SharedChromaClient"] = {}  # noqa: RUF012 — of the process, guarded by _guard
    _guard = threading.Lock()

    def __init__(self, key: str, client: ClientAPI, lock: FileLock | None, holder: Path | None) -> None:
        self.client = client
        self._key = key
        self._lock = lock
        self._holder = holder
        self._users = 0

    @classmethod
    def open(cls, folder: Path, url: str | None) -> "SharedChromaClient":
        """The client for this folder, or for the server at `url`. Raises IndexBusyError, StoreError."""
        key = url or str(folder.resolve())
        with cls._guard:
            opened = cls._opened.get(key)
            if opened is None:
                opened = _connect(key, url) if url else _open_folder(key, folder)
                cls._opened[key] = opened
            opened._users += 1
            return opened

    def close(self) -> None:
        """Release it; the last user closes the client and frees the folder for other processes."""
        with self._guard:
            self._users -= 1
            if self._users:
                return
            del self._opened[self._key]
            if isinstance(self.client, Client):
                for part in (self.client, self.client._admin_client):
                    if isinstance(part, Client | AdminClient) and isinstance(part._server, FastAPI):
                        part._server._session.close()  # Chroma leaves its connections open
                self.client.close()
            if self._holder:
                self._holder.unlink(missing_ok=True)
            if self._lock:
                self._lock.release()


def _open_folder(key: str, folder: Path) -> SharedChromaClient:
    folder.mkdir(parents=True, exist_ok=True)
    holder = folder.with_name(f"{folder.name}.holder.json")
    lock = FileLock(folder.with_name(f"{folder.name}.lock"), thread_local=False)
    try:
        lock.acquire(timeout=0.5)
    except Timeout as error:
        raise IndexBusyError(
            f"The knowledge base in {folder.parent} is open in {_describe(holder)}, "
            "and one process opens it at a time. Close that one, or run a server (`chroma run`) and set "
            "IMPRINT_CHROMA_URL to share it."
        ) from error
    try:
        _check_database(folder / "chroma.sqlite3")
        holder.write_text(json.dumps({"pid": os.getpid()}), encoding="utf-8")
        settings = Settings(anonymized_telemetry=False)
        return SharedChromaClient(
            key, chromadb.PersistentClient(str(folder), settings=settings), lock, holder
        )
    except BaseException as error:
        lock.release()
        if isinstance(error, OSError) or not is_chromas(error):
            raise
        raise StoreError(_damaged(error, str(folder))) from error


def _check_database(path: Path) -> None:
    """Raises ValueError for a damaged database: Chroma's native part ends the whole process over some damage."""
    if not path.exists():
        return
    thorough = path.stat().st_size <= CHECKED_BYTES
    try:
        with closing(sqlite3.connect(path, timeout=10)) as database:
            query = "PRAGMA quick_check(1)" if thorough else "SELECT count(*) FROM sqlite_master"
            found = str(database.execute(query).fetchone()[0])
            migrations = database.execute("SELECT count(*) FROM sqlite_master WHERE name = 'migrations'")
            if (thorough and found != "ok") or (path.stat().st_size and not migrations.fetchone()[0]):
                raise ValueError(f"{path.name} is damaged")
    except sqlite3.Error as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error


def _describe(holder: Path) -> str:
    try:
        return f"another process (pid {int(json.loads(holder.read_text(encoding='utf-8'))['pid'])})"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "another process"


def _connect(key: str, url: str) -> SharedChromaClient:
    parts = urlsplit(url if "//" in url else f"http://{url}")
    secure = parts.scheme == "https"
    try:
        client = chromadb.HttpClient(
            host=parts.hostname or "localhost",
            port=parts.port or (443 if secure else 8000),
            ssl=secure,
            settings=Settings(anonymized_telemetry=False),
        )
    except (ChromaError, OSError, ValueError) as error:
        raise StoreError(
            f"No Chroma server answers at {url} ({error}). Start one with `chroma run`, or unset "
            "IMPRINT_CHROMA_URL to keep the index in a folder."
        ) from error
    return SharedChromaClient(key, client, None, None)


def is_chromas(error: BaseException) -> bool:
    """Whether an error is Chroma's: one of its own, of a request to it, or a panic of its native part."""
    return isinstance(error, (ChromaError, ValueError, httpx.HTTPError)) or type(error).__name__ == _PANIC


def _damaged(error: BaseException, place: str) -> str:
    reason = "its files are not what it wrote" if type(error).__name__ == _PANIC else str(error)
    if "disk is full" in reason or "os error 28" in reason:
        return f"The vectors in {place} cannot be written: the disk is full. Free some space and try again."
    return (
        f"The vectors in {place} cannot be read or written ({reason}). `imprint doctor` makes them again from the "
        "stored passages; so does moving that folder away."
    )


class VectorStore:
    """One Chroma collection of unit vectors by id, compared by cosine similarity."""

    def __init__(self, client: ClientAPI, name: str) -> None:
        self._client = client
        self.name = name
        with self._translated_errors():
            self._batch = min(WRITE_BATCH, client.get_max_batch_size())
            self._collection = client.get_or_create_collection(
                name,
                embedding_function=None,
                configuration={
                    "hnsw": {"space": "cosine", "ef_construction": 100, "ef_search": 200, "max_neighbors": 16}
                },
            )

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if not is_chromas(error):
                raise
            settings = self._client.get_settings()
            raise StoreError(
                _damaged(error, settings.chroma_server_host or settings.persist_directory)
            ) from error

    @property
    def count(self) -> int:
        """How many vectors there are."""
        with self._translated_errors():
            return self._collection.count()

    def put(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        """Add vectors, or replace those of the same id."""
        with self._translated_errors():
            for start in range(0, len(ids), self._batch):
                part = slice(start, start + self._batch)
                self._collection.upsert(ids=list(ids[part]), embeddings=vectors[part])

    def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; an unknown id is no error."""
        with self._translated_errors():
            for start in range(0, len(ids), self._batch):
                self._collection.delete(ids=list(ids[start : start + self._batch]))

    def nearest(self, vector: np.ndarray, n: int, among: Sequence[str] | None = None) -> dict[str, float]:
        """The nearest ids with their cosine similarity, best first; only `among` those ids when given."""
        if n < 1 or (among is not None and not among):
            return {}
        with self._translated_errors():
            found = self._collection.query(
                query_embeddings=vector[None, :],
                n_results=n,
                ids=None if among is None else list(among),
                include=["distances"],
            )
        distances = found["distances"] or [[]]
        return {one: 1.0 - distance for one, distance in zip(found["ids"][0], distances[0], strict=True)}

    def get(self, ids: Sequence[str]) -> dict[str, np.ndarray]:
        """Vectors by id; an unknown id is left out."""
        found: dict[str, np.ndarray] = {}
        with self._translated_errors():
            for start in range(0, len(ids), READ_BATCH):
                rows = self._collection.get(ids=list(ids[start : start + READ_BATCH]), include=["embeddings"])
                found.update(zip(rows["ids"], np.asarray(rows["embeddings"], dtype=np.float32), strict=True))
        return found

    def ids(self) -> set[str]:
        """Every id."""
        with self._translated_errors():
            return set(self._collection.get(include=[])["ids"])

    def drop(self) -> None:
        """Delete the collection."""
        try:
            self._client.delete_collection(self.name)
        except NotFoundError:
            log.info("collection %s does not exist any more", self.name)
