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
from tests.knowledge.uploads import add_upload


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
    assert metadata["source"] == str(folder / "kettle.md")
    assert (metadata["title"], metadata["headings"][-1], metadata["page"]) == (
        "Zephyr kettle",
        "Weight",
        None,
    )
    assert base.passage(metadata["passage_id"]).text == documents[0].page_content


def test_a_follow_up_question_is_searched_with_its_conversation(base: KnowledgeBase, folder: Path) -> None:
    (folder / "urn.md").write_text("# Boreas urn\n\n## Weight\n\nIt weighs 3100 grams.\n", encoding="utf-8")
    base.add([folder])
    for name, grams in (("Zephyr kettle", "840"), ("Boreas urn", "3100")):
        history = [
            {"role": "user", "content": f"What colour is the {name}?"},
            {"role": "assistant", "content": "I do not know."},
        ]
        assert grams in base.search("And how heavy is it?", k=1, history=history)[0].passage.text


@pytest.mark.parametrize(
    "question",
    ["Who won the chess olympiad of 1972?", "What is the boiling point of mercury?", "谁写了红楼梦？", "  "],
)
def test_nothing_relevant_is_an_empty_list(base: KnowledgeBase, folder: Path, question: str) -> None:
    base.add([folder])
    assert base.search(question) == []


def test_near_duplicates_take_one_place_but_other_numbers_are_other_facts(base: KnowledgeBase) -> None:
    line = "The toll for crossing the bridge of Wick by cart in the year {} was {} silver coins a wheel{}"
    add_upload(base, "a.txt", line.format(1820, 4, ".").encode())
    add_upload(base, "b.txt", line.format(1820, 4, "!").encode())
    add_upload(base, "c.txt", line.format(1830, 6, ".").encode())
    hits = base.search("What was the toll for crossing the bridge of Wick?", k=3)
    assert len(hits) == 2
    assert sorted(len(hit.also) for hit in hits) == [0, 1]


def test_neighbours_are_joined_into_one_passage(base: KnowledgeBase, tmp_path: Path) -> None:
    sentences = [
        f"Room {at} of the museum of clocks shows clocks from the town of number {at}." for at in range(40)
    ]
    (tmp_path / "museum.txt").write_text("Museum guide\n\n" + " ".join(sentences), encoding="utf-8")
    base.add([tmp_path / "museum.txt"])
    assert base.count > 2
    hits = base.search("Which clocks does the museum of clocks show?", k=1)
    passage = hits[0].passage
    assert hits[0].joined
    stored = {one.id: one for one in base.passages(passage.document_id)}
    assert passage.end - passage.start >= sum(len(stored[one].text) for one in (passage.id, *hits[0].joined))
    assert passage.text.split() == " ".join(sentences).split()[: len(passage.text.split())] or hits[0].joined


def test_a_reranker_has_the_last_word(tmp_path: Path, minilm: SentenceEmbeddings) -> None:
    class Backwards:
        def score(self, question: str, texts: list[str]) -> Any:
            import numpy as np

            return np.array([-float(len(text)) for text in texts])

    with KnowledgeBase(tmp_path, embeddings=minilm, reranker=Backwards()) as base:
        add_upload(
            base, "long.txt", b"The lighthouse of Orrin was built by masons and painted white by sailors."
        )
        add_upload(base, "short.txt", b"Orrin has a lighthouse.")
        assert base.search("Who built the lighthouse of Orrin?", min_relevance=0)[0].passage.text.startswith(
            "Orrin"
        )
