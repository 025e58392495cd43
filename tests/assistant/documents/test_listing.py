"""The list of documents: their names, and what became of their files since they were indexed."""

import os
import time
from pathlib import Path

import pytest

from assistant.documents.listing import can_reindex, find_documents, labels, state_of
from assistant.errors import AssistantError
from knowledge.index.records import DocumentInfo


def test_a_document_whose_file_changed_or_went_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a", encoding="utf-8")
    info = DocumentInfo("id", str(path), "a", 1, 1, time.time() + 1, "hash")
    partly = DocumentInfo("id", str(path), "a", 1, 1, time.time() + 1, "hash", ("page 2 could not be read",))
    page = DocumentInfo("id", "https://example.com/a", "a", 1, 1, 0.0, "hash")
    assert [state_of(one) for one in (info, partly, page)] == ["ready", "partly", "ready"]
    assert can_reindex(info) and can_reindex(page)
    os.utime(path, (info.indexed + 9, info.indexed + 9))
    assert state_of(info) == "changed"
    path.unlink()
    assert state_of(info) == "gone" and not can_reindex(info)


def document(number: int, path: str) -> DocumentInfo:
    return DocumentInfo(str(number), path, path, 1, 1, 0.0, "hash")


SHELF = [document(1, "/a/manual.md"), document(2, "/b/manual.md"), document(3, "https://example.com/faq")]


def test_documents_of_one_name_are_told_apart_by_their_folders() -> None:
    assert labels(SHELF) == {"1": "a/manual.md", "2": "b/manual.md", "3": "example.com / faq"}


def test_a_path_names_one_document_and_a_file_name_all_that_have_it() -> None:
    assert find_documents(SHELF, ["/b/manual.md"]) == [SHELF[1]]
    assert find_documents(SHELF, ["manual.md", "https://example.com/faq"]) == SHELF
    with pytest.raises(
        AssistantError, match=r"no document 'price.csv'\. There are: manual.md, manual.md, example.com / faq"
    ):
        find_documents(SHELF, ["price.csv"])
