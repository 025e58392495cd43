"""Batches of files on their way into a knowledge base, and what became of documents since."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from assistant.documents.listing import can_be_read_again, state_of
from assistant.documents.upload import UploadedDocument, UploadQueue, as_address, shown
from assistant.errors import AssistantError
from knowledge.base.knowledge_base import KnowledgeBase
from knowledge.base.reports import DocumentReport
from knowledge.index.passage_store import DocumentInfo
from tests.knowledge.readers.pdf_maker import PdfPage, encrypted, pdf


@pytest.fixture
def base(tmp_path: Path) -> Iterator[KnowledgeBase]:
    with KnowledgeBase(tmp_path / "home", embeddings=DeterministicFakeEmbedding(size=8)) as opened:
        yield opened


def test_every_file_of_a_batch_has_a_line_and_a_locked_one_opens_with_its_password(
    base: KnowledgeBase, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n\nThe first.\n", encoding="utf-8")
    (folder / "vault.pdf").write_bytes(encrypted(pdf(PdfPage().text(60, 60, "Gold.")), "sesame"))
    indexing = UploadQueue()
    intake = indexing.start("default", lambda: base, uploads=[("b.txt", b"The second.")], paths=[folder])
    assert intake.wait(60) and not intake.error
    assert {Path(line.path).name: line.failed for line in intake.lines} == {
        "b.txt": False,
        "a.md": False,
        "vault.pdf": True,
    }
    assert [Path(line.path).name for line in intake.lines] == [Path(path).name for path in intake.files]
    assert [Path(path).name for path in intake.locked] == ["vault.pdf"]
    again = indexing.start("default", lambda: base, paths=intake.locked, password="sesame")
    assert again.wait(60) and [report.status for report in again.reports] == ["added"]


def test_a_path_that_is_not_there_is_refused_at_once(base: KnowledgeBase) -> None:
    with pytest.raises(AssistantError, match="There is no file or folder '/nowhere/at/all'"):
        UploadQueue().start("default", lambda: base, paths=[Path("/nowhere/at/all")])


def test_an_address_is_typed_with_or_without_its_scheme() -> None:
    assert as_address(" example.com/a ") == "https://example.com/a"
    assert as_address("http://example.com") == "http://example.com"


def test_of_many_lines_those_that_say_something_are_shown() -> None:
    done = [UploadedDocument(f"done{n}", "embedding", DocumentReport(f"done{n}", "added")) for n in range(50)]
    failed = UploadedDocument("failed", "reading", DocumentReport("failed", "failed"))
    ahead = [UploadedDocument(f"ahead{n}", "waiting", None) for n in range(50)]
    now = UploadedDocument("now", "reading", None)
    lines = [failed, *done, now, *ahead]
    assert [line.path for line in shown(lines, finished=2, waiting=1)] == [
        "failed",
        "done48",
        "done49",
        "now",
        "ahead0",
    ]
    assert shown(lines, finished=100, waiting=100) == lines


def test_a_document_whose_file_changed_or_went_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a", encoding="utf-8")
    info = DocumentInfo("id", str(path), "a", 1, 1, time.time() + 1, "hash")
    partly = DocumentInfo("id", str(path), "a", 1, 1, time.time() + 1, "hash", ("page 2 could not be read",))
    page = DocumentInfo("id", "https://example.com/a", "a", 1, 1, 0.0, "hash")
    assert [state_of(one) for one in (info, partly, page)] == ["ready", "partly", "ready"]
    assert can_be_read_again(info) and can_be_read_again(page)
    os.utime(path, (info.indexed + 9, info.indexed + 9))
    assert state_of(info) == "changed"
    path.unlink()
    assert state_of(info) == "gone" and not can_be_read_again(info)
