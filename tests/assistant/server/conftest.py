"""A server on loopback over the default model, shared by the tests that need a real one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openai
import pytest
import uvicorn

from assistant.server.app import create_app
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine


@contextmanager
def serving(workspace: Workspace) -> Iterator[str]:
    """The address of a running server, up to /v1."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(create_app(workspace), log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        server.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def served(imprint_home: Path) -> Iterator[str]:
    """A server over the default model."""
    workspace = Workspace(Settings(home=imprint_home))
    with serving(workspace) as address:
        yield address
    workspace.close()


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[tuple[ScriptedEngine, openai.OpenAI]]:
    """An engine with scripted answers, and a client of a running server over it."""
    engine = ScriptedEngine()
    with (
        serving(Workspace(Settings(home=tmp_path), engine=engine)) as address,
        openai.OpenAI(base_url=address, api_key="any", max_retries=0) as client,
    ):
        yield engine, client


@pytest.fixture
def real(served: str) -> Iterator[openai.OpenAI]:
    """OpenAI's own client of that server."""
    with openai.OpenAI(base_url=served, api_key="any", max_retries=0) as client:
        yield client
