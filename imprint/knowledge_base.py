"""`KnowledgeBase`: documents in, passages found, as a program and as LangChain see them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.tools import BaseTool
    from langchain_core.vectorstores import VectorStore

    from assistant.workspace import Workspace
    from knowledge.base.knowledge_base import KnowledgeBase as Index
    from knowledge.base.reports import DocumentReport
    from knowledge.index.records import DocumentInfo
    from knowledge.search.selection import Hit

SEARCHES = (
    "Searches the documents of the knowledge base {name!r} and returns the passages that answer a question."
)


@dataclass(frozen=True)
class Passage:
    """A passage that was found; the highest score is the best of this knowledge base, and compares with no other's."""

    text: str
    source: str  # a path, an address, or the name that a program gave
    title: str
    page: int | None
    headings: tuple[str, ...]
    score: float
    id: str


class KnowledgeBase:
    """A named knowledge base of a home; opened, and made where there is none, when it is first used."""

    def __init__(self, workspace: "Workspace", name: str) -> None:
        self._workspace = workspace
        self.name = name

    def __repr__(self) -> str:
        return f"<KnowledgeBase {self.name!r} of {self._workspace.home}>"

    @property
    def _index(self) -> "Index":
        return self._workspace.knowledge(self.name)

    def add(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        progress: "Callable[[DocumentReport, int, int], None] | None" = None,
        password: str | None = None,
    ) -> "list[DocumentReport]":
        """Index files, folders and web addresses; what is unchanged is skipped, what cannot be read is reported.

        `progress(report, done, total)` follows the files. Raises KnowledgeError where the index cannot be written.
        """
        several = [paths] if isinstance(paths, str | Path) else list(paths)
        return self._index.add(several, progress=progress, password=password)

    def add_documents(self, documents: "Sequence[Document]") -> list[str]:
        """Index LangChain documents; those of one `source` are one document. Returns the documents' ids."""
        return self._index.add_documents(documents)

    def documents(self) -> "list[DocumentInfo]":
        """Every document that is indexed."""
        return self._index.documents()

    def remove(self, document_id: str) -> None:
        """Remove a document by its id; its file stays where it is. Raises KnowledgeError."""
        self._index.remove(document_id)

    def search(self, question: str, k: int = 4) -> list[Passage]:
        """The best passages for a question, best first; none where no passage is about it."""
        return [_passage(hit) for hit in self._index.search(question, k)]

    def as_retriever(self, k: int = 4, documents: Sequence[str] | None = None) -> "BaseRetriever":
        """A LangChain retriever; `documents` limits it to these ids or paths."""
        from knowledge.base.langchain_retriever import KnowledgeRetriever  # heavy: chromadb

        only = None if documents is None else list(documents)
        return KnowledgeRetriever(base=self._index, k=k, documents=only)

    def as_vectorstore(self) -> "VectorStore":
        """A LangChain vector store: documents by id, with their metadata, beside those that were indexed from files."""
        from knowledge.base.langchain_vectorstore import KnowledgeVectorStore  # heavy: chromadb

        return KnowledgeVectorStore(self._index)

    def as_tool(
        self, name: str = "search_documents", description: str | None = None, k: int = 4
    ) -> "BaseTool":
        """A LangChain tool that an agent may call with a question."""
        from langchain_core.tools import create_retriever_tool  # heavy: most programs have no agent

        return create_retriever_tool(
            self.as_retriever(k), name, description or SEARCHES.format(name=self.name)
        )


def _passage(hit: "Hit") -> Passage:
    found = hit.passage
    return Passage(found.text, found.source, found.title, found.page, found.headings, hit.score, found.id)
