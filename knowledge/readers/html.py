"""HTML → blocks: the main text with headings, lists, tables and code; no menus, banners and scripts."""

import re

from lxml import etree
from lxml import html as lxml_html

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.encodings import decode
from knowledge.readers.html_controls import write_controls
from knowledge.readers.html_furniture import SKIPPED_TAGS, Furniture, text_length
from knowledge.readers.html_lists import BULLET, ListCounter
from knowledge.readers.html_tables import (
    BLOCK_TAGS,
    TABLE_ROLES,
    code_text,
    header_rows,
    inner_text,
    is_layout,
    label_pairs,
    numbered_code,
    role_grid,
    table_grid,
)
from knowledge.readers.mathml import is_formula, latex
from knowledge.readers.raised_text import lowered, raised
from knowledge.readers.tables import table_block

_META_CHARSET = re.compile(
    rb"""<(?:meta[^>]+charset|\?xml[^>]+encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
_BREAK = "\u2028"  # a line break that white space cannot be taken for
_STRUCK = ("del", "s", "strike")  # what holds no longer
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LEFT_OUT_NOTE = "most of the page's text was left out as menus, banners or hidden parts"


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
    write_controls(root)
    _write_out(root)
    title = one_line(root.findtext(".//title") or "")
    walker = _Walker(page, Furniture.of(root))
    blocks = walker.read(_main_part(root))
    if not title:
        title = next((block.text for block in blocks if block.kind == "heading"), "")
    cut = any("depth" in entry.message for entry in parser.error_log)
    notes = ["it is nested too deeply; what lies deepest was not read"] if cut else []
    if walker.left_out > sum(len(block.text) for block in blocks):
        notes.append(_LEFT_OUT_NOTE)
    return ParsedFile(title, tuple(blocks), tuple(notes))


def _main_part(root: etree._Element) -> etree._Element:
    """The element that says it is the main one, when it holds most of the text; otherwise the whole page."""
    body = root.find(".//body")
    whole = root if body is None else body
    candidates = [*root.iter("main"), *root.xpath('//*[@role="main"]'), *root.iter("article")]
    if not candidates:
        return whole
    best = max(candidates, key=text_length)
    return best if text_length(best) * 2 > text_length(whole) else whole


def _write_out(root: etree._Element) -> None:
    """Formulas, powers and indices as text: what they mean is in how they are set."""
    for element in [one for one in root.iter("dt", "dd") if _within_another(one)]:
        element.getparent().addnext(element)
    for element in list(root.iter("rt", "rp")):  # how characters are pronounced would tear words apart
        element.text = None
    for element in [one for one in root.iter() if is_formula(one) or one.tag in ("sup", "sub")]:
        if element.tag in ("sup", "sub"):
            if not len(element) and element.text:
                element.text = (raised if element.tag == "sup" else lowered)(element.text)
        elif (parent := element.getparent()) is not None:
            words = etree.Element("span")
            words.text, words.tail = latex(element), element.tail
            parent.replace(element, words)


def _within_another(element: etree._Element) -> bool:
    """Whether a term stands in a term, as the parser has it where the end of the first one is not written."""
    parent = element.getparent()
    return parent is not None and parent.tag in ("dt", "dd")


class _Walker:
    """Collects inline text until a block element begins or ends."""

    def __init__(self, page: int | None, furniture: Furniture) -> None:
        self.page = page
        self.furniture = furniture
        self.blocks: list[Block] = []
        self.inline: list[str] = []
        self.items: list[str] = []
        self.counters: list[ListCounter] = []  # of the lists that are open
        self.marker = ""  # stands in front of the next paragraph
        self.term = False  # whether the marker is a term or a question
        self.meant = ""  # the marker of the last term that was defined
        self.left_out = 0  # characters

    def read(self, element: etree._Element) -> list[Block]:
        self._children(element)
        self._end_paragraph()
        self._end_list()
        self._end_term()
        return self.blocks

    def _children(self, element: etree._Element) -> None:
        self.inline.append(element.text or "")
        for child in element:
            self._element(child)
            self.inline.append(child.tail or "")

    def _element(self, element: etree._Element) -> None:
        tag = element.tag
        if not isinstance(tag, str) or tag in SKIPPED_TAGS:
            return
        if self.furniture.leaves_out(element):
            self.left_out += text_length(element)
            return
        if (tab := self.furniture.tab_of(element)) is not None:
            self._term(tab)
        if tag in _HEADINGS:
            self._heading(element, _HEADINGS[tag])
        elif element.get("role") in TABLE_ROLES and tag != "table":
            self._end_run()
            self.blocks += filter(None, [table_block(role_grid(element), self.page)])
        elif tag == "pre":
            self._code(element)
        elif tag == "table":
            self._table(element)
        elif tag == "br":
            self.inline.append(_BREAK)
        elif tag in _STRUCK:
            self.inline.append("~~")
            self._children(element)
            self.inline.append("~~")
        elif tag == "img":
            self.inline.append(element.get("alt") or "")
        elif tag in ("ul", "ol"):
            self._list(element)
        elif tag in ("dt", "summary", "button"):
            self._term(element)
        elif tag == "dd":
            self._definition(element)
        elif tag in BLOCK_TAGS:
            self._end_paragraph()
            if tag == "li":
                self._end_term()
                self.marker = self.counters[-1].marker(element) if self.counters else BULLET
            self._children(element)
            self._end_paragraph()
        else:
            self._children(element)

    def _heading(self, element: etree._Element, level: int) -> None:
        self._end_run()
        if text := one_line(inner_text(element)).strip("¶§ "):
            self.blocks.append(Block("heading", text, self.page, level))

    def _code(self, element: etree._Element) -> None:
        self._end_run()
        if (text := code_text(element)).strip():
            self.blocks.append(Block("code", text.strip("\n"), self.page))

    def _end_run(self) -> None:
        self._end_paragraph()
        self._end_term()
        self._end_list()

    def _list(self, element: etree._Element) -> None:
        self._end_paragraph()
        self.counters.append(ListCounter(element))
        self._children(element)
        self._end_paragraph()
        self.marker = self.marker if self.term else ""  # of an item in which nothing stands
        self.counters.pop()
        if not self.counters:
            self._end_list()

    def _term(self, element: etree._Element) -> None:
        """A term stands in front of its definition, a question in front of its answer; one without is a paragraph."""
        self._end_paragraph()
        before = element.getprevious()
        also = element.tag == "dt" and before is not None and before.tag == "dt" and self.term
        earlier = f"{self.marker.removesuffix(': ')}, " if also else ""
        self.term = self.term and not also
        self._end_term()
        if element.find(".//pre") is None and not any(element.iter(*_HEADINGS)):
            if term := one_line(inner_text(element)):
                term = earlier + term
                self.marker, self.term = f"{term} " if term[-1] in "?？" else f"{term}: ", True
        else:
            self._children(element)
            self._end_paragraph()

    def _definition(self, element: etree._Element) -> None:
        """What a term means; each of several meanings stands behind it."""
        self._end_paragraph()
        before = element.getprevious()
        if before is not None and before.tag == "dd" and not self.term and self.meant:
            self.marker, self.term = self.meant, True
        elif self.term:
            self.meant = self.marker
        self._children(element)
        self._end_paragraph()

    def _end_term(self) -> None:
        if self.term:
            text, self.marker, self.term = self.marker.removesuffix(": ").strip(), "", False
            self._add(text)

    def _table(self, element: etree._Element) -> None:
        self._end_run()
        rows = table_grid(element)
        if code := numbered_code(element):
            self.blocks.append(Block("code", code, self.page))
        elif pairs := label_pairs(element):
            self.blocks += filter(None, [table_block(pairs, self.page, 0)])
        elif is_layout(rows, element):
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
        text, self.marker, self.term = self._marked(text), "", False
        self._add(text)

    def _marked(self, text: str) -> str:
        return (self.marker or ("  " if self.counters else "")) + text

    def _add(self, text: str) -> None:
        """A paragraph, or an item of the list that is open."""
        if self.counters:
            self.items.append("  " * (len(self.counters) - 1) + text)
        else:
            self.blocks.append(Block("text", text, self.page))

    def _end_list(self) -> None:
        if self.items:
            self.blocks.append(Block("text", "\n".join(self.items), self.page))
            self.items = []
