"""The server as `imprint serve` runs it: what is refused leaves nothing behind."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.web.listening import protected
from assistant.workspace import Workspace
from tests.assistant.web.servers import serving
from tests.fakes import ScriptedEngine

JSON = {"content-type": "application/json"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[httpx.Client]:
    settings = Settings(home=tmp_path, max_upload_mb=4)
    workspace = Workspace(settings, engine=ScriptedEngine("640 grams"))
    app = protected(create_app(workspace), settings, upload_paths=("/v1/files",), api=True)
    with serving(app) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client
    workspace.close()


def parts(megabytes: int) -> Iterator[bytes]:
    """A file in a form, whose length nothing says beforehand."""
    yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
    for _ in range(megabytes):
        yield bytes(1 << 20)
    yield b"\r\n--x--\r\n"


@pytest.mark.parametrize("megabytes", [5, 40])
@pytest.mark.parametrize("says_its_length", [True, False])
def test_a_file_that_is_too_large_leaves_nothing(
    server: httpx.Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    megabytes: int,
    says_its_length: bool,
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    content = b"".join(parts(megabytes)) if says_its_length else parts(megabytes)
    headers = {"content-type": "multipart/form-data; boundary=x"}
    refused = server.post("/v1/files", content=content, headers=headers)
    assert refused.status_code == 413 and "larger than" in refused.json()["error"]["message"]
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []
    assert list(spool.iterdir()) == []


def test_a_large_question_is_refused(server: httpx.Client) -> None:
    def body() -> Iterator[bytes]:
        yield b'{"messages": [{"role": "user", "content": "'
        for _ in range(12):
            yield b"x" * (1 << 20)
        yield b'"}]}'

    for content in (b"".join(body()), body()):
        refused = server.post("/v1/chat/completions", content=content, headers=JSON)
        assert refused.status_code == 413 and refused.json()["error"]["type"] == "invalid_request_error"
    assert server.get("/v1/models").status_code == 200


@pytest.mark.parametrize(
    ("path", "given"),
    [
        ("chat/completions", {"messages": [{"role": "user", "content": "x"}] * 20_000}),
        ("messages", {"messages": [{"role": "user", "content": "x"}] * 20_000, "max_tokens": 1}),
        ("responses", {"input": [{"role": "user", "content": "x"}] * 20_000}),
        ("chat/completions", {"messages": [{"role": "user", "content": "x"}], "tools": [{}] * 200}),
    ],
)
def test_more_than_any_model_reads_is_refused_by_its_number(
    server: httpx.Client, path: str, given: dict[str, object]
) -> None:
    refused = server.post(f"/v1/{path}", json=given)
    assert refused.status_code == 400 and "at most" in refused.json()["error"]["message"]


def test_another_site_starts_and_ends_nothing(server: httpx.Client) -> None:
    foreign = {"origin": "https://evil.example", "content-type": "text/plain"}
    for path in ("/v1/files", "/v1/fine_tuning/jobs", "/v1/fine_tuning/jobs/2/cancel"):
        assert server.post(path, headers=foreign).status_code == 403
    rebound = server.get("/v1/models", headers={"host": "evil.example:8600"})
    assert rebound.status_code == 403 and "x-frame-options" in rebound.headers


def test_a_question_of_a_program_is_answered_while_it_streams(server: httpx.Client) -> None:
    body = {"messages": [{"role": "user", "content": "How heavy?"}], "stream": True}
    with server.stream("POST", "/v1/chat/completions", json=body) as answer:
        assert answer.headers["content-security-policy"]
        assert list(answer.iter_lines())[-2] == "data: [DONE]"
    assert asyncio.run(_many(str(server.base_url))) == [200] * 50


async def _many(url: str) -> list[int]:
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        answers = await asyncio.gather(*(client.get("/health") for _ in range(50)))
    return [answer.status_code for answer in answers]
