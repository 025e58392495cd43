"""A model hub on loopback: it serves the files of folders, and breaks off, refuses, or is slow where a test says so."""

import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

_INFO = re.compile(r"/api/models/([^/]+/[^/?]+)(?:/revision/[^?]+)?(?:\?.*)?$")
_FILE = re.compile(r"/([^/]+/[^/]+)/resolve/[^/]+/([^?]+)")
_CHUNK = 64 * 1024
LARGE = 100_000  # bytes from which a file has a SHA-256 at the hub, as with Git LFS


@dataclass
class Hub:
    """What is served, how, and what was asked for."""

    models: dict[str, Path] = field(default_factory=dict)
    refused: dict[str, tuple[int, str]] = field(
        default_factory=dict
    )  # model -> status and the hub's own code
    breaks_after: list[int] = field(default_factory=list)  # bytes of the next answers, each but once
    seconds_a_chunk: float = 0.0
    ignores_ranges: bool = False
    damages: bool = False
    license: str = "apache-2.0"
    revision: str = "a" * 40
    asked: list[tuple[str, str]] = field(default_factory=list)  # file and range
    url: str = ""

    def info(self, name: str) -> dict[str, Any]:
        files = sorted(path for path in self.models[name].iterdir() if path.is_file())
        return {
            "id": name,
            "sha": self.revision,
            "siblings": [_sibling(path) for path in files],
            "cardData": {"license": self.license},
            "tags": [],
        }


def _sibling(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    blob = hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()
    found: dict[str, Any] = {"rfilename": path.name, "size": len(content), "blobId": blob}
    if len(content) > LARGE:
        found["lfs"] = {
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "pointerSize": 130,
        }
    return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:
        """Silence."""

    def do_GET(self) -> None:
        if match := _INFO.match(self.path):
            self._about(match[1])
        elif match := _FILE.match(self.path):
            self._file(match[1], match[2])
        else:
            self._refuse(404, "")

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _about(self, name: str) -> None:
        if name in self.hub.refused:
            self._refuse(*self.hub.refused[name])
        elif name not in self.hub.models:
            self._refuse(401, "RepoNotFound")
        else:
            body = json.dumps(self.hub.info(name)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def _file(self, name: str, path: str) -> None:
        asked = self.headers.get("Range", "")
        self.hub.asked.append((path, asked))
        if f"{name}/{path}" in self.hub.refused:
            self._refuse(*self.hub.refused[f"{name}/{path}"])
            return
        content = (self.hub.models[name] / path).read_bytes()
        if self.hub.damages:
            content = bytes(len(content))
        start = 0 if self.hub.ignores_ranges or not asked else int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self._send(content[start:])

    def _send(self, content: bytes) -> None:
        most = len(content)
        if self.hub.breaks_after and len(content) > LARGE:
            most = self.hub.breaks_after.pop(0)
        for at in range(0, most, _CHUNK):
            try:
                self.wfile.write(content[at : min(at + _CHUNK, most)])
                self.wfile.flush()
            except OSError:  # who asked has gone
                self.close_connection = True
                return
            time.sleep(self.hub.seconds_a_chunk)
        if most < len(content):
            self.close_connection = True


@contextmanager
def serving() -> Iterator[Hub]:
    """A hub at `url` until the block ends."""
    hub = Hub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this process ask that hub, as HF_ENDPOINT does for one that starts."""
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
