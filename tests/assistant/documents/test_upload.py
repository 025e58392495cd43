"""Batches of files that are indexed in the background."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from assistant.documents.upload import UploadedDocument, UploadQueue, visible_documents, with_scheme
from assistant.errors import AssistantError
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.reports import DocumentReport
from tests.knowledge.readers.pdf_maker import PdfPage, encrypted, pdf


@pytest.fixture
def base(tmp_path: Path) -> Iterator[KnowledgeBase]:
    with KnowledgeBase(tmp_path / "home", embeddings=DeterministicFakeEmbedding(size=8)) as opened:
        yield opened


def test_every_file_of_a_batch_is_reported_and_a_locked_one_opens_with_its_password(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n\nThe first.\n", encoding="utf-8")
    (folder / "vault.pdf").write_bytes(encrypted(pdf(PdfPage().text(60, 60, "Gold.")), "sesame"))
    queue = UploadQueue()
    task = queue.start("default", lambda: base, uploads=[("b.txt", b"The second.")], paths=[folder])
    assert task.wait(60) and not task.error
    assert {Path(one.path).name: one.failed for one in task.documents} == {
        "b.txt": False,
        "a.md": False,
        "vault.pdf": True,
    }
    assert [Path(one.path).name for one in task.documents] == [Path(path).name for path in task.files]
    assert [Path(path).name for path in task.locked] == ["vault.pdf"]
    again = queue.start("default", lambda: base, paths=task.locked, password="sesame")
    assert again.wait(60) and [report.status for report in again.reports] == ["added"]


def test_a_path_that_is_not_there_is_refused_at_once(base: KnowledgeBase) -> None:
    with pytest.raises(AssistantError, match="There is no file or folder '/nowhere/at/all'"):
        UploadQueue().start("default", lambda: base, paths=[Path("/nowhere/at/all")])


def test_an_address_is_typed_with_or_without_its_scheme() -> None:
    assert with_scheme(" example.com/a ") == "https://example.com/a"
    assert with_scheme("http://example.com") == "http://example.com"


def test_of_a_large_batch_failures_and_current_files_are_shown() -> None:
    done = [UploadedDocument(f"done{n}", "embedding", DocumentReport(f"done{n}", "added")) for n in range(50)]
    failed = UploadedDocument("failed", "reading", DocumentReport("failed", "failed"))
    ahead = [UploadedDocument(f"ahead{n}", "waiting", None) for n in range(50)]
    now = UploadedDocument("now", "reading", None)
    lines = [failed, *done, now, *ahead]
    assert [one.path for one in visible_documents(lines, finished=2, waiting=1)] == [
        "failed",
        "done48",
        "done49",
        "now",
        "ahead0",
    ]
    assert visible_documents(lines, finished=100, waiting=100) == lines
