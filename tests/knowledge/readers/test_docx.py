"""DOCX: headings, lists, nested and merged tables, tracked changes."""

import io
import zipfile

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.samples import saved
from tests.knowledge.readers.sections import sections_of


def test_docx_keeps_headings_lists_and_order() -> None:
    file = docx.Document()
    file.core_properties.title = "Manual"
    file.add_heading("Lamp", 1)
    file.add_paragraph("It shines.")
    file.add_heading("Parts", 2)
    file.add_paragraph("foot", style="List Bullet")
    file.add_paragraph("head", style="List Bullet")
    file.add_heading("Care", 1)
    file.add_paragraph("Dust it.\nOften.")
    document = read_bytes("a.docx", saved(file))
    assert document.title == "Manual"
    assert sections_of(document) == [
        ("text", "It shines.", ("Lamp",)),
        ("text", "- foot\n- head", ("Lamp", "Parts")),
        ("text", "Dust it.\nOften.", ("Care",)),
    ]


def test_docx_tables_repeat_merged_cells_and_open_nested_ones() -> None:
    file = docx.Document()
    table = file.add_table(4, 3)
    for column, name in enumerate(("Lamp", "Watt", "Room")):
        table.cell(0, column).text = name
    table.cell(1, 0).merge(table.cell(2, 0)).text = "Aurora"
    table.cell(1, 1).text, table.cell(2, 1).text = "12", "34"
    table.cell(1, 2).text, table.cell(2, 2).text = "hall", "loft"
    table.cell(3, 0).text = "Borealis"
    table.cell(3, 1).merge(table.cell(3, 2)).text = "unknown"
    inner = table.cell(3, 0).add_table(2, 2)
    for cell, text in zip(inner._cells, ("maker", "year", "Smith", "1987"), strict=True):
        cell.text = text
    (section,) = read_bytes("a.docx", saved(file)).sections
    assert section.text.split("\n") == [
        "Lamp: Aurora; Watt: 12; Room: hall",
        "Lamp: Aurora; Watt: 34; Room: loft",
        "Lamp: Borealis (maker: Smith; year: 1987); Watt, Room: unknown",
    ]


def test_docx_shows_the_text_as_it_is_now() -> None:
    file = docx.Document()
    paragraph = file.add_paragraph("Price: ")
    paragraph._p.append(parse_xml(f"<w:del {nsdecls('w')}><w:r><w:delText>ten</w:delText></w:r></w:del>"))
    paragraph._p.append(parse_xml(f"<w:ins {nsdecls('w')}><w:r><w:t>twelve</w:t></w:r></w:ins>"))
    assert read_bytes("a.docx", saved(file)).text == "Price: twelve"


def test_a_document_that_lies_under_another_name_is_found() -> None:
    file = docx.Document()
    file.add_heading("Lamp", 1)
    file.add_paragraph("It shines.")
    moved = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(file))) as old, zipfile.ZipFile(moved, "w") as new:
        for name in old.namelist():  # as Office 365 writes it
            renamed = name.replace("word/document.xml", "word/document2.xml")
            new.writestr(renamed, old.read(name).replace(b"word/document.xml", b"word/document2.xml"))
    document = read_bytes("a.docx", moved.getvalue())
    assert sections_of(document) == [("text", "It shines.", ("Lamp",))]
