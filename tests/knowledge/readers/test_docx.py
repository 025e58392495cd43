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


W = nsdecls("w")


def _word(*parts: str) -> list[str]:
    file = docx.Document()
    for part in parts:
        file.element.body.insert(len(file.element.body) - 1, parse_xml(part))
    return read_bytes("a.docx", saved(file)).text.split("\n")


def _paragraph(inside: str, properties: str = "") -> str:
    return f"<w:p {W}><w:pPr>{properties}</w:pPr>{inside}</w:p>"


def _run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r>'


def _row(*texts: str, properties: str = "", cells: str = "") -> str:
    written = "".join(f"<w:tc><w:tcPr>{cells}</w:tcPr><w:p>{_run(text)}</w:p></w:tc>" for text in texts)
    return f"<w:tr><w:trPr>{properties}</w:trPr>{written}</w:tr>"


def test_cells_stay_in_their_columns_where_a_row_begins_late_or_was_deleted() -> None:
    rows = [
        _row("Town", "Boats", "Fees"), _row("Arvik", "7", "40"),
        _row("9", "41", properties='<w:gridBefore w:val="1"/>'),
        _row("Old", "1", "2", properties='<w:del w:id="1"/>'),
        _row("Brenn", "5", properties='<w:gridAfter w:val="1"/>'),
    ]  # fmt: skip
    assert _word(f"<w:tbl {W}>{''.join(rows)}</w:tbl>") == [
        "Town: Arvik; Boats: 7; Fees: 40", "Boats: 9; Fees: 41", "Town: Brenn; Boats: 5",
    ]  # fmt: skip


def test_what_a_reader_sees_of_changes_controls_and_signs() -> None:
    end_deleted = '<w:rPr><w:del w:id="1"/></w:rPr>'
    box = '<w:r><w:sym w:font="Wingdings" w:char="F0{}"/></w:r>'
    control = "<w:sdt><w:sdtPr>{}</w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>"
    ruby = f"<w:r><w:ruby><w:rt>{_run('とう')}</w:rt><w:rubyBase>{_run('東')}</w:rubyBase></w:ruby></w:r>"
    assert _word(
        _paragraph(_run("The fee is "), end_deleted),
        _paragraph(_run("40 kroner.") + _run("secret", "<w:vanish/>")),
        _paragraph(box.format("FE") + _run(" storm ") + box.format("A8") + _run(" theft")),
        _paragraph(_run("Cover: ") + control.format("<w:dropDownList/>", _run("Storm"))),
        _paragraph(_run("Name: ") + control.format("<w:showingPlcHdr/>", _run("Click to enter text."))),
        _paragraph(ruby + _run("京")),
    ) == ["The fee is 40 kroner.", "", "☒ storm ☐ theft", "", "Cover: Storm", "", "Name:", "", "東京"]


def test_bold_words_in_the_middle_of_a_table_name_the_columns_below() -> None:
    document = docx.Document()
    rows = (("Town", "Boats"), ("Arvik", "7"), ("Harbour", "Depth"), ("North", "deep"))
    table = document.add_table(len(rows), 2)
    for at, row in enumerate(rows):
        for place, text in enumerate(row):
            table.cell(at, place).paragraphs[0].add_run(text).bold = at % 2 == 0
    assert read_bytes("a.docx", saved(document)).text.split("\n") == [
        "Town: Arvik; Boats: 7",
        "Harbour: North; Depth: deep",
    ]
