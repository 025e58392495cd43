"""The vector store view of a knowledge base: LangChain's standard suite, and what it does not look at."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import VectorStoreIntegrationTests

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.langchain_vectorstore import KnowledgeVectorStore
from knowledge.errors import StoreError


@pytest.fixture(scope="module")
def opened_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KnowledgeBase]:
    embeddings = VectorStoreIntegrationTests.get_embeddings()
    with KnowledgeBase(tmp_path_factory.mktemp("home"), embeddings=embeddings) as base:
        yield base


class TestVectorStoreStandard(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, opened_once: KnowledgeBase) -> Iterator[VectorStore]:  # type: ignore[override]
        yield KnowledgeVectorStore(opened_once)
        for document in opened_once.documents():
            opened_once.remove(document.id)


@pytest.fixture
def store(base: KnowledgeBase) -> KnowledgeVectorStore:
    return KnowledgeVectorStore(base)


def test_files_are_found_beside_what_was_added(store: KnowledgeVectorStore, folder: Path) -> None:
    store._base.add([folder])
    store.add_texts(["The Zephyr kettle holds 1.7 litres."], [{"shelf": 3}], ids=["litres"])
    found = store.similarity_search("How much does the Zephyr kettle hold, and how heavy is it?", k=2)
    assert {one.metadata.get("shelf") for one in found} == {3, None}
    assert {Path(one.metadata["source"]).name for one in found if "source" in one.metadata} == {"kettle.md"}


def test_a_long_document_is_found_by_its_passage_and_comes_back_whole(store: KnowledgeVectorStore) -> None:
    filler = [f"Lighthouse number {n} was painted in the year {1800 + n}, by its keeper." for n in range(60)]
    text = " ".join([*filler, "The Orrin light is fed with whale oil."])
    store.add_documents([Document(id="lights", page_content=text, metadata={"author": "Wick"})])
    (best, *_) = store.similarity_search("What is the Orrin light fed with?", k=1)
    assert "whale oil" in best.page_content and len(best.page_content) < len(text)
    assert (best.id, best.metadata["author"]) == ("lights", "Wick")
    assert text[best.metadata["start_index"] :].startswith(best.page_content)
    (whole,) = store.get_by_ids(["lights"])
    assert (whole.page_content, whole.metadata) == (text, {"author": "Wick"})


def test_scores_are_the_probability_of_being_about_the_question(store: KnowledgeVectorStore) -> None:
    store.add_texts(["The Zephyr kettle weighs 840 grams.", "Tarn has nine lamps."])
    scored = store.similarity_search_with_relevance_scores("How heavy is the Zephyr kettle?", k=2)
    (best, high), (_, low) = scored
    assert "840" in best.page_content and 1 >= high > low >= 0


def test_a_removed_document_is_gone_with_what_was_given(store: KnowledgeVectorStore) -> None:
    store.add_texts(["The Zephyr kettle weighs 840 grams."], ids=["a"])
    (document,) = store._base.documents()
    store._base.remove(document.id)
    assert store.get_by_ids(["a"]) == [] and store._base.count == 0


def test_what_cannot_be_kept_is_refused_in_a_sentence(store: KnowledgeVectorStore) -> None:
    with pytest.raises(StoreError, match="metadata of document 'x' cannot be kept: Object of type Path"):
        store.add_texts(["text"], [{"path": type("Path", (), {})()}], ids=["x"])
    with pytest.raises(StoreError, match="Document 'y' has no text"):
        store.add_texts(["text", "  "], ids=["x", "y"])
    with pytest.raises(StoreError, match="the index itself is not emptied"):
        store.delete()
    with pytest.raises(StoreError, match="give it as `base`"):
        KnowledgeVectorStore.from_texts(["text"], store.embeddings)
    assert store._base.count == 0
