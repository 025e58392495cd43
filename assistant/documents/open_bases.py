"""The knowledge bases of one home that are open: each is opened once, when it is first needed."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import AssistantError
from assistant.lazy import IMPORT_LOCK

if TYPE_CHECKING:
    from assistant.settings import Settings
    from knowledge.base.knowledge_base import KnowledgeBase
    from knowledge.index.embeddings import SentenceEmbeddings


class OpenBases:
    """The open knowledge bases, by name. Safe to share between threads."""

    def __init__(
        self, settings: "Callable[[], Settings]", embeddings: "Callable[[], SentenceEmbeddings]"
    ) -> None:
        """Both are asked when a base is opened: the settings may have changed by then."""
        self._settings, self._embeddings = settings, embeddings
        self._opened: dict[str, KnowledgeBase] = {}
        self._lock = threading.RLock()

    def get(self, name: str) -> "KnowledgeBase":
        """A knowledge base, opened on the first call. Raises KnowledgeError."""
        with self._lock:
            if name not in self._opened:
                self._opened[name] = self._open(name)
            return self._opened[name]

    def _open(self, name: str) -> "KnowledgeBase":
        with IMPORT_LOCK:
            from knowledge.base.knowledge_base import KnowledgeBase  # heavy: torch, chromadb
            from knowledge.ingest.fetch import WebLimits
            from knowledge.search.reranking import CrossEncoderReranker

        settings = self._settings()
        reranker, trusts = settings.reranker, trusted_code(settings.home)
        return KnowledgeBase(
            settings.home,
            name,
            embeddings=self._embeddings(),
            chroma_url=settings.chroma_url,
            reranker=CrossEncoderReranker(reranker, trusts=trusts) if reranker else None,
            web=WebLimits(allow_private=settings.allow_private_urls),
        )

    def existing(self, name: str) -> "KnowledgeBase":
        """Like `get`, but only for one that exists. Raises AssistantError."""
        known = self.names()
        if name not in known and name not in self._opened:
            raise AssistantError(
                f"There is no knowledge base {name!r}. There are: {', '.join(known) or 'none yet'}. "
                f"Add documents with `imprint index PATH --kb {name}` or on the Knowledge page."
            )
        return self.get(name)

    def names(self) -> list[str]:
        """Names of the knowledge bases in this home."""
        from knowledge.base.knowledge_base import knowledge_bases  # heavy: torch, chromadb

        return knowledge_bases(self._settings().home)

    def delete(self, name: str) -> None:
        """Delete a knowledge base for good. Raises AssistantError, KnowledgeError."""
        base = self.existing(name)
        base.delete()
        with self._lock:
            self._opened.pop(name, None)

    def rename(self, name: str, wanted: str) -> None:
        """Give a knowledge base another name. Raises AssistantError, KnowledgeError."""
        base = self.existing(name)
        with self._lock:
            base.rename(wanted)
            self._opened.pop(name, None)

    def close(self) -> None:
        """Close all, so that another process may open them."""
        with self._lock:
            opened, self._opened = self._opened, {}
        for knowledge in opened.values():
            knowledge.close()


def trusted_code(home: Path) -> Callable[[str, Path], bool]:
    """Tells whether a person allowed the code in the folder of an embedding model or reranker."""
    return partial(_is_trusted, home)


def _is_trusted(home: Path, name: str, folder: Path) -> bool:
    with IMPORT_LOCK:
        from tuning.models.model_code import is_allowed  # heavy: transformers

    return is_allowed(name, folder, home)
