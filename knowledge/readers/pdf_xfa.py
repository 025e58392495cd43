"""The values of an XFA form, which lie in an XML of their own beside the pages of a PDF (XFA 3.3, chapters 3 and 4)."""

import ctypes
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium_c
from lxml import etree

from knowledge.errors import DocumentError
from knowledge.readers.blocks import one_line
from knowledge.readers.pdf_forms import NOT_TICKED, TICKED
from knowledge.readers.zip_container import parse_xml

MAX_PACKET_BYTES = 20_000_000
MAX_PACKETS = 100


@dataclass(frozen=True)
class _Field:
    caption: str
    ticked: str = ""  # the value of a box that is ticked; empty for other fields


def form_values(document: pypdfium2.PdfDocument) -> list[str]:
    """The filled fields as "caption: value", in the order of the form; none where there are none or it is damaged."""
    packets = dict(_packets(document))
    try:
        data = parse_xml(packets["datasets"])
        fields = dict(_fields(parse_xml(packets["template"]))) if "template" in packets else {}
    except (KeyError, DocumentError):
        return []
    return list(_lines(data, fields))


def _packets(document: pypdfium2.PdfDocument) -> Iterator[tuple[str, bytes]]:
    for index in range(min(pdfium_c.FPDF_GetXFAPacketCount(document.raw), MAX_PACKETS)):
        length = pdfium_c.FPDF_GetXFAPacketName(document.raw, index, None, 0)
        name = ctypes.create_string_buffer(max(length, 1))
        pdfium_c.FPDF_GetXFAPacketName(document.raw, index, name, length)
        size = ctypes.c_ulong()
        pdfium_c.FPDF_GetXFAPacketContent(document.raw, index, None, 0, size)
        if not 0 < size.value <= MAX_PACKET_BYTES:
            continue
        content = ctypes.create_string_buffer(size.value)
        pdfium_c.FPDF_GetXFAPacketContent(document.raw, index, content, size.value, size)
        yield name.value.decode("utf-8", "replace"), content.raw


def _fields(template: etree._Element) -> Iterator[tuple[str, _Field]]:
    for field in template.iter("{*}field"):
        name = field.get("name") or ""
        caption = one_line(" ".join(str(text) for text in field.xpath("*[local-name()='caption']//text()")))
        on = field.xpath("string(*[local-name()='items']/*[1])") if field.xpath(_BOX) else ""
        yield name, _Field(caption.rstrip(":： ") or name, str(on))


_BOX = "*[local-name()='ui']/*[local-name()='checkButton']"


def _lines(data: etree._Element, fields: Mapping[str, _Field]) -> Iterator[str]:
    for element in data.iter("{*}*"):
        if len(element) or not (value := one_line(element.text or "")):
            continue
        name = etree.QName(element).localname
        field = fields.get(name, _Field(name))
        if field.ticked:
            value = TICKED if value == field.ticked else NOT_TICKED
        yield f"{field.caption}: {value}"
