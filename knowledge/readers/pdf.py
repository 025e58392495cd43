"""PDF → blocks through PDFium: the characters and ruled lines of each page; scans are said clearly."""

import ctypes
import math
import re
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium_c

from knowledge.errors import DocumentError, PasswordNeededError
from knowledge.readers import ocr
from knowledge.readers.blocks import MAX_CHARACTERS, Block, Draft, one_line
from knowledge.readers.pdf_layout import Word, reading_order
from knowledge.readers.pdf_tables import Edge, ruled_tables
from knowledge.readers.pdf_text import Page, blocks_of

MAX_PAGES = 5_000
MAX_DRAWN = 20_000  # lines drawn on a page
OCR_SCALE = 2.0  # 144 dots an inch
OCR_PIXELS = 3_000.0  # of the longer side
_NO_TITLE = re.compile(
    r"^(?:untitled|microsoft word|powerpoint|document\d*$|title$)|\.\w{2,5}$", re.IGNORECASE
)
_BOLD_WEIGHT = 600
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi", re.IGNORECASE)
_MONO_NAME = re.compile(rb"mono|courier|consol|typewriter|cmtt|menlo|inconsolata", re.IGNORECASE)
_HYPHENS = {0x02: "-", 0xAD: "-", 0xFFFE: "-"}  # PDFium's marks of a hyphen at a line's end
_REPLACED = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)} | _HYPHENS


def no_more_time(pages: int) -> float:
    """For a caller that cannot wait: no seconds for recognising so many scanned pages."""
    return 0.0


def load_pdf(
    data: bytes, password: str | None = None, more_time: Callable[[int], float] = no_more_time
) -> Draft:
    """The blocks of a PDF; `more_time` is asked for seconds when there are scanned pages to recognise.

    Raises PasswordNeededError when it is encrypted and the password is not right.
    """
    document = open_pdf(data, password)
    try:
        count = len(document)
        pages, unread, damaged = _read_pages(document, min(count, MAX_PAGES))
        unread = _recognise(document, pages, unread, more_time)
        title = one_line(document.get_metadata_value("Title"))
    finally:
        document.close()
    blocks = blocks_of(pages)
    if not blocks:
        raise DocumentError(_no_text(count, unread, damaged))
    if len(title) < 3 or _NO_TITLE.search(title):
        title = _largest_heading(blocks)
    notes = []
    if unread:
        notes.append(f"{_pages(unread)} without text (pictures or scans) could not be read")
    if damaged:
        notes.append(f"{_pages(damaged)} damaged, could not be read")
    if count > MAX_PAGES:
        notes.append(f"only the first {MAX_PAGES:,} of {count:,} pages were read")
    return Draft(title, tuple(blocks), tuple(notes))


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
        words = list(page_words(page))
        characters += sum(len(word.text) for word in words)
        if characters > MAX_CHARACTERS:
            raise DocumentError(
                f"it holds more than {MAX_CHARACTERS:,} characters; split it into smaller files"
            )
        if not words and _has_picture(page):
            unread.append(index + 1)
        edges = page_edges(page) if words else []
        tables, rest = ruled_tables(edges, words)
        pages.append(Page(index + 1, page.get_height(), tuple(reading_order(rest, tables))))
        page.close()
    return pages, unread, damaged


def _recognise(
    document: pypdfium2.PdfDocument, pages: list[Page], unread: list[int], more_time: Callable[[int], float]
) -> list[int]:
    """Read the scanned pages by text recognition; those for which there was no time are returned."""
    if not unread or not ocr.available():
        return unread
    started, seconds = time.monotonic(), more_time(len(unread))
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


def page_words(page: pypdfium2.PdfPage) -> Iterator[Word]:
    """The words of a page in the order of the file, upright; text that stands crosswise comes last."""
    text_page = page.get_textpage()
    height = page.get_height()
    upright: list[_Character] = []
    crosswise: list[_Character] = []
    for character in _characters(text_page.raw, height):
        (crosswise if character.crosswise else upright).append(character)
    if len(crosswise) > 4 * len(upright):
        upright, crosswise = crosswise, []
    yield from _words(upright, text_page.raw)
    yield from _words(crosswise, text_page.raw, below=height)
    text_page.close()


@dataclass(frozen=True, slots=True)
class _Character:
    text: str  # empty: a space
    x0: float
    x1: float
    baseline: float
    size: float
    index: int  # in the text of the page
    crosswise: bool
    guessed: bool  # a space that PDFium put in


def _characters(text_page: object, height: float) -> Iterator[_Character]:
    box, matrix = pdfium_c.FS_RECTF(), pdfium_c.FS_MATRIX()
    x, y = ctypes.c_double(), ctypes.c_double()
    crosswise, size = False, 0.0
    for index in range(pdfium_c.FPDFText_CountChars(text_page)):
        code = pdfium_c.FPDFText_GetUnicode(text_page, index)
        if code in (0, 10, 13) or not pdfium_c.FPDFText_GetLooseCharBox(text_page, index, box):
            continue
        text = _REPLACED.get(code) or chr(code if code < 0x110000 else 0xFFFD)
        guessed = False
        if text.isspace():
            text, guessed = "", pdfium_c.FPDFText_IsGenerated(text_page, index) == 1
        elif unicodedata.category(text) in ("Cc", "Cs", "Co", "Cn"):
            continue
        else:
            pdfium_c.FPDFText_GetMatrix(text_page, index, matrix)
            pdfium_c.FPDFText_GetCharOrigin(text_page, index, x, y)
            crosswise = abs(matrix.b) > abs(matrix.a)
            size = pdfium_c.FPDFText_GetFontSize(text_page, index) * math.hypot(matrix.c, matrix.d)
        if crosswise:  # as it is after a quarter turn
            turn = 1.0 if matrix.b > 0 else -1.0
            x0, x1 = sorted((turn * box.bottom, turn * box.top))
            yield _Character(text, x0, x1, turn * x.value, size, index, True, guessed)
        else:
            yield _Character(text, box.left, box.right, height - y.value, size, index, False, guessed)


def _words(characters: Sequence[_Character], text_page: object, below: float = 0.0) -> Iterator[Word]:
    held: list[_Character] = []
    spaced = guessed = False
    spaced_before = False
    for character in characters:
        if not character.text:
            spaced, guessed = spaced or not character.guessed, True
            continue
        if held and (spaced or _apart(held[-1], character, 0.1 if guessed else 0.3)):
            yield _word(held, text_page, below, spaced_before)
            held = []
        if not held:
            spaced_before = spaced
        held.append(character)
        spaced = guessed = False
    if held:
        yield _word(held, text_page, below, spaced_before)


def _apart(last: _Character, character: _Character, widest: float) -> bool:
    """Whether a word ends between two characters. Those of a ligature lie on top of each other."""
    size = max(min(last.size, character.size), 1.0)
    backwards = character.x0 < last.x0 - 0.1 * size
    return (
        backwards
        or abs(last.baseline - character.baseline) > 0.45 * size
        or (character.x0 - last.x1 > widest * size)
    )


def _word(characters: Sequence[_Character], text_page: object, below: float, spaced: bool) -> Word:
    first = characters[0]
    size = max(first.size, 1.0)
    bold, mono = _font(text_page, first.index)
    return Word(
        text="".join(character.text for character in characters),
        x0=first.x0,
        x1=max(character.x1 for character in characters),
        top=first.baseline - 0.8 * size + below,
        bottom=first.baseline + 0.2 * size + below,
        size=round(size, 1),
        bold=bold,
        mono=mono,
        spaced=spaced,
    )


def _font(text_page: object, index: int) -> tuple[bool, bool]:
    """Whether a character is bold, and whether its font gives every character the same width."""
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    length = pdfium_c.FPDFText_GetFontInfo(text_page, index, name, len(name), flags)
    called = name.value if 0 < length <= len(name) else b""
    heavy = pdfium_c.FPDFText_GetFontWeight(text_page, index) >= _BOLD_WEIGHT
    return heavy or bool(_BOLD_NAME.search(called)), bool(flags.value & 1 or _MONO_NAME.search(called))


def page_edges(page: pypdfium2.PdfPage) -> list[Edge]:
    """The straight horizontal and vertical lines drawn on a page, those that bound filled boxes included."""
    height, width = page.get_height(), page.get_width()
    edges: list[Edge] = []
    for shape in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_PATH], max_depth=4):
        edges.extend(_path_edges(shape, height, width))
        if len(edges) > MAX_DRAWN:
            break
    return edges


def _path_edges(shape: pypdfium2.PdfObject, height: float, width: float) -> Iterator[Edge]:
    matrix = shape.get_matrix()
    start = last = (0.0, 0.0)
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(min(pdfium_c.FPDFPath_CountSegments(shape.raw), MAX_DRAWN)):
        segment = pdfium_c.FPDFPath_GetPathSegment(shape.raw, index)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        point = matrix.on_point(x.value, y.value)
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            start = last = point
            continue
        if kind == pdfium_c.FPDF_SEGMENT_LINETO:
            yield from _edge(last, point, height, width)
        last = point
        if pdfium_c.FPDFPathSegment_GetClose(segment):
            yield from _edge(last, start, height, width)
            last = start


def _edge(a: tuple[float, float], b: tuple[float, float], height: float, width: float) -> Iterator[Edge]:
    x0, x1 = sorted((a[0], b[0]))
    top, bottom = sorted((height - a[1], height - b[1]))
    along, across = max(x1 - x0, bottom - top), min(x1 - x0, bottom - top)
    inside = x1 > 1 and x0 < width - 1 and bottom > 1 and top < height - 1
    if along >= 6 and across <= 1 and inside and along < 2 * max(height, width):
        yield Edge(x0, top, x1, bottom)


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
