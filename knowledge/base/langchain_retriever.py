"""The knowledge base as a LangChain retriever."""

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.search.relevance import MIN_RELEVANCE
from knowledge.search.selection import Hit


class KnowledgeRetriever(BaseRetriever):
    """`invoke(question)` → the best passages as LangChain documents, best first."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    base: KnowledgeBase
    k: int = 4
    documents: list[str] | None = None  # only in these documents, by id or path
    min_relevance: float = MIN_RELEVANCE  # 0 returns even what is hardly about the question

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None, **kwargs: Any
    ) -> list[Document]:
        documents = kwargs.get("documents", self.documents)
        hits = self.base.search(
            query,
            k or self.k,
            history=kwargs.get("history", ()),
            documents=documents,
            min_relevance=self.min_relevance,
        )
        return [as_document(hit) for hit in hits]


def as_document(hit: Hit) -> Document:
    """A hit as a LangChain document."""
    passage = hit.passage
    metadata = {
        "source": passage.source,
        "title": passage.title,
        "page": passage.page,
        "headings": list(passage.headings),
        "start": passage.start,
        "end": passage.end,
        "score": hit.score,
        "passage_id": passage.id,
        "document_id": passage.document_id,
        "also": [other.source for other in hit.also],
    }
    return Document(id=passage.id, page_content=passage.text, metadata=metadata)
