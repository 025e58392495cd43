"""HTML → blocks: the main text with headings, lists, tables and code; no menus, banners and scripts."""

import re

from lxml import etree
from lxml import html as lxml_html

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.encodings import decode
from knowledge.readers.html_tables import (
    BLOCK_TAGS,
    SKIPPED_TAGS,
    header_rows,
    inner_text,
    is_layout,
    table_grid,
)
from knowledge.readers.tables import table_block

_META_CHARSET = re.compile(
    rb"""<(?:meta[^>]+charset|\?xml[^>]+encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
_BREAK = "\u2028"  # a line break that white space cannot be taken for
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_CHROME = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?|cookies?|consent|sidebar|share|sharing|social|advert"
    r"|advertisement|ads|banner|popup|newsletter|related|skip-link|toc-toggle|editsection|mw-jump-link|noprint)(?:$|[\s_-])",
    re.IGNORECASE,
)


def load_html(data: bytes, declared: str = "", page: int | None = None) -> ParsedFile:
    """The blocks of a page; `declared` is the encoding that the server named."""
    found = _META_CHARSET.search(data[:4096])
    text = decode(data, declared or (found[1].decode("ascii", "replace") if found else ""))
    return load_html_text(text, page)


def load_html_text(text: str, page: int | None = None) -> ParsedFile:
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
    return ParsedFile(title, tuple(blocks), notes)


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
        if isinstance(part.tag, str) and part.tag not in SKIPPED_TAGS
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
        if not isinstance(tag, str) or tag in SKIPPED_TAGS or _is_chrome(element):
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
        elif tag in BLOCK_TAGS:
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
        elif block := table_block(rows, self.page, header_rows(element)):
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


def _is_chrome(element: etree._Element) -> bool:
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if element.get("role") in ("navigation", "banner", "search", "contentinfo", "menu"):
        return True
    if "display:none" in (element.get("style") or "").replace(" ", ""):
        return True
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    return element.tag not in ("body", "article", "main") and bool(_CHROME.search(names))
