"""One opener of Chroma's folder, whoever comes first; other processes reach the vectors through it.

When that process ends, the next one that needs the folder opens it, without anybody noticing.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from chromadb.api import ClientAPI
from filelock import FileLock, Timeout

from knowledge.errors import IndexBusyError, KnowledgeError
from knowledge.index.chroma import VectorStore, close_client, open_folder, open_server
from knowledge.index.vector_service import (
    PING,
    Holder,
    HolderGoneError,
    LinkedVectors,
    VectorLink,
    VectorService,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
LOCK_SECONDS = 0.2  # between two looks at who has the folder open
WAIT_SECONDS = 20.0  # until a process that has just begun to open it must answer
RETRIES = 3


class SharedChroma:
    """The one access of this process to a folder or server, counted by its users."""

    _opened: dict[str, "SharedChroma"] = {}  # noqa: RUF012 — of the process, guarded by _guard
    _guard = threading.Lock()

    def __init__(self, key: str, connect: "Callable[[], _Access]") -> None:
        self._key, self._connect = key, connect
        self._access = connect()
        self._reconnecting = threading.Lock()
        self._users = 0

    @classmethod
    def open(cls, folder: Path, url: str | None) -> "SharedChroma":
        """The access to this folder, or to the server at `url`. Raises IndexBusyError, StoreError."""
        key = url or str(folder.resolve())
        with cls._guard:
            opened = cls._opened.get(key)
            if opened is None:
                opened = cls(key, lambda: _Server(url) if url else _folder(folder))
                cls._opened[key] = opened
            opened._users += 1
            return opened

    def close(self) -> None:
        """Release it; the last user closes it, and other processes may open the folder."""
        with self._guard:
            self._users -= 1
            if self._users:
                return
            del self._opened[self._key]
            self._access.close()

    def vectors(self, name: str) -> "Vectors":
        """One collection, which is made where there is none."""
        return Vectors(self, name)

    def do(self, name: str, operation: "Callable[[Collection], T]") -> T:
        """Do something with a collection, again through another process where the one that had the folder ended."""
        for _ in range(RETRIES):
            access = self._access
            try:
                return operation(access.collection(name))
            except HolderGoneError as error:
                log.info("%s", error)
                self._reconnect(access)
        return operation(self._access.collection(name))

    def _reconnect(self, lost: "_Access") -> None:
        with self._reconnecting:
            if self._access is lost:  # else another thread was faster
                self._access = self._connect()
                lost.close()


Collection = VectorStore | LinkedVectors


class Vectors:
    """One collection of unit vectors by id, compared by cosine similarity, in whichever process the folder is open."""

    def __init__(self, shared: SharedChroma, name: str) -> None:
        self._shared, self.name = shared, name

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return self._shared.do(self.name, lambda collection: collection.count)

    def put(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        """Add vectors, or replace those of the same id."""
        self._shared.do(self.name, lambda collection: collection.put(ids, vectors))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; an unknown id is no error."""
        self._shared.do(self.name, lambda collection: collection.delete(ids))

    def nearest(self, vector: np.ndarray, n: int, among: Sequence[str] | None = None) -> dict[str, float]:
        """The nearest ids with their cosine similarity, best first; only `among` those ids when given."""
        return self._shared.do(self.name, lambda collection: collection.nearest(vector, n, among))

    def get(self, ids: Sequence[str]) -> dict[str, np.ndarray]:
        """Vectors by id; an unknown id is left out."""
        return self._shared.do(self.name, lambda collection: collection.get(ids))

    def ids(self) -> set[str]:
        """Every id."""
        return self._shared.do(self.name, lambda collection: collection.ids())

    def drop(self) -> None:
        """Delete the collection."""
        self._shared.do(self.name, lambda collection: collection.drop())


class _Server:
    """A Chroma server, which several processes may use."""

    def __init__(self, url: str) -> None:
        self._collections = _Collections(open_server(url))

    def collection(self, name: str) -> Collection:
        return self._collections.get(name)

    def close(self) -> None:
        self._collections.close()


class _Folder:
    """The folder, open in this process, with a service for others."""

    def __init__(self, folder: Path, holder: Path, lock: FileLock) -> None:
        self._lock, self._holder = lock, holder
        self._collections = _Collections(open_folder(folder))
        self._service = VectorService(self._collections.get)
        self._service.holder.write(holder)  # last: whoever reads it finds the service

    def collection(self, name: str) -> Collection:
        return self._collections.get(name)

    def close(self) -> None:
        self._holder.unlink(missing_ok=True)
        self._service.close()
        self._collections.close()
        self._lock.release()


class _Linked:
    """The folder, open in another process."""

    def __init__(self, link: VectorLink) -> None:
        self._link = link

    def collection(self, name: str) -> Collection:
        return LinkedVectors(self._link, name)

    def close(self) -> None:
        self._link.close()


_Access = _Server | _Folder | _Linked


class _Collections:
    """The collections of one client, each opened once."""

    def __init__(self, client: ClientAPI) -> None:
        self._client = client
        self._opened: dict[str, VectorStore] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> VectorStore:
        with self._lock:
            if name not in self._opened:
                self._opened[name] = VectorStore(self._client, name)
            return self._opened[name]

    def close(self) -> None:
        close_client(self._client)


def _folder(folder: Path) -> _Folder | _Linked:
    """Open the folder, or reach whoever has it open. Raises IndexBusyError where that one does not answer."""
    folder.mkdir(parents=True, exist_ok=True)
    about = folder.with_name(f"{folder.name}.holder.json")
    lock = FileLock(folder.with_name(f"{folder.name}.lock"), thread_local=False)
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            lock.acquire(timeout=LOCK_SECONDS)
        except Timeout as error:
            if linked := _reach(about):
                return linked
            holder = Holder.read(about)
            if time.monotonic() > deadline or (holder and not holder.is_here):
                raise IndexBusyError(_busy(folder, holder)) from error
            continue
        try:
            return _Folder(folder, about, lock)
        except BaseException:
            lock.release()
            raise


def _reach(about: Path) -> _Linked | None:
    holder = Holder.read(about)
    if holder is None or not holder.is_here:
        return None
    link = VectorLink(holder)
    try:
        link.ask(PING)
    except KnowledgeError:
        link.close()
        return None
    return _Linked(link)


def _busy(folder: Path, holder: Holder | None) -> str:
    where = f"another process (pid {holder.pid} on {holder.host})" if holder else "another process"
    return (
        f"The knowledge base in {folder.parent} is open in {where}, and that does not answer from here. Close it, "
        "or run a server (`chroma run`) and set IMPRINT_CHROMA_URL to share it."
    )
