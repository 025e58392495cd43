"""DOCX → blocks: headings, numbered lists, tables, formulas, footnotes; deleted text is left out."""

from collections.abc import Iterator

from lxml import etree

from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.docx_numbering import BULLET, ListLabel, Numbering
from knowledge.readers.docx_text import MC, OFF, W, paragraph_text, tidy, value_of
from knowledge.readers.office_charts import chart_blocks, diagram_blocks, drawn_parts
from knowledge.readers.table_cells import Across, Name, spread
from knowledge.readers.tables import table_block
from knowledge.readers.zip_container import Archive, main_part, relations

_DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"


def load_docx(archive: Archive) -> ParsedFile:
    """The blocks of a Word document in the order they stand."""
    main = main_part(archive)
    body = archive.xml(main).find(f"{W}body")
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
    for style in archive.xml("word/styles.xml").iter(f"{W}style"):
        identity = style.get(f"{W}styleId") or ""
        name = value_of(style, "name").lower()
        outline = style.find(f"{W}pPr/{W}outlineLvl")
        if name == "title":
            levels[identity] = 1  # above all headings, which are one level lower here
        elif name.startswith("heading ") and name[8:].isdecimal():
            levels[identity] = int(name[8:]) + 1
        elif outline is not None and (outline.get(f"{W}val") or "9") in "012345678":
            levels[identity] = int(outline.get(f"{W}val") or 0) + 2
        elif based := value_of(style, "basedOn"):
            parents[identity] = based
    for identity, parent in parents.items():
        for _ in range(10):
            if parent in levels:
                levels[identity] = levels[parent]
                break
            parent = parents.get(parent, "")
    return levels


class _Reader:
    def __init__(self, styles: dict[str, int], numbering: Numbering) -> None:
        self.styles = styles
        self.numbering = numbering
        self.blocks: list[Block] = []
        self.items: list[str] = []
        self.open = ""  # a paragraph whose end was deleted: the next one goes on

    def container(self, element: etree._Element) -> None:
        for child in element:
            if child.tag == f"{W}p":
                self.paragraph(child)
            elif child.tag == f"{W}tbl":
                self.end_list()
                self.table(child)
            elif child.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}moveTo", f"{W}customXml"):
                self.container(child)

    def paragraph(self, element: etree._Element) -> None:
        boxes = [box for box in element.iter(f"{W}txbxContent") if not _inside(box, f"{MC}Fallback", element)]
        text, self.open = self.open + paragraph_text(element), ""
        if element.find(f"{W}pPr/{W}rPr/{W}del") is not None and not boxes:
            self.open = text
            return
        text = tidy(text)
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
        widths = [sum(1 for _ in _own(row, f"{W}tc")) for row in _own(element, f"{W}tr")]
        if sum(widths) == 1 or all(width < 2 for width in widths):
            for cell in element.iter(f"{W}tc"):  # one column only frames its text
                self.container(cell)
            self.end_list()
        elif block := table_block(self.grid(element), header=_header_rows(element)):
            self.blocks.append(block)

    def grid(self, table: etree._Element) -> list[list[str]]:
        """The cells as a full grid: the places that a merged cell covers are marked."""
        grid: list[list[str]] = []
        for row in _own(table, f"{W}tr"):
            if row.find(f"{W}trPr/{W}del") is not None:
                continue
            cells = [""] * _places_before(row)
            for cell in _own(row, f"{W}tc"):
                properties = cell.find(f"{W}tcPr")
                span = "" if properties is None else value_of(properties, "gridSpan")
                merged = None if properties is None else properties.find(f"{W}vMerge")
                text = one_line(self.cell_text(cell))
                across = None if properties is None else properties.find(f"{W}hMerge")
                if across is not None and across.get(f"{W}val") != "restart" and cells:
                    cells.append(Across(cells[-1]))  # as documents of Word 6 have it
                    continue
                continued = merged is not None and merged.get(f"{W}val") != "restart" and bool(grid)
                if continued:
                    text = grid[-1][len(cells)] if len(cells) < len(grid[-1]) else ""
                elif _is_bold(cell):
                    text = Name(text)
                cells.extend(spread(text, min(int(span) if span.isdecimal() else 1, 100), continued))
            grid.append(cells)
        return grid

    def cell_text(self, cell: etree._Element) -> str:
        """The paragraphs of a cell; a table inside it is written out row by row."""
        parts: list[str] = []
        for child in cell:
            if child.tag == f"{W}p":
                parts.append(_labelled(self.numbering.label(child), paragraph_text(child), bullets=False))
            elif child.tag == f"{W}tbl":
                block = table_block(self.grid(child), header=_header_rows(child))
                parts.append(f"({' / '.join(block.text.splitlines())})" if block else "")
            elif child.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins"):
                parts.append(self.cell_text(child))
        return " ".join(part for part in parts if part)

    def end_list(self) -> None:
        if self.items:
            self.blocks.append(Block("text", "\n".join(self.items)))
            self.items = []
        if text := tidy(self.open):
            self.blocks.append(Block("text", text))
        self.open = ""

    def _level(self, element: etree._Element) -> int:
        properties = element.find(f"{W}pPr")
        if properties is None:
            return 0
        outline = value_of(properties, "outlineLvl")
        if outline.isdecimal() and int(outline) < 9:
            return int(outline) + 2
        return self.styles.get(value_of(properties, "pStyle"), 0)


def _is_bold(cell: etree._Element) -> bool:
    """Whether all text of a cell is set in bold, as names of columns are."""
    runs = [run for run in cell.iter(f"{W}r") if run.find(f"{W}t") is not None]
    marks = [run.find(f"{W}rPr/{W}b") for run in runs]
    return bool(marks) and all(mark is not None and mark.get(f"{W}val") not in OFF for mark in marks)


def _header_rows(table: etree._Element) -> int | None:
    """How many rows at the top repeat on every page, as rows of column names do; None when none says so."""
    height = 0
    for row in _own(table, f"{W}tr"):
        mark = row.find(f"{W}trPr/{W}tblHeader")
        if mark is None or mark.get(f"{W}val") in OFF:
            break
        height += 1
    return height or None


def _places_before(row: etree._Element) -> int:
    """How many columns a row leaves out before its first cell."""
    mark = row.find(f"{W}trPr/{W}gridBefore")
    places = "" if mark is None else mark.get(f"{W}val") or ""
    return min(int(places), 100) if places.isdecimal() else 0


def _own(element: etree._Element, tag: str) -> Iterator[etree._Element]:
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag in (f"{W}sdt", f"{W}sdtContent", f"{W}ins", f"{W}customXml"):
            yield from _own(child, tag)


def _labelled(label: ListLabel | None, text: str, bullets: bool = True) -> str:
    """The text behind its number in the list."""
    if label is None or not label.text or (label.text == BULLET and not bullets):
        return text
    return f"{label.text} {text}".strip()


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
            if note.get(f"{W}type") is None:
                text = tidy("\n".join(paragraph_text(part) for part in note.iter(f"{W}p")))
                if text:
                    yield Block("text", words + text)
