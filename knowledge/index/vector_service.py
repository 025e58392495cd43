"""The vectors of a folder for other processes: a small HTTP service of the one that has Chroma open, and its client.

It listens on this machine alone and answers only whoever has read its token from a file of the home. It knows no
passages: texts, write locks and embeddings are each process's own.
"""

import base64
import hmac
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from knowledge.errors import KnowledgeError, StoreError
from knowledge.index.chroma import READ_BATCH, WRITE_BATCH, VectorStore

MAX_BYTES = 64 << 20  # of a request; a batch of vectors has about one megabyte
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 120.0
CLOSE_SECONDS = 30.0
PING = "ping"  # an operation without a collection: whether it is the right process that answers
OpenCollection = Callable[[str], VectorStore]


class HolderGoneError(StoreError):
    """The process that had the folder open has closed it, or ended."""


@dataclass(frozen=True)
class Holder:
    """Which process has a folder open, and how it is reached."""

    pid: int
    port: int
    token: str
    host: str

    @classmethod
    def read(cls, path: Path) -> "Holder | None":
        """What the file says; None where it says nothing yet, or is damaged."""
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(record["pid"]), int(record["port"]), str(record["token"]), str(record["host"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write the file, by rename, readable by its owner alone."""
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(self), file)
        partial.replace(path)

    @property
    def is_here(self) -> bool:
        """Whether it runs on this machine, where its port can be reached."""
        return self.host == socket.gethostname()


class VectorService:
    """Answers other processes as long as this one has the folder open."""

    def __init__(self, open_collection: OpenCollection) -> None:
        self._open_collection = open_collection
        self._collections: dict[str, VectorStore] = {}
        self._guard = threading.Condition()
        self._active, self._is_closing = 0, False
        token = secrets.token_urlsafe(32)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.token, self._server.answer = token, self.answer
        self.holder = Holder(os.getpid(), self._server.server_address[1], token, socket.gethostname())
        threading.Thread(target=self._server.serve_forever, name="vector-service", daemon=True).start()

    def answer(self, operation: str, arguments: dict[str, Any]) -> Any:
        """Do one operation of `OPERATIONS`, or answer a ping. Raises HolderGoneError once it is being closed."""
        if operation == PING:
            return True
        with self._busy():
            return OPERATIONS[operation](self._collection(str(arguments["collection"])), arguments)

    def close(self) -> None:
        """Take no more requests, and wait for those that are being answered."""
        with self._guard:
            self._is_closing = True
            self._guard.wait_for(lambda: not self._active, CLOSE_SECONDS)
        self._server.shutdown()
        self._server.server_close()

    def _collection(self, name: str) -> VectorStore:
        with self._guard:
            if name not in self._collections:
                self._collections[name] = self._open_collection(name)
            return self._collections[name]

    @contextmanager
    def _busy(self) -> Iterator[None]:
        with self._guard:
            if self._is_closing:
                raise HolderGoneError("the folder is being closed")
            self._active += 1
        try:
            yield
        finally:
            with self._guard:
                self._active -= 1
                self._guard.notify_all()


OPERATIONS: dict[str, Callable[[VectorStore, dict[str, Any]], Any]] = {
    "count": lambda store, _: store.count,
    "ids": lambda store, _: sorted(store.ids()),
    "put": lambda store, given: store.put(given["ids"], _decoded(given["vectors"])),
    "delete": lambda store, given: store.delete(given["ids"]),
    "nearest": lambda store, given: store.nearest(
        _decoded(given["vector"])[0], int(given["n"]), given["among"]
    ),
    "get": lambda store, given: _encoded_by_id(store.get(given["ids"])),
    "drop": lambda store, _: store.drop(),
}


class VectorLink:
    """A connection to the service of another process."""

    def __init__(self, holder: Holder) -> None:
        self.holder = holder
        self._http = httpx.Client(
            base_url=f"http://127.0.0.1:{holder.port}",
            headers={"Authorization": f"Bearer {holder.token}"},
            timeout=httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,  # no proxy stands between two processes of one machine
        )

    def ask(self, operation: str, **arguments: Any) -> Any:
        """The answer to one operation. Raises HolderGoneError where nobody answers, else StoreError."""
        try:
            reply = self._http.post(f"/{operation}", json=arguments)
        except httpx.TransportError as error:
            raise HolderGoneError(f"Process {self.holder.pid} does not answer any more ({error})") from error
        if reply.status_code in (401, 503):  # another process has its port now; it is closing
            raise HolderGoneError(f"Process {self.holder.pid} has closed the knowledge base")
        answer = reply.json()
        if reply.status_code != 200:
            raise StoreError(str(answer.get("error")))
        return answer["answer"]

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class LinkedVectors:
    """One collection of another process; the same methods as `VectorStore`."""

    def __init__(self, link: VectorLink, name: str) -> None:
        self._link, self.name = link, name

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return int(self._ask("count"))

    def put(self, ids: Sequence[str], vectors: np.ndarray) -> None:
        """Add vectors, or replace those of the same id."""
        for start in range(0, len(ids), WRITE_BATCH):
            part = slice(start, start + WRITE_BATCH)
            self._ask("put", ids=list(ids[part]), vectors=_encoded(vectors[part]))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove vectors; an unknown id is no error."""
        for start in range(0, len(ids), READ_BATCH):
            self._ask("delete", ids=list(ids[start : start + READ_BATCH]))

    def nearest(self, vector: np.ndarray, n: int, among: Sequence[str] | None = None) -> dict[str, float]:
        """The nearest ids with their cosine similarity, best first; only `among` those ids when given."""
        among = None if among is None else list(among)
        found: dict[str, float] = self._ask("nearest", vector=_encoded(vector[None, :]), n=n, among=among)
        return found

    def get(self, ids: Sequence[str]) -> dict[str, np.ndarray]:
        """Vectors by id; an unknown id is left out."""
        found: dict[str, np.ndarray] = {}
        for start in range(0, len(ids), READ_BATCH):
            answer = self._ask("get", ids=list(ids[start : start + READ_BATCH]))
            if answer["ids"]:
                found.update(zip(answer["ids"], _decoded(answer["vectors"]), strict=True))
        return found

    def ids(self) -> set[str]:
        """Every id."""
        return set(self._ask("ids"))

    def drop(self) -> None:
        """Delete the collection."""
        self._ask("drop")

    def _ask(self, operation: str, **arguments: Any) -> Any:
        return self._link.ask(operation, collection=self.name, **arguments)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    token: str
    answer: Callable[[str, dict[str, Any]], Any]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = 300  # seconds that an idle connection is kept

    def do_POST(self) -> None:
        given = self.headers.get("Authorization", "")
        length = self.headers.get("Content-Length", "")
        operation = self.path.removeprefix("/")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode()):
            return self._send(401, {"error": "wrong token"})
        if not length.isdigit() or int(length) > MAX_BYTES or operation not in {PING, *OPERATIONS}:
            return self._send(400, {"error": f"no operation {operation!r}, or a request of {length!r} bytes"})
        try:
            arguments = json.loads(self.rfile.read(int(length)))
            self._send(200, {"answer": self.server.answer(operation, arguments)})
        except HolderGoneError as error:
            self._send(503, {"error": str(error)})
        except KnowledgeError as error:
            self._send(500, {"error": str(error)})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._send(400, {"error": f"a request that makes no sense ({error!r})"})

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the service is no web server that a person looks at."""

    def _send(self, status: int, record: dict[str, Any]) -> None:
        body = json.dumps(record).encode()
        self.close_connection = self.close_connection or status in (400, 401)  # what was sent is not read
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _encoded(vectors: np.ndarray) -> dict[str, Any]:
    rows = np.ascontiguousarray(vectors, dtype="<f4")
    return {"size": rows.shape[1], "data": base64.b64encode(rows.tobytes()).decode("ascii")}


def _encoded_by_id(vectors: dict[str, np.ndarray]) -> dict[str, Any]:
    rows = np.stack(list(vectors.values())) if vectors else np.zeros((0, 1))
    return {"ids": list(vectors), "vectors": _encoded(rows)}


def _decoded(record: dict[str, Any]) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(record["data"]), dtype="<f4")
    return data.reshape(-1, int(record["size"])).astype(np.float32)
