"""One embedding model for all tests of the knowledge base."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.index.embeddings import SentenceEmbeddings

KETTLE = "# Zephyr kettle\n\n## Weight\n\nIt weighs 840 grams.\n\n## Colour\n\nIt comes in teal and ochre.\n"
LIBRARY = "风筝城的图书馆建于一九八二年，馆长是林小月。\n"


@pytest.fixture(scope="session")
def minilm() -> SentenceEmbeddings:
    return SentenceEmbeddings()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "kettle.md").write_text(KETTLE, encoding="utf-8")
    (docs / "library.txt").write_text(LIBRARY, encoding="utf-8")
    return docs


@pytest.fixture
def base(tmp_path: Path, minilm: SentenceEmbeddings) -> Iterator[KnowledgeBase]:
    with KnowledgeBase(tmp_path / "home", embeddings=minilm) as opened:
        yield opened
