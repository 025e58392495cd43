"""The index: what goes in is found, what is unchanged costs nothing, what is gone is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.embeddings import SentenceEmbeddings
from knowledge.index import KnowledgeBase

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


def test_what_was_indexed_is_found_in_both_languages(base: KnowledgeBase, folder: Path) -> None:
    assert [report.status for report in base.add([folder])] == ["added", "added"]
    assert "840 grams" in base.search("How heavy is the kettle?", k=1)[0].passage.text
    assert "林小月" in base.search("图书馆的馆长是谁？", k=1)[0].passage.text


def test_indexing_twice_changes_nothing(base: KnowledgeBase, folder: Path) -> None:
    base.add([folder])
    before = base.documents()
    assert [report.status for report in base.add([folder])] == ["unchanged", "unchanged"]
    assert base.documents() == before
