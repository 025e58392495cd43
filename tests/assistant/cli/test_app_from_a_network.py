"""`imprint app` as a network sees it, in a process of its own; and where neither app nor server starts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from assistant.cli.main import imprint
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.assistant.web.servers import answer
from tests.assistant.web.servers import connect as connect_to
from tests.fakes import ScriptedEngine

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("app_that_notes_connections.py")


@dataclass(frozen=True)
class App:
    """A running app, and the file that names whom it connected to."""

    port: int
    notes: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: object) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("app")
    port = unused_tcp_port_factory()  # type: ignore[operator]
    environment = {
        **os.environ,
        "IMPRINT_HOME": str(folder / "home"),
        "IMPRINT_ALLOWED_HOSTS": "imprint.example.org",
        "NOTES": str(folder / "notes"),
    }
    command = [sys.executable, str(SCRIPT), "app", "--port", str(port)]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health", process)
            yield App(port, folder / "notes")
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait()
    said = (folder / "log").read_text()
    assert said == f"Imprint is at http://127.0.0.1:{port}. Ctrl-C ends it.\n"
    assert not (folder / "home" / "app.json").exists()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None and time.monotonic() < deadline
        try:
            httpx.get(url, timeout=5)
            return
        except httpx.TransportError:
            time.sleep(0.1)


def opens(app: App, host: str | None = None, origin: str | None = None) -> bool:
    """Whether the app's WebSocket opens for such a handshake."""
    headers = {"Host": host} if host else {}
    try:
        with connect(f"ws://127.0.0.1:{app.port}/_stcore/stream", origin=origin, additional_headers=headers):  # type: ignore[arg-type]
            return True
    except InvalidStatus as refused:
        assert refused.response.status_code == 403
        return False


def test_the_websocket_opens_for_the_apps_own_pages_alone(app: App) -> None:
    assert opens(app) and opens(app, origin=app.url)
    assert not opens(app, origin="https://evil.example")
    assert not opens(app, origin="http://127.0.0.1:9")
    assert opens(app, origin="https://imprint.example.org")
    # nothing above made Streamlit ask a server on the internet what this machine's address is
    assert not app.notes.exists() or app.notes.read_text() == ""


def test_a_rebound_host_gets_nothing(app: App) -> None:
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/static/js/index.js"):
        refused = httpx.get(app.url + path, headers={"host": "evil.example"})
        assert refused.status_code == 403 and "IMPRINT_ALLOWED_HOSTS" in refused.text
    for path in ("/", "/knowledge", "/_stcore/health"):
        assert httpx.get(app.url + path).status_code == 200


def test_every_answer_of_the_app_has_the_headers(app: App) -> None:
    pages = ("/", "/chat", "/knowledge", "/checkpoints", "/compare", "/memory", "/settings")
    for path in (*pages, "/_stcore/health", "/media/nothing.png", "/_stcore/upload_file/a/b"):
        headers = httpx.get(app.url + path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "'unsafe-eval'" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"


def test_an_upload_that_is_too_large_is_refused_by_its_length(app: App) -> None:
    head = "PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 300000000\r\n\r\n"
    assert answer(connect_to(app.port, head.encode())).startswith("HTTP/1.1 413 ")


@pytest.mark.parametrize("command", ["app", "serve"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "imprint.example.org"])
def test_nothing_listens_beyond_this_machine_without_a_token(tmp_path: Path, command: str, host: str) -> None:
    workspace = Workspace(Settings(home=tmp_path, host=host), engine=ScriptedEngine())
    refused = CliRunner().invoke(imprint, [command, "--port", "8599"], obj=workspace)
    assert refused.exit_code == 1
    assert f"IMPRINT_HOST is {host!r}" in refused.stderr and "no IMPRINT_TOKEN is set" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
