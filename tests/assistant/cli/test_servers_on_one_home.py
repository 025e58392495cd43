"""`imprint serve` beside a running app, and a restore beside both: they start again with what was restored."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from assistant.backup.create import create_backup
from assistant.backup.restore import restore_backup
from tests.browser.waiting import wait_until
from tuning.models.base_model import BaseModel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
WAIT_SECONDS = 240.0  # for imports on a busy machine


@pytest.fixture
def home(tmp_path: Path, imprint_home: Path, base_model: BaseModel) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(imprint_home / "models", target_is_directory=True)
    return home


@contextmanager
def running(home: Path, log: Path, command: str) -> Iterator[tuple["subprocess.Popen[bytes]", httpx.Client]]:
    """`imprint app` or `imprint serve`, answering."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("w") as said, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        process = subprocess.Popen(
            [sys.executable, "-m", "assistant.cli", command, "--port", str(port)],
            env={**os.environ, "IMPRINT_HOME": str(home)},
            cwd=ROOT,
            stdout=said,
            stderr=said,
        )
        try:
            assert wait_until(lambda: process.poll() is not None or answers(client), WAIT_SECONDS)
            yield process, client
        finally:
            process.terminate()
            process.wait(60)


def answers(client: httpx.Client) -> bool:
    """Whether the server answers, whatever it says of the path: the app has another than the API."""
    try:
        return client.get("/health").status_code < 500
    except httpx.TransportError:
        return False


def upload(client: httpx.Client, text: bytes) -> str:
    reply = client.post("/v1/files", files={"file": ("a.jsonl", text)}, data={"purpose": "fine-tune"})
    return str(reply.raise_for_status().json()["id"])


def files(client: httpx.Client) -> list[str]:
    return [one["id"] for one in client.get("/v1/files").raise_for_status().json()["data"]]


@pytest.mark.skipif(os.name == "nt", reason="there a process cannot replace itself")
def test_the_server_answers_beside_the_app_and_both_give_way_to_a_restore(home: Path, tmp_path: Path) -> None:
    logs = [tmp_path / "app.log", tmp_path / "serve.log"]
    with ExitStack() as servers:
        app, page = servers.enter_context(running(home, logs[0], "app"))
        server, api = servers.enter_context(running(home, logs[1], "serve"))
        question = {"messages": [{"role": "user", "content": "Say yes."}], "max_tokens": 2}
        assert api.post(
            "/v1/chat/completions", json={"model": "smollm2-135m-instruct", **question}
        ).is_success
        kept = upload(api, b"{}")
        archive = create_backup(home, tmp_path / "b.zip").path
        after = upload(api, b"[]")
        assert set(files(api)) == {kept, after}
        report = restore_backup(home, archive)
        assert report.kept is not None and len(list((report.kept / "files").glob("file-*"))) == 2
        assert wait_until(lambda: answers(api) and answers(page), WAIT_SECONDS)
        assert files(api) == [kept]
        assert (app.poll(), server.poll()) == (None, None)
    for log in logs:
        said = log.read_text()
        assert "a backup is being restored" in said and "Traceback" not in said
        assert said.count("Ctrl-C ends it.") == 2
