"""The knowledge base as a LangChain vector store: documents by id, with their metadata.

It finds as the knowledge base does, by words and vectors together; documents that were indexed from files are
found beside those that were added here.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.langchain_retriever import as_document
from knowledge.errors import StoreError
from knowledge.ingest.chunking import Passage
from knowledge.search.selection import Hit


class KnowledgeVectorStore(VectorStore):
    """LangChain's view of one knowledge base."""

    def __init__(self, base: KnowledgeBase) -> None:
        self._base = base

    @property
    def embeddings(self) -> Embeddings:
        """The embedding model of the knowledge base."""
        return self._base.embeddings

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Index texts, each as a document of its own, and return their ids; one of the same id is replaced.

        Raises KnowledgeError where a text is empty or its metadata are no JSON, and then keeps none of them.
        """
        several = list(texts)
        named = [one or str(uuid.uuid4()) for one in ids or [None] * len(several)]
        about = metadatas or [{} for _ in several]
        documents = [
            Document(id=id, page_content=text, metadata=metadata)
            for id, text, metadata in zip(named, several, about, strict=True)
        ]
        for one in documents:
            if not one.page_content.strip():
                raise StoreError(
                    f"Document {one.id!r} has no text, so nothing of it can be found. Leave it out."
                )
        self._base.given.put(documents)
        return named

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool | None:
        """Remove documents that were added here; an unknown id is no error."""
        if ids is None:
            raise StoreError(
                "Which documents are to be removed? Give their ids; the index itself is not emptied."
            )
        self._base.given.remove(ids)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents of these ids as they were given; an unknown id is left out."""
        return self._base.given.get(ids)

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """The best documents for a question, best first."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    def similarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """With the probability that each is about the question. `documents` limits it to ids or paths."""
        hits = self._base.search(query, k, documents=kwargs.get("documents"), min_relevance=0.0)
        given = self._base.given.of_documents(
            passage.document_id for hit in hits for passage in (hit.passage, *hit.also)
        )
        found = [
            (_document(hit, passage, given.get(passage.document_id)), hit.relevance)
            for hit in hits
            for passage in (hit.passage, *hit.also)
        ]
        return found[:k]

    def _similarity_search_with_relevance_scores(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        return self.similarity_search_with_score(query, k, **kwargs)

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> "KnowledgeVectorStore":
        """A store over `base`, with these texts; `embedding` must be the one that the base indexes with."""
        base = kwargs.get("base")
        if not isinstance(base, KnowledgeBase) or base.embeddings is not embedding:
            raise StoreError(
                "A vector store is a view of a knowledge base: give it as `base`, and its own `embeddings`."
            )
        store = cls(base)
        store.add_texts(texts, metadatas, ids=ids)
        return store


def _document(hit: Hit, passage: Passage, given: Document | None) -> Document:
    """What was given, or of a long text the passage that was found; a passage of a file where nothing was given."""
    if given is None:
        return as_document(replace(hit, passage=passage, also=()))
    if given.page_content.strip() == passage.text:
        return given
    return Document(
        id=given.id, page_content=passage.text, metadata={**given.metadata, "start_index": passage.start}
    )
