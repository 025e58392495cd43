"""LangChain's agent with a knowledge base as its tool, on the default model and, where it is there, on a larger one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import create_retriever_tool

from assistant.engines.langchain_model import ImprintChatModel
from assistant.engines.llama_engine import LlamaEngine
from benchmarks import second_model
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.langchain_retriever import KnowledgeRetriever
from knowledge.index.embeddings import SentenceEmbeddings
from tuning.checkpoints.registry import Registry
from tuning.config import DEFAULT_BASE
from tuning.models.gguf_base import GgufBase

pytestmark = [pytest.mark.slow, pytest.mark.real]

MANUAL = "The Skerrin is a weather station. The Skerrin weighs 640 grams. It is made in Norvik."


@pytest.fixture(
    params=[
        DEFAULT_BASE,
        pytest.param(
            str(second_model.path()),
            marks=pytest.mark.skipif(
                not second_model.is_there(), reason="fetched by `python -m benchmarks.second_model` alone"
            ),
        ),
    ]
)
def engine(request: pytest.FixtureRequest, imprint_home: Path) -> Iterator[LlamaEngine]:
    base = GgufBase.find(request.param, imprint_home)
    assert base is not None
    opened = LlamaEngine(base, Registry(imprint_home))
    yield opened
    opened.close()


def test_an_agent_looks_up_and_answers(engine: LlamaEngine, tmp_path: Path) -> None:
    manual = tmp_path / "skerrin.md"
    manual.write_text(MANUAL, encoding="utf-8")
    with KnowledgeBase(tmp_path / "home", embeddings=SentenceEmbeddings(device="cpu")) as base:
        base.add([manual])
        search = create_retriever_tool(
            KnowledgeRetriever(base=base, k=1), "search_manual", "Search the manual of the Skerrin."
        )
        agent = create_agent(ImprintChatModel(engine=engine, max_tokens=96), [search])
        question = ("user", "Look up in the manual how heavy the Skerrin is.")
        messages = agent.invoke({"messages": [question]}, {"recursion_limit": 8})["messages"]
    called, found, answer = messages[1], messages[2], messages[-1]
    assert isinstance(called, AIMessage) and called.tool_calls[0]["name"] == "search_manual"
    assert isinstance(found, ToolMessage) and "640 grams" in found.text
    assert isinstance(answer, AIMessage) and answer.text and not answer.tool_calls
