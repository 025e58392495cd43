"""One PDF page through PDFium → its words and the straight lines drawn on it."""

import ctypes
import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pypdfium2
import pypdfium2.raw as pdfium_c

from knowledge.readers.pdf_cells import Edge
from knowledge.readers.pdf_right_to_left import in_reading_order
from knowledge.readers.pdf_vertical import Character, divided
from knowledge.readers.positioned_text import Word, is_right_to_left, is_sign

MAX_DRAWN_LINES = 20_000  # on a page
_BOLD_WEIGHT = 600
_BOLD_NAME = re.compile(rb"bold|black|heavy|demi|simhei|stheiti|fzhei", re.IGNORECASE)
_MONO_NAME = re.compile(rb"mono|courier|consol|typewriter|cmtt|menlo|inconsolata", re.IGNORECASE)
_HYPHENS = {0x02: "-", 0xAD: "-", 0xFFFE: "-"}  # PDFium's marks of a hyphen at a line's end
# Ligatures of Latin, and the forms that Hebrew and Arabic letters take within a word.
_FORMS = (*range(0xFB00, 0xFB07), *range(0xFB1D, 0xFDFD), *range(0xFE70, 0xFEFD))
_REPLACED = {code: unicodedata.normalize("NFKC", chr(code)) for code in _FORMS} | _HYPHENS


@dataclass(frozen=True)
class PageText:
    """The words of a page in the order of the file, upright; text that stands crosswise comes last."""

    words: tuple[Word, ...]
    turn: int = (
        0  # quarter turns that made the page upright: 1 and -1 where its text runs up or down the paper
    )

    def place(self, x: float, y: float, height: float) -> tuple[float, float]:
        """A point of the paper, whose y grows upwards, where it lies among the words."""
        if self.turn:
            return self.turn * y, self.turn * x
        return x, height - y


def page_text(page: pypdfium2.PdfPage) -> PageText:
    """What is written on a page."""
    text_page = page.get_textpage()
    height = page.get_height()
    written, down = divided(list(_characters(text_page.raw, height)), page.get_width(), height)
    level: list[Character] = []
    crosswise: list[Character] = []
    for character in in_reading_order(written):
        (crosswise if character.crosswise else level).append(character)
    turn = 0
    if len(crosswise) > 4 * (len(level) + len(down)):
        turn = -1 if 2 * sum(one.baseline < 0 for one in crosswise) > len(crosswise) else 1
        level, crosswise = crosswise, []
    across = level if any(character.text for character in level) else []
    words = [*_words(across, text_page.raw), *_words(down, text_page.raw, below=height if across else 0.0)]
    aside = _words(crosswise, text_page.raw, below=height * (2 if down else 1))
    words += [replace(word, turned=True) for word in aside]
    text_page.close()
    return PageText(tuple(words), turn)


def _characters(text_page: object, height: float) -> Iterator[Character]:
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
            # Some programs write spaces without a width between letters that touch.
            text, guessed = "", box.right <= box.left or pdfium_c.FPDFText_IsGenerated(text_page, index) == 1
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
            yield Character(text, x0, x1, turn * x.value, size, index, True, guessed)
        else:
            yield Character(text, box.left, box.right, height - y.value, size, index, False, guessed)


def _words(characters: Sequence[Character], text_page: object, below: float = 0.0) -> Iterator[Word]:
    held: list[Character] = []
    spaced = guessed = False
    spaced_before = False
    for character in characters:
        if not character.text:
            spaced, guessed = spaced or not character.guessed, True
            continue
        if held and (spaced or _apart(held, character, 0.1 if guessed else 0.3)):
            yield _word(held, text_page, below, spaced_before)
            held = []
        if not held:
            spaced_before = spaced
        held.append(character)
        spaced = guessed = False
    if held:
        yield _word(held, text_page, below, spaced_before)


def _apart(held: Sequence[Character], character: Character, widest: float) -> bool:
    """Whether a word ends before a character. Those of a ligature lie on top of each other."""
    last = held[-1]
    size = max(min(last.size, character.size), 1.0)
    if _leftwards(held, character):
        gap, backwards = last.x0 - character.x1, character.x1 > last.x1 + 0.1 * size
    else:
        gap, backwards = character.x0 - last.x1, character.x0 < last.x0 - 0.1 * size
    return backwards or abs(last.baseline - character.baseline) > 0.45 * size or gap > widest * size


def _leftwards(held: Sequence[Character], character: Character) -> bool:
    """Whether a word goes on to the left: a sign without a direction takes that of the letters beside it."""
    signs = is_sign(held[-1].text) + is_sign(character.text)
    if not signs:
        return is_right_to_left(held[-1].text) and is_right_to_left(character.text)
    return any(is_right_to_left(one.text) for one in (*held, character))


def _word(characters: Sequence[Character], text_page: object, below: float, spaced: bool) -> Word:
    first = characters[0]
    size = max(first.size, 1.0)
    bold, mono = _font(text_page, first.index)
    return Word(
        text="".join(character.text for character in characters),
        x0=min(character.x0 for character in characters),
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


def page_edges(page: pypdfium2.PdfPage, text: PageText) -> list[Edge]:
    """The straight horizontal and vertical lines drawn on a page, those that bound filled boxes included."""
    size = page.get_size()
    edges: list[Edge] = []
    for shape in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_PATH], max_depth=4):
        edges.extend(_path_edges(shape, text, size))
        if len(edges) > MAX_DRAWN_LINES:
            break
    return edges


def _path_edges(shape: pypdfium2.PdfObject, text: PageText, size: tuple[float, float]) -> Iterator[Edge]:
    matrix = shape.get_matrix()
    start = last = (0.0, 0.0)
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(min(pdfium_c.FPDFPath_CountSegments(shape.raw), MAX_DRAWN_LINES)):
        segment = pdfium_c.FPDFPath_GetPathSegment(shape.raw, index)
        pdfium_c.FPDFPathSegment_GetPoint(segment, x, y)
        across, up = matrix.on_point(x.value, y.value)
        point = text.place(across, up, size[1])
        kind = pdfium_c.FPDFPathSegment_GetType(segment)
        if kind == pdfium_c.FPDF_SEGMENT_MOVETO:
            start = last = point
            continue
        if kind == pdfium_c.FPDF_SEGMENT_LINETO:
            yield from _edge(last, point, text.turn, size)
        last = point
        if pdfium_c.FPDFPathSegment_GetClose(segment):
            yield from _edge(last, start, text.turn, size)
            last = start


def _edge(
    a: tuple[float, float], b: tuple[float, float], turn: int, size: tuple[float, float]
) -> Iterator[Edge]:
    """The line between two points, where it is long and straight and no border of the paper."""
    x0, x1 = sorted((a[0], b[0]))
    top, bottom = sorted((a[1], b[1]))
    along, across = max(x1 - x0, bottom - top), min(x1 - x0, bottom - top)
    inside = turn or (x1 > 1 and x0 < size[0] - 1 and bottom > 1 and top < size[1] - 1)
    if along >= 6 and across <= 1 and inside and along < 2 * max(size):
        yield Edge(x0, top, x1, bottom)
