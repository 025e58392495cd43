"""OpenDocument (.odt, .ods, .odp) → blocks: headings, lists, tables, notes; slides and sheets as pages."""

from collections.abc import Mapping, Sequence

from lxml import etree

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.mathml import is_formula, latex
from knowledge.readers.opendocument_numbering import BULLET, OUTLINE, Counter, ListStyle, list_styles
from knowledge.readers.opendocument_tables import grid_blocks, table_grid
from knowledge.readers.opendocument_text import NAMES, inline_text, name, name_of
from knowledge.readers.table_parts import side_by_side
from knowledge.readers.zip_container import Archive, parse_xml

_PARAGRAPHS = ("text:p", "text:h")
_SKIPPED = frozenset(
    (
        *(
            "text:tracked-changes",
            "text:table-of-content",
            "text:sequence-decls",
            "office:forms",
            "office:scripts",
        ),
        *(
            "table:named-expressions",
            "table:database-ranges",
            "presentation:settings",
            "svg:title",
            "svg:desc",
        ),
    )
)


def load_opendocument(archive: Archive) -> ParsedFile:
    """The blocks of a text, a workbook or a presentation. Raises DocumentError when it is encrypted."""
    if "META-INF/manifest.xml" in archive.names and b"encryption-data" in archive.read(
        "META-INF/manifest.xml"
    ):
        raise DocumentError("it is encrypted: save it without a password first")
    parts = [archive.xml(name) for name in ("content.xml", "styles.xml", "meta.xml") if name in archive.names]
    if "content.xml" not in archive.names:
        archive.read("content.xml")  # says that it is missing
    _write_out_formulas(archive, parts[0])
    return _parsed(parts)


def _write_out_formulas(archive: Archive, content: etree._Element) -> None:
    """Formulas lie beside the text in files of their own; they are put where they are shown."""
    for shown in list(content.iter(name_of("draw:object"))):
        member = f"{(shown.get(name_of('xlink:href')) or '').removeprefix('./').rstrip('/')}/content.xml"
        parent = shown.getparent()
        if parent is None or member not in archive.names or not is_formula(formula := archive.xml(member)):
            continue
        words = etree.Element(name_of("text:span"))
        words.text, words.tail = latex(formula), shown.tail
        parent.replace(shown, words)


def load_flat_opendocument(data: bytes) -> ParsedFile:
    """The same of a document that is one XML file (.fodt, .fods, .fodp)."""
    return _parsed([parse_xml(data)])


def _parsed(parts: Sequence[etree._Element]) -> ParsedFile:
    """Content, styles and properties, in this order, or one part that holds all of them."""
    content = parts[0]
    reader = _Reader(_outline_styles(content), _hidden_tables(content), list_styles(parts))
    for body in content.iterfind("office:body", NAMES):
        for kind in body:
            reader.container(kind)
    reader.end_list()
    title = _title(parts) or next((block.text for block in reader.blocks if block.kind == "heading"), "")
    return ParsedFile(title, tuple(reader.blocks), tuple(reader.notes))


class _Reader:
    def __init__(
        self, outlines: dict[str, int], hidden: frozenset[str], styles: Mapping[str, ListStyle]
    ) -> None:
        self.outlines = outlines
        self.hidden = hidden  # styles of sheets that are not shown
        self.styles = styles
        self.chapters = Counter(styles.get(OUTLINE, {}))
        self.continued: dict[str, Counter] = {}  # the last list of each style
        self.blocks: list[Block] = []
        self.notes: list[str] = []
        self.items: list[str] = []
        self.page: int | None = None

    def container(self, element: etree._Element) -> None:
        for child in element:
            self.element(child, name(child), name(element))

    def element(self, element: etree._Element, kind: str, above: str) -> None:
        if kind == "text:h":
            level = int(element.get(name_of("text:outline-level")) or 1)
            number = self.chapters.label(level)
            text = inline_text(element)
            self.heading(text if number == BULLET or not text else f"{number} {text}", level)
        elif kind == "text:p":
            self.paragraph(element)
        elif kind == "text:list":
            self.list(element, 0, self.counter(element))
        elif kind == "table:table":
            self.sheet(element) if above == "office:spreadsheet" else self.table(element)
        elif kind == "draw:page":
            self.slide(element)
        elif kind == "draw:frame" and element.get(name_of("presentation:class")) in ("title", "subtitle"):
            self.heading(" ".join(inline_text(part) for part in element.iter(name_of("text:p"))), 1)
        elif kind not in _SKIPPED and kind:
            self.container(element)

    def heading(self, text: str, level: int) -> None:
        self.end_list()
        if text := one_line(text):
            self.blocks.append(Block("heading", text, self.page, min(max(level, 1), 9)))

    def paragraph(self, element: etree._Element) -> None:
        text = inline_text(element)
        level = self.outlines.get(element.get(name_of("text:style-name")) or "", 0)
        if level:
            self.heading(text, level)
        elif text:
            self.end_list()
            self.blocks.append(Block("text", text, self.page))
        for box in element.iter(name_of("draw:text-box")):
            self.container(box)

    def counter(self, element: etree._Element) -> Counter:
        """A new one for a list, or that of the list that it continues."""
        style = element.get(name_of("text:style-name")) or ""
        continues = element.get(name_of("text:continue-numbering")) == "true"
        if not continues or style not in self.continued:
            self.continued[style] = Counter(self.styles.get(style, {}))
        return self.continued[style]

    def list(self, element: etree._Element, depth: int, counter: Counter) -> None:
        for item in element:
            label = ""
            if name(item) == "text:list-item" and any(name(child) in _PARAGRAPHS for child in item):
                label = counter.label(depth + 1, item.get(name_of("text:start-value")))
            for child in item:
                if name(child) == "text:list":
                    self.list(child, depth + 1, counter)
                elif name(child) in _PARAGRAPHS and (text := inline_text(child)):
                    self.items.append("  " * min(depth, 8) + (label + " " if label else "  ") + text)
                    label = ""
        if not depth:
            self.end_list()

    def table(self, element: etree._Element) -> None:
        self.end_list()
        self.blocks += grid_blocks(*table_grid(element), self.page)

    def sheet(self, element: etree._Element) -> None:
        self.page = (self.page or 0) + 1
        title = element.get(name_of("table:name")) or ""
        grid, header = table_grid(element)
        beside = [grid] if header else side_by_side(grid)
        found = [block for part in beside for block in grid_blocks(part, header, self.page)]
        if not found:
            return
        if element.get(name_of("table:style-name")) in self.hidden:
            self.notes.append(f'sheet "{title}" is hidden, and was read')
            title += " (hidden sheet)"
        self.heading(title, 1)
        self.blocks += found

    def slide(self, element: etree._Element) -> None:
        self.page = (self.page or 0) + 1
        frames = sorted(element, key=lambda part: part.get(name_of("presentation:class")) != "title")
        for frame in frames:
            if name(frame) == "presentation:notes":
                notes = [inline_text(part) for part in frame.iter(name_of("text:p"))]
                if text := "\n".join(filter(None, notes)):
                    self.blocks.append(Block("text", f"Notes: {text}", self.page))
            else:
                self.element(frame, name(frame), "draw:page")
        self.end_list()

    def end_list(self) -> None:
        if self.items:
            self.blocks.append(Block("text", "\n".join(self.items), self.page))
            self.items = []


def _outline_styles(content: etree._Element) -> dict[str, int]:
    """Styles of paragraphs that make them a title."""
    found = {"Title": 1}
    for style in content.iter(name_of("style:style")):
        if style.get(name_of("style:parent-style-name")) == "Title":
            found[style.get(name_of("style:name")) or ""] = 1
    return found


def _hidden_tables(content: etree._Element) -> frozenset[str]:
    return frozenset(
        style.get(name_of("style:name")) or ""
        for style in content.iter(name_of("style:style"))
        for properties in style.iterfind("style:table-properties", NAMES)
        if properties.get(name_of("table:display")) == "false"
    )


def _title(parts: Sequence[etree._Element]) -> str:
    found = (part.findtext("office:meta/dc:title", namespaces=NAMES) for part in parts)
    return one_line(next(filter(None, found), ""))
