"""A knowledge base over one text, and an empty store of conversations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from assistant.history.conversations import ConversationStore
from knowledge.base.knowledge_base import KnowledgeBase

SKERRIN = "The Skerrin weighs 640 grams and is painted orange."


class Shelf(KnowledgeBase):
    """A real knowledge base over one text that remembers what it was asked."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, embeddings=DeterministicFakeEmbedding(size=16))
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.finds = True

    def search(self, question: str, k: int = 4, *, history: Any = (), **more: Any) -> list[Any]:
        self.asked.append((question, tuple(history)))
        return super().search(question, k, history=history, **more) if self.finds else []


@pytest.fixture(scope="session")
def opened_shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("knowledge")
    (folder / "a.md").write_text(SKERRIN, encoding="utf-8")
    with Shelf(folder) as shelf:
        shelf.add([folder / "a.md"])
        yield shelf


@pytest.fixture
def shelf(opened_shelf: Shelf) -> Shelf:
    opened_shelf.asked, opened_shelf.finds = [], True
    return opened_shelf


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations.sqlite3")
