"""Files of every kind → documents with title, headings, pages and spans."""

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import read_bytes


def test_markdown_keeps_headings_tables_and_code() -> None:
    source = "# Lamp\n\nIt **shines**.\n\n## Parts\n\n| part | mass |\n|---|---|\n| foot | 2 kg |\n\n"
    source += "```py\nx = 1\n\ny = 2\n```\n"
    document = read_bytes("lamp.md", source.encode())
    assert document.title == "Lamp"
    assert [(section.kind, section.text, section.headings) for section in document.sections] == [
        ("text", "It shines.", ("Lamp",)),
        ("table", "part: foot; mass: 2 kg", ("Lamp", "Parts")),
        ("code", "x = 1\n\ny = 2", ("Lamp", "Parts")),
    ]
    for section in document.sections:
        assert document.text[section.start : section.end] == section.text


def test_an_empty_file_is_refused_by_name() -> None:
    with pytest.raises(DocumentError, match=r"void\.txt: the file is empty"):
        read_bytes("void.txt", b"")
