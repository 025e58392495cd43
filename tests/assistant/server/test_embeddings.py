"""Embeddings over HTTP: how much is read of one request, and for how long."""

import asyncio
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine


class Lengths:
    """As vector, a text has the number of its characters; its words are its tokens."""

    window, dimension = 258, 1

    def __init__(self) -> None:
        self.read: list[str] = []
        self.has_begun, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.read += texts
        self.has_begun.set()
        self.goes_on.wait(60)
        return [[float(len(text))] for text in texts]


@pytest.fixture
def embeddings(monkeypatch: pytest.MonkeyPatch) -> Lengths:
    found = Lengths()
    monkeypatch.setattr(Workspace, "embeddings", found)
    return found


@pytest.fixture
def app(tmp_path: Path, embeddings: Lengths) -> FastAPI:
    return create_app(Workspace(Settings(home=tmp_path), engine=ScriptedEngine("")))


def test_each_text_keeps_its_place_and_what_is_read_of_it_is_counted(app: FastAPI) -> None:
    texts = ["word " * count for count in (300, 1, 2, *range(3, 90))]
    answer = TestClient(app).post("/v1/embeddings", json={"input": texts, "dimensions": 1}).json()
    assert [one["embedding"] for one in answer["data"]] == [[float(len(text))] for text in texts]
    assert answer["usage"]["total_tokens"] == 256 + 1 + 2 + sum(range(3, 90))


@pytest.mark.parametrize(
    ("asked", "param", "told"),
    [
        ({"input": ["word " * 300] * 1200}, "input", "300,000"),
        ({"input": ["a"], "dimensions": 64}, "dimensions", "have 1"),
        ({"input": ["a", None]}, "input", "null or an object"),
        ({"input": ["a", 5]}, "input", "check_embedding_ctx_length=False"),
    ],
)
def test_what_is_refused_costs_no_vector(
    app: FastAPI, embeddings: Lengths, asked: dict[str, Any], param: str, told: str
) -> None:
    refused = TestClient(app).post("/v1/embeddings", json=asked)
    error = refused.json()["error"]
    assert refused.status_code == 400 and error["param"] == param and told in error["message"]
    assert not embeddings.read


def test_a_client_that_leaves_ends_the_reading(app: FastAPI, embeddings: Lengths) -> None:
    embeddings.goes_on.clear()
    body = json.dumps({"input": ["a word"] * 1000}).encode()
    received = iter([{"type": "http.request", "body": body}])

    async def receive() -> dict[str, Any]:
        if (message := next(received, None)) is not None:
            return message
        if not embeddings.has_begun.is_set():
            await asyncio.sleep(60)  # whoever asks meanwhile is told nothing
        asyncio.get_running_loop().call_later(0.5, embeddings.goes_on.set)
        return {"type": "http.disconnect"}

    async def send(message: object) -> None: ...

    headers = [(b"content-type", b"application/json"), (b"host", b"testserver")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/embeddings",
        "headers": headers,
        "query_string": b"",
    }
    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    assert 0 < len(embeddings.read) < 1000
