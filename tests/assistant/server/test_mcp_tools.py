"""The Model Context Protocol, through the official client: in this process, and over a process of its own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from assistant.server.mcp_tools import mcp_server
from assistant.settings import Settings
from assistant.workspace import Workspace
from knowledge.base.knowledge_base import KnowledgeBase
from tests.fakes import ScriptedEngine
from tuning.process import worker_environment

MANUAL = "The Skerrin is a weather station. The Skerrin weighs 640 grams. It is made in Norvik."


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    manual = tmp_path / "skerrin.md"
    manual.write_text(MANUAL, encoding="utf-8")
    with KnowledgeBase(tmp_path) as base:
        base.add([manual])
    opened = Workspace(Settings(home=tmp_path), engine=ScriptedEngine("640 grams"))
    yield opened
    opened.close()


@pytest.mark.real
async def test_documents_are_searched_and_asked(workspace: Workspace) -> None:
    async with Client(mcp_server(workspace, None, None)) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"search", "ask"}
        found = await client.call_tool("search", {"question": "How heavy is the Skerrin?"})
        asked = await client.call_tool("ask", {"question": "How heavy is the Skerrin?"})
    assert found.structured_content and "640 grams" in str(found.structured_content)
    assert asked.structured_content and asked.structured_content["answer"] == "The Skerrin weighs 640 grams."
    assert asked.structured_content["sources"]


async def test_an_error_is_told_in_its_sentence(tmp_path: Path) -> None:
    async with Client(mcp_server(Workspace(Settings(home=tmp_path)), "none", None)) as client:
        found = await client.call_tool("search", {"question": "?"})
    assert found.is_error and "knowledge base" in str(found.content)


@pytest.mark.slow
async def test_the_command_speaks_over_its_pipes(tmp_path: Path) -> None:
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "assistant.cli", "mcp"],
        env={**worker_environment(), "IMPRINT_HOME": str(tmp_path)},
    )
    async with Client(command) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"search", "ask"}
