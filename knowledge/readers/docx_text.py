"""The words of a Word paragraph as it reads now: formulas, signs, ticks and raised text in, deletions out."""

from collections.abc import Iterator

from lxml import etree

from knowledge.readers.blocks import one_line
from knowledge.readers.office_math import MATH, latex
from knowledge.readers.raised_text import lowered, raised

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
OFF = ("0", "false", "off")
TICKED, NOT_TICKED = "☒", "☐"  # as today's content controls write them
_LEFT_OUT = frozenset(
    {f"{W}del", f"{W}moveFrom", f"{W}instrText", f"{MC}Fallback", f"{W}pPr", f"{W}rPr", f"{W}rt"}
)
# Signs of Wingdings that people put before what holds and what does not; their letters mean nothing without the font.
_SYMBOLS = {
    **{"F0FE": "☒", "F0FD": "☒", "F0A8": "☐", "F06F": "☐", "F071": "☐", "F0FC": "✓", "F0FB": "✗"},
    **{"F052": "☑", "F053": "☒", "F054": "☒", "F0A3": "☐", "F050": "✓", "F04F": "✗"},
    **{"F0E0": "→", "F0B7": "•", "F0B0": "°", "F0B1": "±", "F0A7": "▪", "F04A": "☺"},
}


def value_of(element: etree._Element, name: str) -> str:
    """What a property says, such as the name of a style."""
    child = element.find(f"{W}{name}")
    return "" if child is None else child.get(f"{W}val") or ""


def paragraph_text(element: etree._Element) -> str:
    """The words of a paragraph as it reads now: insertions in, deletions out."""
    return "".join(_runs(element))


def _runs(element: etree._Element) -> Iterator[str]:
    for child in element:
        tag = child.tag
        if tag == f"{W}t":
            yield child.text or ""
        elif tag in MATH:
            yield latex(child)
        elif tag in (f"{W}tab", f"{W}ptab"):
            yield "\t"
        elif tag in (f"{W}br", f"{W}cr"):
            yield "\n"
        elif tag == f"{W}noBreakHyphen":
            yield "-"
        elif tag == f"{W}ffData":
            yield _field_value(child)
        elif tag == f"{W}sym":
            yield _SYMBOLS.get((child.get(f"{W}char") or "").upper(), "")
        elif tag == f"{W}sdt" and _is_placeholder(child):
            yield ""  # nobody has filled it in
        elif tag == f"{W}r" and _is_hidden(child):
            yield ""
        elif tag == f"{W}r" and (place := child.find(f"{W}rPr/{W}vertAlign")) is not None:
            text = "".join(_runs(child))
            moved = {"superscript": raised, "subscript": lowered}.get(place.get(f"{W}val") or "")
            yield moved(text) if moved else text
        elif tag not in _LEFT_OUT and tag != f"{W}txbxContent":
            yield from _runs(child)


def _is_hidden(run: etree._Element) -> bool:
    mark = run.find(f"{W}rPr/{W}vanish")
    return mark is not None and mark.get(f"{W}val") not in OFF


def _is_placeholder(control: etree._Element) -> bool:
    mark = control.find(f"{W}sdtPr/{W}showingPlcHdr")
    return mark is not None and mark.get(f"{W}val") not in OFF


def _field_value(field: etree._Element) -> str:
    """What is ticked or chosen in a form field of older documents; typed text stands in the paragraph."""
    box, choice = field.find(f"{W}checkBox"), field.find(f"{W}ddList")
    if box is not None:
        checked = box.find(f"{W}checked")
        mark = box.find(f"{W}default") if checked is None else checked
        return TICKED if mark is not None and mark.get(f"{W}val") not in OFF else NOT_TICKED
    if choice is None:
        return ""
    entries = [entry.get(f"{W}val") or "" for entry in choice.iter(f"{W}listEntry")]
    chosen = value_of(choice, "result") or value_of(choice, "default") or "0"
    return entries[int(chosen)] if chosen.isdecimal() and int(chosen) < len(entries) else ""


def tidy(text: str) -> str:
    """Its lines without white space around them, empty ones left out."""
    return "\n".join(line for line in (one_line(line) for line in text.split("\n")) if line)
