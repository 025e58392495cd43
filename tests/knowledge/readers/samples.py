"""One whole document of every kind, and one of every kind of harm, made in memory."""

import io
import json
import zipfile
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import docx
import openpyxl
import pptx
import pypdfium2
from pptx.util import Inches

from tests.knowledge.readers.pdf_maker import PdfPage, assemble, encrypted, pdf

ENGLISH = "The Skerrin lamp weighs 640 grams. It was drawn by Oona Pellatt, who had designed kettles before."
CHINESE = "斯克林灯重六百四十克。它由欧娜设计，她以前设计水壶。这是一个关于灯的说明。"


def saved(file: Any) -> bytes:
    """What `file.save` writes."""
    out = io.BytesIO()
    file.save(out)
    return out.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    """A zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def whole() -> dict[str, bytes]:
    """Name → bytes of documents that must be read; each says that the lamp weighs 640 grams."""
    return {name: make() for name, make in _WHOLE.items()}


def hostile() -> dict[str, bytes]:
    """Name → bytes of files that must be refused, each within seconds."""
    return {name: make() for name, make in _HOSTILE.items()}


def _pdf_pages() -> list[PdfPage]:
    first = PdfPage().text(60, 60, "Skerrin data sheet", 18, "bold").text(60, 90, ENGLISH)
    first.grid([60, 200, 340], [120, 140, 160, 180])
    for y, row in ((134, ("Lamp", "Weight")), (154, ("Skerrin", "640 grams")), (174, ("Tolva", "90 grams"))):
        first.text(65, y, row[0]).text(205, y, row[1])
    return [first, PdfPage().text(60, 60, CHINESE, 12)]


def _scan() -> bytes:
    page = pypdfium2.PdfDocument(pdf(*_pdf_pages()))[0]
    return saved_picture(page.render(scale=1.5).to_pil(), "PDF")


def saved_picture(picture: Any, form: str) -> bytes:
    """A picture as a file."""
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def word_file() -> bytes:
    """A Word document with a heading, a list and a merged and a nested table."""
    file = docx.Document()
    file.add_heading("Skerrin", 1)
    file.add_paragraph(ENGLISH)
    file.add_paragraph("a list item", style="List Bullet")
    table = file.add_table(3, 3)
    table.cell(0, 0).merge(table.cell(1, 1)).text = "merged"
    table.cell(2, 2).add_table(2, 2).cell(0, 0).text = "nested"
    return saved(file)


def slides_file() -> bytes:
    """A presentation with a table and notes."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Skerrin"
    slide.placeholders[1].text = ENGLISH
    slide.notes_slide.notes_text_frame.text = "Smile here."
    table = slide.shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(1, 0).text = "Lamp", "Skerrin"
    return saved(deck)


def sheets_file() -> bytes:
    """A workbook with two sheets and a merged cell."""
    book = openpyxl.Workbook()
    book.active.append(["Lamp", "Weight", "Sold"])
    for number in range(30):
        book.active.append([f"Lamp {number}", "640 grams", number / 3])
    book.active.merge_cells("A5:A7")
    book.create_sheet("More")["C3"] = "A remark."
    return saved(book)


def epub_file(chapters: dict[str, str], encrypted: str = "") -> bytes:
    """An EPUB of these chapters, by file name; `encrypted` names a member that is protected."""
    items = "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(chapters)))
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>'
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>The Lamp</dc:title></metadata>"
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    members = {"META-INF/container.xml": container, "OEBPS/content.opf": package}
    for name, text in chapters.items():
        members[f"OEBPS/{name}"] = f"<html xmlns='http://www.w3.org/1999/xhtml'><body>{text}</body></html>"
    if encrypted:
        protected = f'<encryption><CipherReference URI="{encrypted}"/></encryption>'
        members["META-INF/encryption.xml"] = protected
    return packed({name: text.encode() for name, text in members.items()})


def book_file() -> bytes:
    """An EPUB of two chapters."""
    container = b'<container><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    package = (
        '<package><metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Skerrin</dc:title></metadata>'
        '<manifest><item id="a" href="a.xhtml"/><item id="b" href="b.xhtml"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    chapters = {
        f"OEBPS/{name}.xhtml": f"<html><h1>{name}</h1><p>{text}</p></html>".encode() for name, text in _TEXTS
    }
    members = {"mimetype": b"application/epub+zip", "META-INF/container.xml": container}
    return packed({**members, "OEBPS/book.opf": package.encode(), **chapters})


_TEXTS = (("a", ENGLISH), ("b", CHINESE))
_HTML = (
    f"<html><head><title>Skerrin</title></head><body><nav>Home</nav><h1>Skerrin</h1><p>{ENGLISH}</p><table><tr><th>"
    f"Lamp<th>Weight<tr><td>Skerrin<td rowspan=2>640 grams<tr><td>Tolva</table><pre>x = 1</pre>"
    f"<p>{CHINESE}</p>"
)
_MARKDOWN = f"# Skerrin\n\n{ENGLISH}\n\n| Lamp | Weight |\n|---|---|\n| Skerrin | 640 grams |\n\n"
_MARKDOWN += "```py\nx = 1\n```\n"
_RECORDS = [
    {"lamp": f"Lamp {number}", "weight": "640 grams", "rooms": ["hall", "厅"]} for number in range(20)
]
_CSV = "lamp;weight\n" + "\n".join(f'"Lamp ""{number}""";640 grams' for number in range(50))

_WHOLE: dict[str, Callable[[], bytes]] = {
    "sheet.pdf": lambda: pdf(*_pdf_pages(), title="Skerrin data sheet"),
    "locked-for-printing.pdf": lambda: encrypted(pdf(*_pdf_pages()), "", "owner"),
    "manual.docx": word_file,
    "talk.pptx": slides_file,
    "stock.xlsx": sheets_file,
    "novel.epub": book_file,
    "page.html": _HTML.encode,
    "page-utf16.html": lambda: _HTML.encode("utf-16"),
    "page-gb18030.html": lambda: _HTML.replace("<head>", "<head><meta charset=gb18030>").encode("gb18030"),
    "notes.md": _MARKDOWN.encode,
    "table.csv": _CSV.encode,
    "table.tsv": lambda: _CSV.replace(";", "\t").encode(),
    "records.json": lambda: json.dumps({"title": "Skerrin", "lamps": _RECORDS}).encode(),
    "records.jsonl": lambda: "\n".join(map(json.dumps, _RECORDS)).encode(),
    "note.eml": lambda: f"Subject: Lamps\nFrom: a@example.org\n\n{ENGLISH}\n".encode(),
    "note.rtf": lambda: b"{\\rtf1 " + ENGLISH.encode() + b"\\par}",
    "data.xml": lambda: f"<lamps><lamp><name>Skerrin</name><note>{ENGLISH}</note></lamp></lamps>".encode(),
    "talk.srt": lambda: f"1\n00:00:01,000 --> 00:00:04,000\n{ENGLISH}\n".encode(),
    "paper.tex": lambda: f"\\section{{Lamps}}\n{ENGLISH}\n".encode(),
    "lamp.ipynb": lambda: json.dumps({"cells": [{"cell_type": "markdown", "source": [ENGLISH]}]}).encode(),
    "utf-8.txt": lambda: f"{ENGLISH}\n\n{CHINESE}".encode(),
    "utf-16.txt": lambda: f"{ENGLISH}\n\n{CHINESE}".encode("utf-16"),
    "gb18030.txt": lambda: (CHINESE * 3).encode("gb18030"),
    "big5.txt": lambda: ("這是一個關於燈的說明，它重六百四十克，由歐娜設計。" * 3).encode("big5"),
    "shift-jis.txt": lambda: ("このランプの重さは六百四十グラムです。" * 3).encode("cp932"),
    "cp1252.txt": lambda: f"{ENGLISH} Déjà vu – “naïve” façade, 12 €.".encode("cp1252"),
}


def _entities() -> bytes:
    names = "abcdefghij"
    entities = '<!ENTITY a "lol">'
    for last, name in pairwise(names):
        entities += f'<!ENTITY {name} "{f"&{last};" * 10}">'
    return packed({"word/document.xml": f"<!DOCTYPE x [{entities}]><x>&j;</x>".encode()})


def _external() -> bytes:
    xml = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    return packed({"word/document.xml": xml.encode()})


def _cyclic() -> bytes:
    tree = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 4 /Kids [3 0 R 2 0 R] >>",
        b"<< /Type /Pages /Count 2 /Kids [2 0 R 3 0 R] /Parent 2 0 R >>",
    ]
    return assemble(tree, 1)


_HOSTILE: dict[str, Callable[[], bytes]] = {
    "zero-bytes.pdf": bytes,
    "cut-off.pdf": lambda: pdf(*_pdf_pages())[:300],
    "cut-off.docx": lambda: word_file()[:9000],
    "cut-off.epub": lambda: book_file()[:300],
    "encrypted.pdf": lambda: encrypted(pdf(*_pdf_pages()), "sesame"),
    "encrypted.docx": lambda: (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") * 9
    ),
    "old.doc": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000),
    "cyclic-pages.pdf": _cyclic,
    "entities-that-multiply.docx": _entities,
    "entity-of-another-file.docx": _external,
    "zip-bomb.docx": lambda: packed({"word/document.xml": bytes(40 * 2**20)}),
    "zip-bomb.epub": lambda: packed({"META-INF/container.xml": bytes(40 * 2**20)}),
    "climbs-out.docx": lambda: packed({"../../evil.txt": b"x", "word/document.xml": b"<x/>"}),
    "archive.zip": lambda: packed({"a.txt": b"text"}),
    "deep.json": lambda: b"[" * 100_000,
    "binary.txt": lambda: bytes(range(256)) * 100,
    "named-wrongly.pdf": lambda: b"only words",
    "scan.pdf": _scan,
}
