"""EPUB: chapters in reading order, protected books."""

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.samples import epub_file


def test_epub_chapters_in_order() -> None:
    document = read_bytes(
        "a.epub", epub_file({"z.xhtml": "<h1>One</h1><p>First.</p>", "a.xhtml": "<h1>二</h1><p>第二。</p>"})
    )
    assert document.title == "The Lamp"
    assert [(section.page, section.text, section.headings) for section in document.sections] == [
        (1, "First.", ("One",)),
        (2, "第二。", ("二",)),
    ]


def test_protected_book_is_refused() -> None:
    with pytest.raises(DocumentError, match="protected against copying"):
        read_bytes("a.epub", epub_file({"a.xhtml": "<p>x</p>"}, encrypted="OEBPS/a.xhtml"))
