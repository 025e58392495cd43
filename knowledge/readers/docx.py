"""DOCX → blocks: headings, numbered lists, tables, formulas, footnotes; deleted text is left out."""

from collections.abc import Iterator

from lxml import etree

from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.docx_numbering import BULLET, ListLabel, Numbering
from knowledge.readers.office_charts import chart_blocks, diagram_blocks, drawn_parts
from knowledge.readers.office_math import MATH, latex
from knowledge.readers.raised_text import lowered, raised
from knowledge.readers.tables import spread, table_block
from knowledge.readers.zip_container import Archive, main_part, relations

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_OFF = ("0", "false", "off")
TICKED, NOT_TICKED = "☒", "☐"  # as today's content controls write them
_LEFT_OUT = frozenset(
    {f"{_W}del", f"{_W}moveFrom", f"{_W}instrText", f"{_MC}Fallback", f"{_W}pPr", f"{_W}rPr", f"{_W}rt"}
)
# Signs of Wingdings that people put before what holds and what does not; their letters mean nothing without the font.
_SYMBOLS = {
    **{"F0FE": "☒", "F0FD": "☒", "F0A8": "☐", "F06F": "☐", "F071": "☐", "F0FC": "✓", "F0FB": "✗"},
    **{"F052": "☑", "F053": "☒", "F054": "☒", "F0A3": "☐", "F050": "✓", "F04F": "✗"},
    **{"F0E0": "→", "F0B7": "•", "F0B0": "°", "F0B1": "±", "F0A7": "▪", "F04A": "☺"},
}


def load_docx(archive: Archive) -> ParsedFile:
    """The blocks of a Word document in the order they stand."""
    main = main_part(archive)
    body = archive.xml(main).find(f"{_W}body")
    reader = _Reader(_heading_styles(archive), Numbering(archive))
    if body is not None:
        reader.container(body)
    reader.end_list()
    blocks = [*reader.blocks, *_drawings(archive, main, body), *_notes(archive)]
    title = core_title(archive) or next((block.text for block in blocks if block.kind == "heading"), "")
    return ParsedFile(title=title, blocks=tuple(blocks))


def core_title(archive: Archive) -> str:
    """The title in an Office file's properties."""
    if "docProps/core.xml" not in archive.names:
        return ""
    title = one_line(archive.xml("docProps/core.xml").findtext(_DC_TITLE) or "")
    return "" if title.lower() in ("powerpoint presentation", "word document", "untitled") else title


def _heading_styles(archive: Archive) -> dict[str, int]:
    """Style id → heading level. Ids are translated ("berschrift1"); names and outline levels are not."""
    if "word/styles.xml" not in archive.names:
        return {}
    levels: dict[str, int] = {}
    parents: dict[str, str] = {}
    for style in archive.xml("word/styles.xml").iter(f"{_W}style"):
        identity = style.get(f"{_W}styleId") or ""
        name = _value(style, "name").lower()
        outline = style.find(f"{_W}pPr/{_W}outlineLvl")
        if name == "title":
            levels[identity] = 1  # above all headings, which are one level lower here
        elif name.startswith("heading ") and name[8:].isdecimal():
            levels[identity] = int(name[8:]) + 1
        elif outline is not None and (outline.get(f"{_W}val") or "9") in "012345678":
            levels[identity] = int(outline.get(f"{_W}val") or 0) + 2
        elif based := _value(style, "basedOn"):
            parents[identity] = based
    for identity, parent in parents.items():
        for _ in range(10):
            if parent in levels:
                levels[identity] = levels[parent]
                break
            parent = parents.get(parent, "")
    return levels


def _value(element: etree._Element, name: str) -> str:
    child = element.find(f"{_W}{name}")
    return "" if child is None else child.get(f"{_W}val") or ""


class _Reader:
    def __init__(self, styles: dict[str, int], numbering: Numbering) -> None:
        self.styles = styles
        self.numbering = numbering
        self.blocks: list[Block] = []
        self.items: list[str] = []
        self.open = ""  # a paragraph whose end was deleted: the next one goes on

    def container(self, element: etree._Element) -> None:
        for child in element:
            if child.tag == f"{_W}p":
                self.paragraph(child)
            elif child.tag == f"{_W}tbl":
                self.end_list()
                self.table(child)
            elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}moveTo", f"{_W}customXml"):
                self.container(child)

    def paragraph(self, element: etree._Element) -> None:
        boxes = [
            box for box in element.iter(f"{_W}txbxContent") if not _inside(box, f"{_MC}Fallback", element)
        ]
        text, self.open = self.open + paragraph_text(element), ""
        if element.find(f"{_W}pPr/{_W}rPr/{_W}del") is not None and not boxes:
            self.open = text
            return
        text = _tidy(text)
        level = self._level(element)
        label = self.numbering.label(element)  # asked for empty ones as well: they are counted
        if level and text:
            self.end_list()
            self.blocks.append(Block("heading", _labelled(label, one_line(text), bullets=False), level=level))
        elif text and label:
            self.items.append("  " * label.depth + _labelled(label, text))
        elif text:
            self.end_list()
            self.blocks.append(Block("text", text))
        for box in boxes:
            self.container(box)

    def table(self, element: etree._Element) -> None:
        widths = [sum(1 for _ in _own(row, f"{_W}tc")) for row in _own(element, f"{_W}tr")]
        if sum(widths) == 1 or all(width < 2 for width in widths):
            for cell in element.iter(f"{_W}tc"):  # one column only frames its text
                self.container(cell)
            self.end_list()
        elif block := table_block(self.grid(element), header=_header_rows(element)):
            self.blocks.append(block)

    def grid(self, table: etree._Element) -> list[list[str]]:
        """The cells as a full grid: the places that a merged cell covers are marked."""
        grid: list[list[str]] = []
        for row in _own(table, f"{_W}tr"):
            if row.find(f"{_W}trPr/{_W}del") is not None:
                continue
            cells = [""] * _places_before(row)
            for cell in _own(row, f"{_W}tc"):
                properties = cell.find(f"{_W}tcPr")
                span = "" if properties is None else _value(properties, "gridSpan")
                merged = None if properties is None else properties.find(f"{_W}vMerge")
                text = one_line(self.cell_text(cell))
                continued = merged is not None and merged.get(f"{_W}val") != "restart" and bool(grid)
                if continued:
                    text = grid[-1][len(cells)] if len(cells) < len(grid[-1]) else ""
                cells.extend(spread(text, min(int(span) if span.isdecimal() else 1, 100), continued))
            grid.append(cells)
        return grid

    def cell_text(self, cell: etree._Element) -> str:
        """The paragraphs of a cell; a table inside it is written out row by row."""
        parts: list[str] = []
        for child in cell:
            if child.tag == f"{_W}p":
                parts.append(_labelled(self.numbering.label(child), paragraph_text(child), bullets=False))
            elif child.tag == f"{_W}tbl":
                block = table_block(self.grid(child), header=_header_rows(child))
                parts.append(f"({' / '.join(block.text.splitlines())})" if block else "")
            elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins"):
                parts.append(self.cell_text(child))
        return " ".join(part for part in parts if part)

    def end_list(self) -> None:
        if self.items:
            self.blocks.append(Block("text", "\n".join(self.items)))
            self.items = []
        if text := _tidy(self.open):
            self.blocks.append(Block("text", text))
        self.open = ""

    def _level(self, element: etree._Element) -> int:
        properties = element.find(f"{_W}pPr")
        if properties is None:
            return 0
        outline = _value(properties, "outlineLvl")
        if outline.isdecimal() and int(outline) < 9:
            return int(outline) + 2
        return self.styles.get(_value(properties, "pStyle"), 0)


def _header_rows(table: etree._Element) -> int | None:
    """How many rows at the top repeat on every page, as rows of column names do; None when none says so."""
    height = 0
    for row in _own(table, f"{_W}tr"):
        mark = row.find(f"{_W}trPr/{_W}tblHeader")
        if mark is None or mark.get(f"{_W}val") in _OFF:
            break
        height += 1
    return height or None


def _places_before(row: etree._Element) -> int:
    """How many columns a row leaves out before its first cell."""
    mark = row.find(f"{_W}trPr/{_W}gridBefore")
    places = "" if mark is None else mark.get(f"{_W}val") or ""
    return min(int(places), 100) if places.isdecimal() else 0


def _own(element: etree._Element, tag: str) -> Iterator[etree._Element]:
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}customXml"):
            yield from _own(child, tag)


def _labelled(label: ListLabel | None, text: str, bullets: bool = True) -> str:
    """The text behind its number in the list."""
    if label is None or not label.text or (label.text == BULLET and not bullets):
        return text
    return f"{label.text} {text}".strip()


def paragraph_text(element: etree._Element) -> str:
    """The words of a paragraph as it reads now: insertions in, deletions out."""
    return "".join(_runs(element))


def _runs(element: etree._Element) -> Iterator[str]:
    for child in element:
        tag = child.tag
        if tag == f"{_W}t":
            yield child.text or ""
        elif tag in MATH:
            yield latex(child)
        elif tag in (f"{_W}tab", f"{_W}ptab"):
            yield "\t"
        elif tag in (f"{_W}br", f"{_W}cr"):
            yield "\n"
        elif tag == f"{_W}noBreakHyphen":
            yield "-"
        elif tag == f"{_W}ffData":
            yield _field_value(child)
        elif tag == f"{_W}sym":
            yield _SYMBOLS.get((child.get(f"{_W}char") or "").upper(), "")
        elif tag == f"{_W}sdt" and _is_placeholder(child):
            yield ""  # nobody has filled it in
        elif tag == f"{_W}r" and (place := child.find(f"{_W}rPr/{_W}vertAlign")) is not None:
            text = "".join(_runs(child))
            moved = {"superscript": raised, "subscript": lowered}.get(place.get(f"{_W}val") or "")
            yield moved(text) if moved else text
        elif tag not in _LEFT_OUT and tag != f"{_W}txbxContent":
            yield from _runs(child)


def _is_placeholder(control: etree._Element) -> bool:
    mark = control.find(f"{_W}sdtPr/{_W}showingPlcHdr")
    return mark is not None and mark.get(f"{_W}val") not in _OFF


def _field_value(field: etree._Element) -> str:
    """What is ticked or chosen in a form field of older documents; typed text stands in the paragraph."""
    box, choice = field.find(f"{_W}checkBox"), field.find(f"{_W}ddList")
    if box is not None:
        checked = box.find(f"{_W}checked")
        mark = box.find(f"{_W}default") if checked is None else checked
        return TICKED if mark is not None and mark.get(f"{_W}val") not in _OFF else NOT_TICKED
    if choice is None:
        return ""
    entries = [entry.get(f"{_W}val") or "" for entry in choice.iter(f"{_W}listEntry")]
    chosen = _value(choice, "result") or _value(choice, "default") or "0"
    return entries[int(chosen)] if chosen.isdecimal() and int(chosen) < len(entries) else ""


def _tidy(text: str) -> str:
    return "\n".join(line for line in (one_line(line) for line in text.split("\n")) if line)


def _inside(element: etree._Element, tag: str, top: etree._Element) -> bool:
    parent = element.getparent()
    while parent is not None and parent is not top:
        if parent.tag == tag:
            return True
        parent = parent.getparent()
    return False


def _drawings(archive: Archive, main: str, body: etree._Element | None) -> Iterator[Block]:
    """The charts and diagrams of the text, which are files of their own."""
    parts = relations(archive, main)
    for name in () if body is None else dict.fromkeys(drawn_parts(body)):
        kind, member = parts.get(name, ("", ""))
        if kind == "chart" and member in archive.names:
            yield from chart_blocks(archive.xml(member))
        elif kind == "diagramData" and member in archive.names:
            yield from diagram_blocks(archive.xml(member))


def _notes(archive: Archive) -> Iterator[Block]:
    for name, words in (("footnotes", ""), ("endnotes", ""), ("comments", "Comment: ")):
        member = f"word/{name}.xml"
        if member not in archive.names:
            continue
        for note in archive.xml(member):
            if note.get(f"{_W}type") is None:
                text = _tidy("\n".join(paragraph_text(part) for part in note.iter(f"{_W}p")))
                if text:
                    yield Block("text", words + text)
