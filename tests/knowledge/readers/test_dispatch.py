"""Which loader reads a file, and what is refused with a reason."""

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import read_bytes


def test_old_and_encrypted_office_files_say_what_to_do() -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    with pytest.raises(DocumentError, match=r"old Office file .* save it in today's format"):
        read_bytes("a.doc", ole)
    with pytest.raises(DocumentError, match="encrypted: save it without a password"):
        read_bytes("a.docx", ole + "EncryptedPackage".encode("utf-16-le"))


def test_the_kind_is_told_by_content_before_the_name() -> None:
    assert read_bytes("a.txt", b"<!DOCTYPE html><html><body><p>Hello</p></body></html>").text == "Hello"
    with pytest.raises(DocumentError, match=r"named \.pdf and is not PDF inside"):
        read_bytes("a.pdf", b"just words")
