"""Markdown, reStructuredText and program text."""

from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.sections import sections_of


def test_markdown_front_matter_setext_links_and_nested_fences() -> None:
    source = '---\ntitle: "Lamp book"\n---\nTop\n===\n\nSee [the *shop*](http://x.example/a_(b)).\n\n'
    source += "````md\n```py\n# no heading\n```\n````\n"
    document = read_bytes("a.md", source.encode())
    assert document.title == "Lamp book"
    assert sections_of(document) == [
        ("text", "See the *shop*.", ("Top",)),
        ("code", "```py\n# no heading\n```", ("Top",)),
    ]


def test_a_table_of_html_is_one_and_an_unclosed_one_is_text() -> None:
    table = "<table>\n<tr><th>Town<th>Boats\n\n<tr><td>Arvik<td><table><tr><td>7</table>\n</table>"
    document = read_bytes("a.md", f"Before\n{table}\nAfter\n\n<table>\nnever".encode())
    texts = [section.text for section in document.sections]
    assert texts == ["Before", "Town: Arvik; Boats: (7)", "After\n\n<table>\nnever"]


def test_restructured_text_headings() -> None:
    document = read_bytes("a.rst", b"====\nLamp\n====\n\nIt shines.\n\nParts\n-----\n\nFoot.\n")
    assert [line[1:] for line in sections_of(document)] == [
        ("It shines.", ("Lamp",)),
        ("Foot.", ("Lamp", "Parts")),
    ]


def test_program_text_is_code() -> None:
    assert sections_of(read_bytes("a.py", b"# no heading\n\ndef f():\n    return 1\n")) == [
        ("code", "# no heading\n\ndef f():\n    return 1", ())
    ]


def test_unclosed_fence_is_code_to_the_end() -> None:
    assert sections_of(read_bytes("a.md", b"text\n\n```\n# x\n\n| a | b |\n|---|---|\n"))[1][:2] == (
        "code",
        "# x\n\n| a | b |\n|---|---|",
    )


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
