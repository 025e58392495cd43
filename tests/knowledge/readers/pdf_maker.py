"""Small PDFs written by hand: text at a place, ruled lines, Chinese without embedded fonts, passwords."""

import io
import zlib
from collections.abc import Mapping, Sequence

import pypdf

FONTS = {"regular": "Helvetica", "bold": "Helvetica-Bold", "mono": "Courier"}

_ALEF = 0x05D0


class PdfPage:
    """One A4 page; y is measured from the top."""

    def __init__(self) -> None:
        self.operators: list[str] = []
        self.rotation = 0  # degrees clockwise by which the page is shown
        self.annotations: list[str] = []

    def text(self, x: float, y: float, text: str, size: float = 10, font: str = "regular") -> "PdfPage":
        if any(ord(character) > 255 for character in text):
            shown, name = f"<{text.encode('utf-16-be').hex()}>", "chinese"
        else:
            escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            shown, name = f"({escaped})", font
        self.operators.append(f"BT /{name} {size} Tf 1 0 0 1 {x} {842 - y} Tm {shown} Tj ET")
        return self

    def hebrew(self, x: float, y: float, text: str, size: float = 10) -> "PdfPage":
        """Hebrew letters as files hold them: by their place, the last one first."""
        codes = "".join(chr(ord(c) - _ALEF + 0x41) if c != " " else c for c in reversed(text))
        return self.text(x, y, codes, size, "hebrew")

    def turned(self, x: float, y: float, text: str, size: float = 10) -> "PdfPage":
        """Text that is read from the bottom up."""
        self.operators.append(f"BT /regular {size} Tf 0 1 -1 0 {x} {842 - y} Tm ({text}) Tj ET")
        return self

    def field(self, kind: str, value: str, left: float, top: float) -> "PdfPage":
        """A form field: Tx (text), Btn (a box to tick) or Ch (a choice)."""
        width = 12 if kind == "Btn" else 150
        shown = f"/V /{value} /AS /{value}" if kind == "Btn" else f"/V ({value})"
        looks = "/AP << /N << /Yes << >> /Off << >> >> >>" if kind == "Btn" else ""
        box = f"{left} {842 - top - 14} {left + width} {842 - top}"
        self.annotations.append(
            f"<< /Type /Annot /Subtype /Widget /FT /{kind} /T (f{len(self.annotations)}) {shown} {looks} "
            f"/DA (/regular 10 Tf 0 g) /F 4 /Rect [{box}] >>"
        )
        return self

    def note(self, kind: str, text: str, left: float, top: float) -> "PdfPage":
        """A remark of a reader: FreeText is typed onto the page, Text hangs on it."""
        box = f"{left} {842 - top - 14} {left + 100} {842 - top}"
        self.annotations.append(f"<< /Type /Annot /Subtype /{kind} /Contents ({text}) /F 4 /Rect [{box}] >>")
        return self

    def lines(
        self, x: float, y: float, lines: Sequence[str], size: float = 10, leading: float = 13
    ) -> "PdfPage":
        for number, line in enumerate(lines):
            self.text(x, y + number * leading, line, size)
        return self

    def sideways(self, rotation: int) -> "PdfPage":
        """The same page lying on its side, and shown upright: as programs write landscape pages."""
        self.rotation = rotation
        self.operators.insert(0, "q 0 1 -1 0 595 0 cm" if rotation == 90 else "q 0 -1 1 0 0 842 cm")
        self.operators.append("Q")
        return self

    def grid(self, xs: Sequence[float], ys: Sequence[float]) -> "PdfPage":
        for x in xs:
            self.operators.append(f"{x} {842 - ys[0]} m {x} {842 - ys[-1]} l S")
        for y in ys:
            self.operators.append(f"{xs[0]} {842 - y} m {xs[-1]} {842 - y} l S")
        return self

    def box(self, left: float, top: float, right: float, bottom: float) -> "PdfPage":
        """Four lines around a cell."""
        self.operators.append(f"{left} {842 - bottom} {right - left} {bottom - top} re S")
        return self

    def picture(self) -> "PdfPage":
        self.operators.append("q 400 0 0 400 50 200 cm /picture Do Q")
        return self


def pdf(*pages: PdfPage, title: str = "", xfa: Mapping[str, str] | None = None) -> bytes:
    """The file; `xfa` holds the packets of an XFA form."""
    objects: list[bytes] = []

    def add(body: str | bytes) -> int:
        objects.append(body if isinstance(body, bytes) else body.encode("latin-1"))
        return len(objects)

    catalog, tree = add(""), add("")
    fonts = {
        key: add(f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>")
        for key, name in FONTS.items()
    }
    descriptor = add(
        "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] "
        "/ItalicAngle 0 "
        "/Ascent 880 "
        "/Descent -120 /CapHeight 880 /StemV 93 >>"
    )
    cid = add(
        "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /DW 1000 "
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 4 >> "
        f"/FontDescriptor {descriptor} 0 R >>"
    )
    fonts["chinese"] = add(
        "<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H "
        f"/DescendantFonts [{cid} 0 R] >>"
    )
    ranges = b"2 beginbfrange <20> <20> <0020> <41> <5B> <05D0> endbfrange"
    unicode = b"1 begincodespacerange <00> <FF> endcodespacerange " + ranges
    cmap = b"/CIDInit /ProcSet findresource begin begincmap %s endcmap end" % unicode
    letters = add(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(cmap), cmap))
    fonts["hebrew"] = add(
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /ToUnicode {letters} 0 R >>"
    )
    pixels = zlib.compress(bytes(100))
    image = add(
        b"<< /Type /XObject /Subtype /Image /Width 10 /Height 10 /ColorSpace /DeviceGray /BitsPerComponent 8 "
        b"/Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(pixels), pixels)
    )
    named = " ".join(f"/{key} {number} 0 R" for key, number in fonts.items())
    resources = f"<< /Font << {named} >> /XObject << /picture {image} 0 R >> >>"
    kids, fields = [], []
    for page in pages:
        marks = [add(annotation) for annotation in page.annotations]
        fields += [mark for mark, body in zip(marks, page.annotations, strict=True) if "/Widget" in body]
        listed = " ".join(f"{mark} 0 R" for mark in marks)
        content = "\n".join(page.operators).encode("latin-1")
        stream = add(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content))
        kids.append(
            add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 595 842] /Rotate {page.rotation} "
                f"/Resources {resources} "
                f"/Contents {stream} 0 R /Annots [{listed}] >>"
            )
        )
    info = add(f"<< /Title ({title}) >>")
    form = " ".join(f"{field} 0 R" for field in fields)
    packets = " ".join(
        f"({name}) {add(f'<< /Length {len(text)} >>{chr(10)}stream{chr(10)}{text}{chr(10)}endstream')} 0 R"
        for name, text in (xfa or {}).items()
    )
    form = f"/Fields [{form}]" + (f" /XFA [{packets}]" if xfa else "")
    needs = "/NeedsRendering true" if xfa else ""
    objects[catalog - 1] = f"<< /Type /Catalog /Pages {tree} 0 R {needs} /AcroForm << {form} >> >>".encode()
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    objects[tree - 1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{listed}] >>".encode()
    return assemble(objects, catalog, info)


def assemble(objects: Sequence[bytes], root: int, info: int = 0) -> bytes:
    """Numbered objects as a file with its cross-reference table."""
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    about = b"/Info %d 0 R " % info if info else b""
    out.write(
        b"trailer << /Size %d /Root %d 0 R %s>>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, root, about, table)
    )
    return out.getvalue()


def encrypted(data: bytes, user: str, owner: str = "owner", algorithm: str = "AES-256") -> bytes:
    """The same file, encrypted."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(user, owner, algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
