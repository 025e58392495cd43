"""PPTX → blocks: each slide's title, text, tables, charts and notes; the slide is the page."""

from collections.abc import Iterator

from lxml import etree

from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.docx import core_title
from knowledge.readers.list_numbers import list_number
from knowledge.readers.office_charts import chart_blocks, diagram_blocks, drawn_parts
from knowledge.readers.office_math import MATH, latex
from knowledge.readers.raised_text import lowered, raised
from knowledge.readers.table_cells import Across, Below
from knowledge.readers.tables import table_block
from knowledge.readers.zip_container import Archive, relations

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_SHAPES = (f"{_P}sp", f"{_P}graphicFrame", f"{_P}grpSp", f"{_P}pic")
_NUMBERINGS = {
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
    "circleNum": "decimalEnclosedCircle",
    "ea1Chs": "chineseCounting",
    "ea1Cht": "chineseCounting",
    "ea1Jpn": "chineseCounting",
}
_FURNITURE = ("dt", "ftr", "sldNum", "hdr")


def load_pptx(archive: Archive) -> ParsedFile:
    """The blocks of a presentation in the order its slides are shown; hidden slides are read as well."""
    targets = relations(archive, "ppt/presentation.xml")
    listed = archive.xml("ppt/presentation.xml").iter(f"{_P}sldId")
    names = [targets.get(entry.get(f"{_R}id") or "", ("", ""))[1] for entry in listed]
    blocks: list[Block] = []
    notes: list[str] = []
    for number, name in enumerate((name for name in names if name in archive.names), start=1):
        slide = archive.xml(name)
        if slide.get("show") in ("0", "false"):
            notes.append(f"slide {number} is hidden, and was read")
        blocks.extend(_slide(archive, slide, name, number))
    title = core_title(archive) or next((block.text for block in blocks if block.kind == "heading"), "")
    return ParsedFile(title=title, blocks=tuple(blocks), notes=tuple(notes))


def _slide(archive: Archive, slide: etree._Element, name: str, number: int) -> Iterator[Block]:
    tree = slide.find(f"{_P}cSld/{_P}spTree")
    parts = relations(archive, name)
    shapes = [] if tree is None else list(_shapes(tree))
    titles = [shape for shape in shapes if _placeholder(shape) in ("title", "ctrTitle")]
    for shape in titles[:1]:
        if text := one_line(" ".join(_paragraphs(shape))):
            yield Block("heading", text, number, 1)
    for shape in shapes:
        if shape not in titles[:1] and _placeholder(shape) not in _FURNITURE:
            yield from _shape(archive, shape, parts, number)
    for kind, member in parts.values():
        if kind == "notesSlide" and member in archive.names:
            yield from _notes(archive.xml(member), number)
        elif kind == "comments" and member in archive.names:
            yield from _comments(archive.xml(member), number)


def _shapes(tree: etree._Element) -> Iterator[etree._Element]:
    """The shapes of a slide, groups opened, from the top down and then from the left."""
    found = [child for child in tree if child.tag in _SHAPES]
    for shape in sorted(found, key=_position):
        if shape.tag == f"{_P}grpSp":
            yield from _shapes(shape)
        else:
            yield shape


def _position(shape: etree._Element) -> tuple[int, int]:
    """Rows of a tenth of an inch, so that what stands side by side is read from left to right.

    A placeholder without a place of its own keeps its order at the top.
    """
    place = shape.find(f".//{_A}off")
    if place is None:
        place = shape.find(f"{_P}xfrm/{_A}off")
    try:
        return (-1, 0) if place is None else (int(place.get("y", "0")) // 91440, int(place.get("x", "0")))
    except ValueError:
        return -1, 0


def _placeholder(shape: etree._Element) -> str:
    found = next(shape.iter(f"{_P}ph"), None)
    return "" if found is None else found.get("type") or "body"


def _shape(
    archive: Archive, shape: etree._Element, parts: dict[str, tuple[str, str]], number: int
) -> Iterator[Block]:
    for table in shape.iter(f"{_A}tbl"):
        if block := table_block(_grid(table), number):
            yield block
    for kind, member in (parts.get(name, ("", "")) for name in drawn_parts(shape)):
        if kind == "chart" and member in archive.names:
            yield from chart_blocks(archive.xml(member), number)
        elif kind == "diagramData" and member in archive.names:
            yield from diagram_blocks(archive.xml(member), number)
    if shape.tag == f"{_P}sp" and (text := "\n".join(_paragraphs(shape))):
        yield Block("text", text, number)


def _paragraphs(shape: etree._Element) -> Iterator[str]:
    counters: dict[int, int] = {}  # depth → the number of its last paragraph
    for paragraph in shape.iter(f"{_A}p"):
        text = one_line("".join(_runs(paragraph)))
        if not text:
            continue
        properties = paragraph.find(f"{_A}pPr")
        level = "0" if properties is None else properties.get("lvl") or "0"
        depth = min(int(level), 8) if level.isdecimal() else 0
        counters = {above: number for above, number in counters.items() if above <= depth}
        numbered = None if properties is None else properties.find(f"{_A}buAutoNum")
        if numbered is None:
            counters.pop(depth, None)
            yield f"{'  ' * depth}- {text}" if depth else text
        else:
            start = numbered.get("startAt") or "1"
            counters[depth] = counters.get(depth, int(start) - 1 if start.isdecimal() else 0) + 1
            yield f"{'  ' * depth}{_numbering(numbered.get('type') or '', counters[depth])} {text}"


def _numbering(kind: str, number: int) -> str:
    """The number in one of DrawingML's schemes (ECMA-376 20.1.10.61): "1.", "(a)", "IV)", "一、"."""
    form = next((form for start, form in _NUMBERINGS.items() if kind.startswith(start)), "decimal")
    written = list_number(number, form)
    if kind.endswith("ParenBoth"):
        return f"({written})"
    return written + (")" if kind.endswith("ParenR") else "" if kind.endswith("Plain") else ".")


def _runs(paragraph: etree._Element) -> Iterator[str]:
    for part in paragraph.iter(f"{_A}t", f"{_A}br", MATH[0]):
        if part.tag == MATH[0]:
            yield latex(part)
        else:
            yield " " if part.tag == f"{_A}br" else _raised(part)


def _raised(text: etree._Element) -> str:
    """The words of a run, a power or an index as such."""
    properties = text.getparent().find(f"{_A}rPr")
    shift = "" if properties is None else properties.get("baseline") or ""
    words = text.text or ""
    return (
        raised(words) if shift.isdecimal() and int(shift) else lowered(words) if shift[:1] == "-" else words
    )


def _grid(table: etree._Element) -> list[list[str]]:
    """The cells as a full grid: the places that a merged cell covers are marked."""
    grid: list[list[str]] = []
    for row in table.iter(f"{_A}tr"):
        cells: list[str] = []
        for cell in row.iter(f"{_A}tc"):
            text = " ".join(_paragraphs(cell))
            if cell.get("hMerge") in ("1", "true") and cells:
                text = Across(cells[-1])
            elif cell.get("vMerge") in ("1", "true") and grid and len(cells) < len(grid[-1]):
                text = Below(grid[-1][len(cells)])
            cells.append(text)
        grid.append(cells)
    return grid


def _notes(notes: etree._Element, number: int) -> Iterator[Block]:
    for shape in notes.iter(f"{_P}sp"):
        if _placeholder(shape) == "body" and (text := "\n".join(_paragraphs(shape))):
            yield Block("text", f"Notes: {text}", number)


def _comments(comments: etree._Element, number: int) -> Iterator[Block]:
    """Remarks on a slide, as PowerPoint wrote them before 2021 and writes them since."""
    for part in comments.iter():
        if etree.QName(part).localname not in ("text", "txBody"):
            continue
        if text := one_line(part.text or "".join(run.text or "" for run in part.iter(f"{_A}t"))):
            yield Block("text", f"Comment: {text}", number)
