"""Which loader reads a file, and what is refused with a reason."""

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.samples import packed

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def test_old_and_encrypted_office_files_say_what_to_do() -> None:
    with pytest.raises(DocumentError, match=r"old Office file .* save it in today's format"):
        read_bytes("a.doc", OLE)
    with pytest.raises(DocumentError, match="encrypted: save it without a password"):
        read_bytes("a.docx", OLE + "EncryptedPackage".encode("utf-16-le"))


def test_the_kind_is_told_by_content_before_the_name() -> None:
    assert read_bytes("a.txt", b"<!DOCTYPE html><html><body><p>Hello</p></body></html>").text == "Hello"
    with pytest.raises(DocumentError, match=r"named \.pdf and is not PDF inside"):
        read_bytes("a.pdf", b"just words")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.msg", OLE + "__substg1.0_0037".encode("utf-16-le"), r"an Outlook mail \(.msg\): save it as .eml"),
        (
            "a.doc",
            OLE + "WordDocument".encode("utf-16-le"),
            r"an old Word document \(.doc\): save it as .docx",
        ),
        ("a.xls", OLE + "Workbook".encode("utf-16-le"), r"an old Excel workbook \(.xls\): save it as .xlsx"),
        ("a.ppt", OLE + "PowerPoint Document".encode("utf-16-le"), r"an old PowerPoint presentation"),
        ("a.xlsb", packed({"xl/workbook.bin": b""}), r"a binary Excel workbook \(.xlsb\)"),
        ("a.pages", packed({"Index/Document.iwa": b""}), "Apple Pages, Numbers or Keynote"),
        ("a.zip", packed({"a.txt": b"x"}), "a zip archive: unpack it"),
        ("a.mp3", b"ID3\x04" + bytes(60), "a recording, which is not read"),
        ("a.mp4", b"\x00\x00\x00\x20ftypisom" + bytes(60), "a film, which is not read: add its subtitles"),
        ("a.db", b"SQLite format 3\x00" + bytes(60), "a SQLite database: export its tables as CSV"),
        ("a.heic", b"\x00\x00\x00\x20ftypheic" + bytes(60), "HEIC or AVIF"),
        ("a.odt", b"just words", r"named .odt and is not OpenDocument inside"),
    ],
)
def test_what_is_not_read_is_refused_for_its_true_reason(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        read_bytes(name, data)
