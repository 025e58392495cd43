"""Makes the two binary documents of the sample domain from `sources/`: a PDF and a DOCX.

The results are committed; run this after a change to a source. Chromium prints the PDF. The Markdown that is
read here is what the manual needs and no more: headings, paragraphs, tables.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import docx
from docx.document import Document
from docx.shared import Pt

SOURCES = Path(__file__).parent / "sources"
DOCUMENTS = Path(__file__).parents[1] / "assistant" / "sample" / "documents"


def build_pdf(source: Path, target: Path) -> None:
    """Prints an HTML page into a PDF file."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        sys.exit(f"Printing {source.name} needs Chromium, which was not found. Try: apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
        own = [f"--user-data-dir={profile}", f"--print-to-pdf={target}"]
        subprocess.run([browser, *flags, *own, source.as_uri()], check=True, capture_output=True)


def build_docx(source: Path, target: Path) -> None:
    """Writes a Markdown text as a Word document."""
    document = docx.Document()
    document.styles["Normal"].font.name = "Liberation Sans"
    document.styles["Normal"].font.size = Pt(10.5)
    for block in source.read_text(encoding="utf-8").split("\n\n"):
        if block.startswith("# "):
            document.core_properties.title = block[2:].strip()
            document.add_heading(block[2:].strip(), level=0)
        elif block.startswith("## "):
            document.add_heading(block[3:].strip(), level=1)
        elif block.startswith("|"):
            add_table(document, [line.strip("| ").split(" | ") for line in block.splitlines()])
        else:
            document.add_paragraph(" ".join(block.split()))
    document.save(str(target))


def add_table(document: Document, rows: list[list[str]]) -> None:
    """Appends a table; the second row is Markdown's rule under the header."""
    header, _, *body = rows
    table = document.add_table(rows=0, cols=len(header), style="Light Grid Accent 1")
    for row in [header, *body]:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text
    document.add_paragraph()


if __name__ == "__main__":
    build_pdf(SOURCES / "skerrin-datasheet.html", DOCUMENTS / "skerrin-datasheet.pdf")
    build_docx(SOURCES / "maintenance-manual.md", DOCUMENTS / "maintenance-manual.docx")
