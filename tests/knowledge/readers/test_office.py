"""DOCX, PPTX, XLSX and EPUB: headings, lists, nested and merged tables, charts, notes, protected books."""

import datetime
import io
import zipfile
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from openpyxl.styles import Font
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from knowledge.errors import DocumentError
from knowledge.ingest.document import Document, read_bytes


def saved(file: Any) -> bytes:
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def shown(document: Document) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(section.kind, section.text, section.headings) for section in document.sections]


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
    assert shown(document) == [
        ("text", "It shines.", ("Lamp",)),
        ("text", "foot\n\nhead", ("Lamp", "Parts")),
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
        "Lamp: Borealis (maker: Smith; year: 1987); Watt: unknown; Room: unknown",
    ]


def test_docx_shows_the_text_as_it_is_now() -> None:
    file = docx.Document()
    paragraph = file.add_paragraph("Price: ")
    paragraph._p.append(parse_xml(f"<w:del {nsdecls('w')}><w:r><w:delText>ten</w:delText></w:r></w:del>"))
    paragraph._p.append(parse_xml(f"<w:ins {nsdecls('w')}><w:r><w:t>twelve</w:t></w:r></w:ins>"))
    assert read_bytes("a.docx", saved(file)).text == "Price: twelve"


def test_pptx_slides_are_pages_with_tables_charts_and_notes() -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Lamps"
    slide.placeholders[1].text = "They shine"
    slide.notes_slide.notes_text_frame.text = "Smile here"
    second = deck.slides.add_slide(deck.slide_layouts[5])
    second.shapes.title.text = "Figures"
    table = second.shapes.add_table(3, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for row, cells in enumerate((("Lamp", "Watt"), ("Aurora", "12"), ("Borealis", "34"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    data = CategoryChartData()
    data.categories = ["2024", "2025"]
    data.add_series("sold", (7, 9))
    second.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, Inches(1), Inches(4), Inches(4), Inches(2), data)
    document = read_bytes("a.pptx", saved(deck))
    assert [
        (section.page, *line) for section, line in zip(document.sections, shown(document), strict=True)
    ] == [
        (1, "text", "They shine\n\nNotes: Smile here", ("Lamps",)),
        (2, "table", "Lamp: Aurora; Watt: 12\nLamp: Borealis; Watt: 34", ("Figures",)),
        (2, "table", "category: 2024; sold: 7\ncategory: 2025; sold: 9", ("Figures",)),
    ]


def test_slide_with_nothing_but_a_title_is_found() -> None:
    deck = pptx.Presentation()
    for title in ("First", "Second"):
        deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = title
    assert [section.text for section in read_bytes("a.pptx", saved(deck)).sections] == ["First", "Second"]


def test_xlsx_sheets_tables_merged_headers_dates() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Stock"
    sheet.append(["Inventory of the northern store"])
    sheet.append([])
    sheet.append(["Lamp", "Sold", "Sold", "Since"])
    sheet.append(["Lamp", "north", "south", "Since"])
    sheet.merge_cells("B3:C3")
    sheet.merge_cells("A3:A4")
    sheet.merge_cells("D3:D4")
    sheet.append(["Aurora", 12, 0.5, datetime.date(1987, 3, 1)])
    sheet["C5"].number_format = "0%"
    sheet["A3"].font = Font(bold=True)
    book.create_sheet("Empty")
    other = book.create_sheet("Notes")
    other["C7"] = "A single remark."
    document = read_bytes("a.xlsx", saved(book))
    assert shown(document) == [
        ("text", "Inventory of the northern store", ("Stock",)),
        ("table", "Lamp: Aurora; Sold / north: 12; Sold / south: 50%; Since: 1987-03-01", ("Stock",)),
        ("text", "A single remark.", ("Notes",)),
    ]


def test_xlsx_that_claims_a_million_rows_is_quick() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "first"
    book.active["XFD1048576"] = "last"
    assert "last" in read_bytes("a.xlsx", saved(book)).text


def epub(chapters: dict[str, str], encrypted: str = "") -> bytes:
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(chapters)))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("mimetype", "application/epub+zip")
        file.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
        )
        file.writestr(
            "OEBPS/content.opf",
            '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>The Lamp</dc:title></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for name, text in chapters.items():
            file.writestr(
                f"OEBPS/{name}", f"<html xmlns='http://www.w3.org/1999/xhtml'><body>{text}</body></html>"
            )
        if encrypted:
            file.writestr(
                "META-INF/encryption.xml", f'<encryption><CipherReference URI="{encrypted}"/></encryption>'
            )
    return out.getvalue()


def test_epub_chapters_in_order() -> None:
    document = read_bytes(
        "a.epub", epub({"z.xhtml": "<h1>One</h1><p>First.</p>", "a.xhtml": "<h1>二</h1><p>第二。</p>"})
    )
    assert document.title == "The Lamp"
    assert [(section.page, section.text, section.headings) for section in document.sections] == [
        (1, "First.", ("One",)),
        (2, "第二。", ("二",)),
    ]


def test_protected_book_is_refused() -> None:
    with pytest.raises(DocumentError, match="protected against copying"):
        read_bytes("a.epub", epub({"a.xhtml": "<p>x</p>"}, encrypted="OEBPS/a.xhtml"))


def test_old_and_encrypted_office_files_say_what_to_do() -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    with pytest.raises(DocumentError, match=r"old Office file .* save it in today's format"):
        read_bytes("a.doc", ole)
    with pytest.raises(DocumentError, match="encrypted: save it without a password"):
        read_bytes("a.docx", ole + "EncryptedPackage".encode("utf-16-le"))
