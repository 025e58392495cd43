"""XML of any kind → blocks: records as rows, text with marks in it as paragraphs, the rest by its titles and names."""

import re
from collections.abc import Iterator, Sequence

from lxml import etree

from knowledge.readers.blocks import Block, ParsedFile, one_line, record
from knowledge.readers.html import load_html
from knowledge.readers.xml_tables import beside_rows, is_table, xml_table
from knowledge.readers.zip_container import parse_xml

MAX_HEADINGS = 4
_ESCAPED = (
    "description",
    "content",
    "summary",
    "encoded",
    "body",
    "text",
)  # in which feeds write HTML as text
_MARKUP = re.compile(r"</(?:p|div|a|ul|ol|b|i|em|strong|span|h[1-6]|table)>|<(?:br|img)\b", re.IGNORECASE)
_TITLES = ("title", "name", "heading", "head", "label")


def load_xml(data: bytes) -> ParsedFile:
    """The blocks of an XML file. Raises DocumentError when it is not well-formed."""
    root = parse_xml(data)
    blocks = tuple(_blocks(root, 1))
    title = next((one_line(_all_text(part)) for part in root if _name(part) == "title"), "")
    return ParsedFile(title, blocks)


def _blocks(element: etree._Element, level: int, headed: str = "") -> Iterator[Block]:
    children = [child for child in element if isinstance(child.tag, str)]
    if is_table(element):
        for child in beside_rows(element):
            if (text := one_line(_all_text(child))) and text != headed:
                yield Block("text", text)
        if block := xml_table(element):
            yield block
        return
    if line := record(_attributes(element)):
        yield Block("table", line)
    if not children or _is_mixed(element):
        if text := one_line(_all_text(element)):
            yield Block("text", text)
        return
    rows: list[str] = []
    leaves: list[tuple[str, str]] = []
    for child in children:
        if _is_leaf(child) and not (_is_paragraph(child) or len(child.attrib)):
            leaves.append((_name(child), one_line(_all_text(child))))
            continue
        if _is_record(child):
            yield from _row([record(leaves)])
            leaves = []
            rows.append(_record(child))
            continue
        yield from _row([*rows, record(leaves)])
        rows, leaves = [], []
        yield from _part(child, level)
    yield from _row([*rows, record(leaves)])


def _part(element: etree._Element, level: int) -> Iterator[Block]:
    """An element with parts of its own, under its title or its name."""
    if _is_leaf(element) or _is_mixed(element):
        yield from _blocks(element, level)
        return
    titled = next((child for child in element if _name(child) in _TITLES and _is_leaf(child)), None)
    heading = one_line(_all_text(titled)) if titled is not None else ""
    if level <= MAX_HEADINGS:
        yield Block("heading", heading or _name(element), level=level)
    yield from _blocks(element, level + 1, heading if level <= MAX_HEADINGS else "")


def _row(lines: Sequence[str]) -> Iterator[Block]:
    if text := "\n".join(filter(None, lines)):
        yield Block("table", text)


def _is_leaf(element: etree._Element) -> bool:
    return not any(isinstance(child.tag, str) for child in element)


def _is_record(element: etree._Element) -> bool:
    """Whether all that it holds are short values; lists of such elements are tables."""
    children = [child for child in element if isinstance(child.tag, str)]
    if not children or _is_mixed(element):
        return bool(element.attrib) and _is_leaf(element) and not _is_paragraph(element)
    return all(_is_leaf(child) and not _is_paragraph(child) for child in children)


def _record(element: etree._Element) -> str:
    values = [(_name(child), one_line(_all_text(child))) for child in element if isinstance(child.tag, str)]
    inside = [pair for child in element if isinstance(child.tag, str) for pair in _attributes(child)]
    own = [(_name(element), one_line(element.text or ""))] if _is_leaf(element) else []
    return record([*_attributes(element), *own, *values, *inside])


def _attributes(element: etree._Element) -> list[tuple[str, str]]:
    return [(etree.QName(str(key)).localname, one_line(str(value))) for key, value in element.attrib.items()]


def _is_mixed(element: etree._Element) -> bool:
    """Whether text stands between its children, as in a paragraph with words set apart."""
    own = [element.text or "", *(child.tail or "" for child in element)]
    return len(element) > 0 and any(text.strip() for text in own)


def _is_paragraph(element: etree._Element) -> bool:
    return len(element.text or "") > 200


def _all_text(element: etree._Element) -> str:
    text = str(element.xpath("string()"))  # without comments
    if _name(element) in _ESCAPED and _MARKUP.search(text):
        return "\n".join(block.text for block in load_html(text.encode("utf-8", "replace"), "utf-8").blocks)
    return text


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
