"""The words of OpenDocument paragraphs: spaces and tabs that are elements, notes in brackets, deleted text left out."""

from collections.abc import Iterator

from lxml import etree

from knowledge.readers.blocks import one_line

NAMES = {
    **{
        short: f"urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"
        for short, long in (
            *(("office", "office"), ("text", "text"), ("table", "table"), ("style", "style")),
            *(("presentation", "presentation"), ("draw", "drawing"), ("svg", "svg-compatible")),
        )
    },
    "dc": "http://purl.org/dc/elements/1.1/",
    "xlink": "http://www.w3.org/1999/xlink",
}
_SHORT = {uri: short for short, uri in NAMES.items()}
_LEFT_OUT = (
    "draw:text-box",
    "text:tracked-changes",
    "text:note-citation",
    "text:ruby-text",
    "svg:title",
    "svg:desc",
)
_BREAK = "\u2028"  # a line break that white space cannot be taken for


def name(element: etree._Element) -> str:
    """The element's name as the standard writes it, "text:p"; empty for what is not of OpenDocument."""
    if not isinstance(element.tag, str):
        return ""
    found = etree.QName(element)
    return f"{_SHORT[found.namespace]}:{found.localname}" if found.namespace in _SHORT else ""


def name_of(short: str) -> str:
    """A name such as "text:p" as lxml writes it."""
    prefix, _, local = short.partition(":")
    return f"{{{NAMES[prefix]}}}{local}"


def inline_text(paragraph: etree._Element) -> str:
    """The words of a paragraph, its line breaks kept."""
    lines = (one_line(line) for line in "".join(_parts(paragraph)).split(_BREAK))
    return "\n".join(line for line in lines if line)


def _parts(element: etree._Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        kind = name(child)
        if kind in ("text:s", "text:tab"):
            yield " "
        elif kind == "text:line-break":
            yield _BREAK
        elif kind in ("text:note", "office:annotation"):
            words = (inline_text(part) for part in child.iter(name_of("text:p")))
            yield f" ({' '.join(filter(None, words))}) "
        elif isinstance(child.tag, str) and kind not in _LEFT_OUT:
            yield from _parts(child)
        yield child.tail or ""
