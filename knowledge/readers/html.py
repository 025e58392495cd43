"""HTML → blocks: the main text with headings, lists, tables and code; no menus, banners and scripts."""

import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as lxml_html

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, Draft, one_line, table_block
from knowledge.readers.encodings import decode

_META_CHARSET = re.compile(
    rb"""<(?:meta[^>]+charset|\?xml[^>]+encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
_SKIPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "head",
        "nav",
        "footer",
        "aside",
        "form",
        "button",
        "select",
        "option",
        "iframe",
        "object",
        "embed",
        "svg",
        "canvas",
        "audio",
        "video",
        "map",
        "dialog",
        "input",
        "textarea",
    ]
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "ol",
        "p",
        "section",
        "summary",
        "ul",
        "tr",
        "td",
        "th",
        "tbody",
        "thead",
        "tfoot",
        "caption",
    ]
)
_BREAK = "\u2028"  # a line break that white space cannot be taken for
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CHROME = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?|cookies?|consent|sidebar|share|sharing|social|advert"
    r"|advertisement|ads|banner|popup|newsletter|related|skip-link|toc-toggle|editsection|mw-jump-link|noprint)(?:$|[\s_-])",
    re.IGNORECASE,
)


def load_html(data: bytes, declared: str = "", page: int | None = None) -> Draft:
    """The blocks of a page; `declared` is the encoding that the server named."""
    found = _META_CHARSET.search(data[:4096])
    text = decode(data, declared or (found[1].decode("ascii", "replace") if found else ""))
    return html_draft(text, page)


def html_draft(text: str, page: int | None = None) -> Draft:
    """The blocks of HTML that is already text."""
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    parser = lxml_html.HTMLParser(remove_comments=True, remove_pis=True, no_network=True, huge_tree=True)
    try:
        root = lxml_html.document_fromstring(text, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise DocumentError(f"its HTML holds no text ({error})") from error
    title = one_line(root.findtext(".//title") or "")
    blocks = _Walker(page).read(_main_part(root))
    if not title:
        title = next((block.text for block in blocks if block.kind == "heading"), "")
    cut = any("depth" in entry.message for entry in parser.error_log)
    notes = ("it is nested too deeply; what lies deepest was not read",) if cut else ()
    return Draft(title, tuple(blocks), notes)


def _main_part(root: etree._Element) -> etree._Element:
    """The element that says it is the main one, when it holds most of the text; otherwise the whole page."""
    body = root.find(".//body")
    whole = root if body is None else body
    candidates = [*root.iter("main"), *root.xpath('//*[@role="main"]'), *root.iter("article")]
    if not candidates:
        return whole
    best = max(candidates, key=_text_length)
    return best if _text_length(best) * 2 > _text_length(whole) else whole


def _text_length(element: etree._Element) -> int:
    return sum(
        len(text.strip())
        for part in element.iter()
        if isinstance(part.tag, str) and part.tag not in _SKIPPED
        for text in (part.text or "", part.tail or "")
    )


class _Walker:
    """Collects inline text until a block element begins or ends."""

    def __init__(self, page: int | None) -> None:
        self.page = page
        self.blocks: list[Block] = []
        self.inline: list[str] = []
        self.items: list[str] = []
        self.depth = 0  # of lists
        self.marker = ""

    def read(self, element: etree._Element) -> list[Block]:
        self._children(element)
        self._end_paragraph()
        self._end_list()
        if self.marker.strip("- "):
            self.blocks.append(Block("text", self.marker.removesuffix(": "), self.page))
        return self.blocks

    def _children(self, element: etree._Element) -> None:
        self.inline.append(element.text or "")
        for child in element:
            self._element(child)
            self.inline.append(child.tail or "")

    def _element(self, element: etree._Element) -> None:
        tag = element.tag
        if not isinstance(tag, str) or tag in _SKIPPED or _is_chrome(element):
            return
        if tag in _HEADINGS:
            self._heading(element, _HEADINGS[tag])
        elif tag == "pre":
            self._code(element)
        elif tag == "table":
            self._table(element)
        elif tag == "br":
            self.inline.append(_BREAK)
        elif tag == "img":
            self.inline.append(element.get("alt") or "")
        elif tag in ("ul", "ol"):
            self._list(element)
        elif tag == "dt":
            self._term(element)
        elif tag in _BLOCKS:
            self._end_paragraph()
            self.marker = "- " if tag == "li" else self.marker
            self._children(element)
            self._end_paragraph()
        else:
            self._children(element)

    def _heading(self, element: etree._Element, level: int) -> None:
        self._end_paragraph()
        self._end_list()
        if text := one_line(inner_text(element)).strip("¶§ "):
            self.blocks.append(Block("heading", text, self.page, level))

    def _code(self, element: etree._Element) -> None:
        self._end_paragraph()
        self._end_list()
        if (text := inner_text(element)).strip():
            self.blocks.append(Block("code", text.strip("\n"), self.page))

    def _list(self, element: etree._Element) -> None:
        self._end_paragraph()
        self.depth += 1
        self._children(element)
        self._end_paragraph()
        self.depth -= 1
        if not self.depth:
            self._end_list()

    def _term(self, element: etree._Element) -> None:
        """A term stands in front of its definition; one without a definition is a paragraph."""
        self._end_paragraph()
        if self.marker.endswith(": "):
            self.inline.append(self.marker.removesuffix(": "))
            self.marker = ""
            self._end_paragraph()
        if element.find(".//pre") is None and not any(element.iter(*_HEADINGS)):
            term = one_line(inner_text(element))
            self.marker = f"{term}: " if term else ""
        else:
            self._children(element)
            self._end_paragraph()

    def _table(self, element: etree._Element) -> None:
        self._end_paragraph()
        self._end_list()
        rows = table_grid(element)
        if is_layout(rows, element):
            self._children(element)
            self._end_paragraph()
        elif block := table_block(rows, self.page, _has_header(element)):
            caption = element.find("caption")
            if caption is not None and (words := one_line(inner_text(caption))):
                self.blocks.append(Block("text", words, self.page))
            self.blocks.append(block)

    def _end_paragraph(self) -> None:
        lines = [one_line(line) for line in "".join(self.inline).replace("\u00ad", "").split(_BREAK)]
        self.inline = []
        text = "\n".join(line for line in lines if line)
        if not text:
            return
        if self.depth:
            self.items.append("  " * (self.depth - 1) + (self.marker or "  ") + text)
            self.marker = ""
        else:
            self.blocks.append(Block("text", self.marker + text, self.page))
            self.marker = ""

    def _end_list(self) -> None:
        if self.items:
            self.blocks.append(Block("text", "\n".join(self.items), self.page))
            self.items = []


def inner_text(element: etree._Element) -> str:
    """All text inside, scripts and styles left out."""
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str) and child.tag not in _SKIPPED:
            parts.append("\n" if child.tag == "br" else inner_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def table_grid(table: etree._Element) -> list[list[str]]:
    """The cells as a full grid: a merged cell is repeated where it reaches; inner tables become text."""
    grid: list[list[str]] = []
    hanging: dict[int, tuple[int, str]] = {}  # column → rows that a cell above still covers, and its text
    for row in own_rows(table):
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        texts: list[str] = []
        below: dict[int, tuple[int, str]] = {}
        while cells or len(texts) in hanging:
            if len(texts) in hanging:
                height, text = hanging.pop(len(texts))
                width = 1
            else:
                cell = cells.pop(0)
                text = one_line(cell_text(cell))
                height, width = _span(cell, "rowspan", 1000), _span(cell, "colspan", 100)
            for _ in range(width):
                if height > 1:
                    below[len(texts)] = (height - 1, text)
                texts.append(text)
        hanging = hanging | below
        grid.append(texts)
    return grid


def _has_header(table: etree._Element) -> bool | None:
    """Whether the first row says that it names the columns, or that it does not."""
    kinds = [cell.tag for cell in next(own_rows(table), ()) if cell.tag in ("td", "th")]
    if "th" not in kinds:
        return None
    return kinds.count("th") > 1 or "td" not in kinds


def own_rows(table: etree._Element) -> Iterator[etree._Element]:
    """The rows of this table and not of tables inside it."""
    for child in table:
        if child.tag == "tr":
            yield child
        elif child.tag in ("thead", "tbody", "tfoot"):
            yield from (row for row in child if row.tag == "tr")


def cell_text(element: etree._Element) -> str:
    """The text of a cell; a table inside it is written out row by row."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == "table":
            block = table_block(table_grid(child), header=_has_header(child))
            parts.append(f" ({'; '.join(block.text.split(chr(10)))}) " if block else "")
        elif isinstance(child.tag, str) and child.tag not in _SKIPPED:
            space = " " if child.tag in _BLOCKS or child.tag == "br" else ""
            parts += [space, cell_text(child), space]
        parts.append(child.tail or "")
    return "".join(parts)


def is_layout(rows: list[list[str]], table: etree._Element) -> bool:
    """A table of one column, or one that only arranges long texts or other tables, is no table."""
    widest = max((len(row) for row in rows), default=0)
    if table.get("role") == "presentation" or widest < 2:
        return True
    return len(rows) == 1 and any(len(cell) > 300 for cell in rows[0])


def _span(cell: etree._Element, name: str, most: int) -> int:
    value = (cell.get(name) or "1").strip()
    return min(max(int(value), 1), most) if value.isdecimal() and len(value) < 6 else 1


def _is_chrome(element: etree._Element) -> bool:
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if element.get("role") in ("navigation", "banner", "search", "contentinfo", "menu"):
        return True
    if "display:none" in (element.get("style") or "").replace(" ", ""):
        return True
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    return element.tag not in ("body", "article", "main") and bool(_CHROME.search(names))
