"""PDF → blocks through PDFium; scanned pages by text recognition where it is installed."""

import re
import time
from collections.abc import Callable

import pypdfium2
import pypdfium2.raw as pdfium_c

from knowledge.errors import DocumentError, PasswordNeededError
from knowledge.readers import ocr
from knowledge.readers.blocks import MAX_CHARACTERS, Block, ParsedFile, one_line
from knowledge.readers.pdf_forms import annotations, has_unread_form
from knowledge.readers.pdf_layout import reading_order
from knowledge.readers.pdf_page import page_edges, page_text
from knowledge.readers.pdf_running_lines import Page
from knowledge.readers.pdf_tables import ruled_tables
from knowledge.readers.pdf_text import blocks_of
from knowledge.readers.pdf_xfa import form_values

MAX_PAGES = 5_000
_XFA_NOTE = (
    "it holds an XFA form, of which the filled fields were read and no other text: print it to a PDF first"
)
OCR_SCALE = 2.0  # 144 dots an inch
OCR_PIXELS = 3_000.0  # of the longer side
_NO_TITLE = re.compile(
    r"^(?:untitled|microsoft word|powerpoint|document\d*$|title$)|\.\w{2,5}$", re.IGNORECASE
)


def no_seconds(pages: int) -> float:
    """Grants no time: scanned pages are not recognised."""
    return 0.0


def load_pdf(
    data: bytes, password: str | None = None, request_seconds: Callable[[int], float] = no_seconds
) -> ParsedFile:
    """The blocks of a PDF; `request_seconds(pages)` returns how long recognising so many scanned pages may take.

    Raises PasswordNeededError when it is encrypted and the password is not right.
    """
    document = open_pdf(data, password)
    try:
        count = len(document)
        is_form = has_unread_form(document)
        values = form_values(document) if is_form else []
        document.init_forms()
        pages, unread, damaged = _read_pages(document, min(count, MAX_PAGES))
        unread = _recognise(document, pages, unread, request_seconds)
        title = one_line(document.get_metadata_value("Title"))
    finally:
        document.close()
    blocks = blocks_of(pages)
    if values:
        blocks.append(Block("text", "\n".join(values), 1))
    if not blocks and is_form:
        raise DocumentError("it is an XFA form in which nothing is filled: print it to a PDF first")
    if not blocks:
        raise DocumentError(_no_text(count, unread, damaged))
    if len(title) < 3 or _NO_TITLE.search(title):
        title = _largest_heading(blocks)
    notes = [_XFA_NOTE] if is_form else []
    if unread:
        notes.append(f"{_pages(unread)} without text (pictures or scans) could not be read")
    if damaged:
        notes.append(f"{_pages(damaged)} damaged, could not be read")
    if count > MAX_PAGES:
        notes.append(f"only the first {MAX_PAGES:,} of {count:,} pages were read")
    return ParsedFile(title, tuple(blocks), tuple(notes))


def open_pdf(data: bytes, password: str | None) -> pypdfium2.PdfDocument:
    """The document, opened. Raises DocumentError for damage and PasswordNeededError for encryption."""
    try:
        document = pypdfium2.PdfDocument(data, password=password)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            wrong = (
                "the password given does not open it" if password else "it is encrypted: give its password"
            )
            raise PasswordNeededError(wrong) from error
        raise DocumentError(f"it is damaged or cut off ({error})") from error
    if len(document) == 0:
        raise DocumentError("it is damaged or cut off: it has no pages")
    return document


def _read_pages(document: pypdfium2.PdfDocument, count: int) -> tuple[list[Page], list[int], list[int]]:
    """The pages, the numbers of those that hold pictures alone, and of those that cannot be opened."""
    pages: list[Page] = []
    unread: list[int] = []
    damaged: list[int] = []
    characters = 0
    for index in range(count):
        try:
            page = document[index]
        except pypdfium2.PdfiumError:
            damaged.append(index + 1)  # the others may be whole
            continue
        text = page_text(page)
        added = annotations(document, page, text)
        words = [*text.words, *added.words]
        characters += sum(len(word.text) for word in words)
        if characters > MAX_CHARACTERS:
            raise DocumentError(
                f"it holds more than {MAX_CHARACTERS:,} characters; split it into smaller files"
            )
        if not words and _has_picture(page):
            unread.append(index + 1)
        edges = page_edges(page, text) if words else []
        tables, rest = ruled_tables(edges, words)
        items = tuple(reading_order(rest, tables))
        pages.append(Page(index + 1, page.get_height(), items, added.comments))
        page.close()
    return pages, unread, damaged


def _recognise(
    document: pypdfium2.PdfDocument,
    pages: list[Page],
    unread: list[int],
    request_seconds: Callable[[int], float],
) -> list[int]:
    """Read the scanned pages by text recognition; returns those that were left for want of time."""
    if not unread or not ocr.available():
        return unread
    started, seconds = time.monotonic(), request_seconds(len(unread))
    left = list(unread)
    while left and time.monotonic() - started < seconds:
        page = document[left[0] - 1]
        scale = min(OCR_SCALE, OCR_PIXELS / max(page.get_width(), page.get_height(), 1.0))
        words = ocr.recognise(page.render(scale=scale, rev_byteorder=False).to_numpy(), scale)
        scanned = Page(left[0], page.get_height(), tuple(reading_order(words, [])))
        pages[:] = [scanned if existing.number == left[0] else existing for existing in pages]
        page.close()
        left.pop(0)
    return left


def _has_picture(page: pypdfium2.PdfPage) -> bool:
    return any(True for _ in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=4))


def _largest_heading(blocks: list[Block]) -> str:
    first = [block for block in blocks if block.kind == "heading" and block.page == 1]
    return min(first, key=lambda block: block.level).text if first else ""


def _no_text(count: int, unread: list[int], damaged: list[int]) -> str:
    if not unread:
        return "it is damaged: no page of it can be opened" if damaged else "it has no text"
    one = count == 1
    return (
        f"it is a scan: its {count} page{' holds' if one else 's hold'} pictures and no text; "
        f"{'text recognition found none in them' if ocr.available() else ocr.HINT}"
    )


def _pages(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:10])) + (" …" if len(numbers) > 10 else "")
    return f"page {shown}" if len(numbers) == 1 else f"pages {shown}"
