"""The LangChain faces of the knowledge base, against LangChain's own conformance suites."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_tests.integration_tests import EmbeddingsIntegrationTests, RetrieversIntegrationTests
from langchain_tests.unit_tests import EmbeddingsUnitTests

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.langchain_retriever import KnowledgeRetriever
from knowledge.index.embeddings import SentenceEmbeddings
from tests.knowledge.bases import add_upload


class TestEmbeddingsStandard(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SentenceEmbeddings


class TestEmbeddingsStandardOnRealWeights(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return SentenceEmbeddings


class TestRetrieverStandard(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _base(self, tmp_path: Path, minilm: SentenceEmbeddings) -> Iterator[None]:
        with KnowledgeBase(tmp_path, embeddings=minilm) as self._opened:
            for number, place in enumerate(("Orrin", "Tarn", "Sorrel", "Kestrel", "Wick")):
                add_upload(
                    self._opened,
                    f"{number}.txt",
                    f"The lighthouse of {place} has {number + 3} lamps.".encode(),
                )
            yield

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return KnowledgeRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"base": self._opened}

    @property
    def retriever_query_example(self) -> str:
        return "How many lamps has the lighthouse of Orrin?"


async def test_a_document_says_where_it_comes_from(base: KnowledgeBase, folder: Path) -> None:
    base.add([folder])
    documents = await KnowledgeRetriever(base=base, k=1).ainvoke("How heavy is the Zephyr kettle?")
    metadata = documents[0].metadata
    assert set(metadata) == {
        *("source", "title", "page", "headings", "start", "end"),
        *("score", "passage_id", "document_id", "also"),
    }
    assert metadata["source"] == str(folder / "kettle.md")
    assert (metadata["title"], metadata["headings"][-1], metadata["page"]) == (
        "Zephyr kettle",
        "Weight",
        None,
    )
    assert base.passage(metadata["passage_id"]).text == documents[0].page_content
