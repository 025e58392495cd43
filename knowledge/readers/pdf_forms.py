"""What was filled into a PDF and typed onto it: form fields at their places, comments. PDFium's text has neither."""

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium_c

from knowledge.readers.blocks import one_line
from knowledge.readers.pdf_page import PageText
from knowledge.readers.positioned_text import Word

Place = Callable[[float, float], tuple[float, float]]  # of a point of the paper among the words

MAX_ANNOTATIONS = 10_000  # on a page
TICKED, NOT_TICKED = "[x]", "[ ]"
_USUAL_SIZE = 10.0
_TEXT_FIELDS = (
    pdfium_c.FPDF_FORMFIELD_TEXTFIELD,
    pdfium_c.FPDF_FORMFIELD_COMBOBOX,
    pdfium_c.FPDF_FORMFIELD_LISTBOX,
)
_TICK_FIELDS = (pdfium_c.FPDF_FORMFIELD_CHECKBOX, pdfium_c.FPDF_FORMFIELD_RADIOBUTTON)
_COMMENTS = (
    *(pdfium_c.FPDF_ANNOT_TEXT, pdfium_c.FPDF_ANNOT_HIGHLIGHT, pdfium_c.FPDF_ANNOT_UNDERLINE),
    *(pdfium_c.FPDF_ANNOT_STRIKEOUT, pdfium_c.FPDF_ANNOT_SQUIGGLY, pdfium_c.FPDF_ANNOT_CARET),
)
_XFA = (pdfium_c.FORMTYPE_XFA_FULL, pdfium_c.FORMTYPE_XFA_FOREGROUND)


@dataclass(frozen=True)
class Annotations:
    """Words that stand on a page without being its text, and remarks about it."""

    words: tuple[Word, ...] = ()
    comments: tuple[str, ...] = ()


def has_unread_form(document: pypdfium2.PdfDocument) -> bool:
    """Whether it holds an XFA form, whose values lie in an XML of their own."""
    return document.get_formtype() in _XFA


def annotations(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage, text: PageText) -> Annotations:
    """Field values, ticks and typed-on text at their places, in the usual size of the page's words."""
    size = median(word.size for word in text.words) if text.words else _USUAL_SIZE
    place = partial(text.place, height=page.get_height())
    placed: list[Word] = []
    comments: list[str] = []
    for index in range(min(pdfium_c.FPDFPage_GetAnnotCount(page.raw), MAX_ANNOTATIONS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        kind = pdfium_c.FPDFAnnot_GetSubtype(annotation)
        if kind == pdfium_c.FPDF_ANNOT_WIDGET and document.formenv:
            placed += _words(_field(document.formenv.raw, annotation), annotation, place, size)
        elif kind == pdfium_c.FPDF_ANNOT_FREETEXT:
            placed += _words(_contents(annotation), annotation, place, size)
        elif kind in _COMMENTS and (remark := one_line(_contents(annotation))):
            comments.append(remark)
        pdfium_c.FPDFPage_CloseAnnot(annotation)
    return Annotations(tuple(placed), tuple(comments))


def _field(form: Any, annotation: Any) -> str:
    kind = pdfium_c.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind in _TICK_FIELDS:
        return TICKED if pdfium_c.FPDFAnnot_IsChecked(form, annotation) else NOT_TICKED
    if kind not in _TEXT_FIELDS:
        return ""
    chosen = [
        _string(pdfium_c.FPDFAnnot_GetOptionLabel, form, annotation, option)
        for option in range(min(pdfium_c.FPDFAnnot_GetOptionCount(form, annotation), 1_000))
        if pdfium_c.FPDFAnnot_IsOptionSelected(form, annotation, option)
    ]
    return ", ".join(filter(None, chosen)) or _string(pdfium_c.FPDFAnnot_GetFormFieldValue, form, annotation)


def _contents(annotation: Any) -> str:
    return _string(pdfium_c.FPDFAnnot_GetStringValue, annotation, b"Contents")


def _string(function: Callable[..., int], *arguments: Any) -> str:
    """What a function of PDFium writes into a buffer of UTF-16 that ends with two zeros."""
    length = function(*arguments, None, 0)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    function(*arguments, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return buffer.raw[: length - 2].decode("utf-16-le", "replace")


def _words(text: str, annotation: Any, place: Place, size: float) -> Iterator[Word]:
    """One word a line of the text: it may stand beside its label and is kept whole."""
    box = pdfium_c.FS_RECTF()
    lines = [one_line(line) for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    lines = [line for line in lines if line]
    if not lines or not pdfium_c.FPDFAnnot_GetRect(annotation, box):
        return
    (a, b), (c, d) = place(box.left, box.top), place(box.right, box.bottom)
    (left, right), (top, bottom) = sorted((a, c)), sorted((b, d))
    low = bottom - top < 2.5 * size
    first = (top + bottom - size * len(lines)) / 2 if low else top + 2
    for number, line in enumerate(lines):
        above = first + 1.2 * size * number
        width = min(right - left, 0.5 * size * len(line))
        yield Word(line, left, left + width, above, above + size, size, bold=False, filled=True)
