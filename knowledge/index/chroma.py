"""Chroma: opening a folder or a server, and one collection of vectors. Stores no text.

A folder is for one process at a time, which `shared_chroma` sees to.
"""

import functools
import logging
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import chromadb
import httpx
import numpy as np
from chromadb.api import ClientAPI
from chromadb.api.client import AdminClient, Client
from chromadb.api.fastapi import FastAPI
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError

from knowledge.errors import FULL, StoreError, is_full

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")
WRITE_BATCH = 250  # Chroma is fastest at 50 to 250 a call
READ_BATCH = 1000
CHECKED_BYTES = 64 * 2**20  # a larger database is checked by its head alone: all of it would take seconds


def open_folder(folder: Path) -> ClientAPI:
    """The client of a folder that no other process has open. Raises StoreError."""
    try:
        _check_database(folder / "chroma.sqlite3")
        return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    except BaseException as error:
        if not isinstance(error, Exception) and not _is_panic(error):
            raise
        # Its native part raises whatever it likes over damaged files.
        SharedSystemClient._identifier_to_system.pop(
            str(folder), None
        )  # or the next try finds this broken one
        if _says_full(error) or is_full(folder):
            raise StoreError(f"Chroma cannot open {folder}: {FULL}") from error
        raise StoreError(
            f"Chroma cannot open {folder} ({_reason(error)}). Its vectors can be computed again: "
            "`imprint doctor --mend` does it, or move the folder away"
        ) from error


def open_server(url: str) -> ClientAPI:
    """The client of a Chroma server. Raises StoreError where none answers."""
    parts = urlsplit(url if "//" in url else f"http://{url}")
    secure = parts.scheme == "https"
    try:
        return chromadb.HttpClient(
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


def close_client(client: ClientAPI) -> None:
    """Close a client with the connections that Chroma leaves open."""
    if not isinstance(client, Client):
        return
    for part in (client, client._admin_client):
        if isinstance(part, Client | AdminClient) and isinstance(part._server, FastAPI):
            part._server._session.close()
    client.close()


def _translated(method: Callable[P, T]) -> Callable[P, T]:
    """What Chroma raises becomes a StoreError: a full disk, a damaged file, a server that is gone."""

    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except BaseException as error:
            if not isinstance(error, (ChromaError, OSError, ValueError, httpx.HTTPError)) and not _is_panic(
                error
            ):
                raise
            if _says_full(error):
                raise StoreError(f"Chroma cannot write: {FULL}") from error
            raise StoreError(
                f"Chroma failed ({_reason(error)}). Free some disk space, or see what `imprint doctor` says; no text "
                "was lost"
            ) from error

    return call


def _is_panic(error: BaseException) -> bool:
    """Whether Chroma's native part broke off; pyo3 exports no class for it, and it is no Exception."""
    return type(error).__name__ == "PanicException"


def _says_full(error: BaseException) -> bool:
    """Whether the disk is what failed, of which Chroma's native part tells in words alone."""
    return "disk is full" in str(error) or "No space left" in str(error)


def _reason(error: BaseException) -> str:
    return "its files are not what it wrote" if _is_panic(error) else str(error)


def _check_database(path: Path) -> None:
    """Raises ValueError for a damaged database: Chroma's native part ends the whole process over some damage."""
    if not path.exists():
        return
    is_small = path.stat().st_size <= CHECKED_BYTES
    try:
        with closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=10)
        ) as database:
            found = str(database.execute("PRAGMA quick_check(1)").fetchone()[0]) if is_small else "ok"
            tables = {
                name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            }
            for name in tables:
                if not name.startswith("embedding"):  # those are large, and hold no names that can break
                    database.execute(f'SELECT * FROM "{name}"').fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise ValueError(f"{path.name} is damaged: {error}") from error
    if found != "ok" or (path.stat().st_size and "migrations" not in tables):
        raise ValueError(f"{path.name} is damaged")


class VectorStore:
    """One Chroma collection of unit vectors by id, compared by cosine similarity."""

    @_translated
    def __init__(self, client: ClientAPI, name: str) -> None:
        self._client = client
        self._batch = min(WRITE_BATCH, client.get_max_batch_size())
        self.name = name
        self._collection = client.get_or_create_collection(
            name,
            embedding_function=None,
            configuration={
                "hnsw": {"space": "cosine", "ef_construction": 100, "ef_search": 200, "max_neighbors": 16}
            },
        )

    @property
    @_translated
    def count(self) -> int:
        """How many vectors there are."""
        return self._collection.count()

    @_translated
    def put(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        """Add vectors, or replace those of the same id."""
        for start in range(0, len(ids), self._batch):
            part = slice(start, start + self._batch)
            self._collection.upsert(ids=list(ids[part]), embeddings=vectors[part])

    @_translated
    def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; an unknown id is no error."""
        for start in range(0, len(ids), self._batch):
            self._collection.delete(ids=list(ids[start : start + self._batch]))

    @_translated
    def nearest(self, vector: np.ndarray, n: int, among: Sequence[str] | None = None) -> dict[str, float]:
        """The nearest ids with their cosine similarity, best first; only `among` those ids when given."""
        if n < 1 or (among is not None and not among):
            return {}
        found = self._collection.query(
            query_embeddings=vector[None, :],
            n_results=n,
            ids=None if among is None else list(among),
            include=["distances"],
        )
        distances = found["distances"] or [[]]
        return {one: 1.0 - distance for one, distance in zip(found["ids"][0], distances[0], strict=True)}

    @_translated
    def get(self, ids: Sequence[str]) -> dict[str, np.ndarray]:
        """Vectors by id; an unknown id is left out."""
        found: dict[str, np.ndarray] = {}
        for start in range(0, len(ids), READ_BATCH):
            rows = self._collection.get(ids=list(ids[start : start + READ_BATCH]), include=["embeddings"])
            found.update(zip(rows["ids"], np.asarray(rows["embeddings"], dtype=np.float32), strict=True))
        return found

    @_translated
    def ids(self) -> set[str]:
        """Every id."""
        return set(self._collection.get(include=[])["ids"])

    @_translated
    def drop(self) -> None:
        """Delete the collection."""
        try:
            self._client.delete_collection(self.name)
        except NotFoundError:
            log.info("collection %s does not exist any more", self.name)
