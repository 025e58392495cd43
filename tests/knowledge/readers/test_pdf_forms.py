"""Forms of a PDF: groups of which one is chosen, drop-downs by what they show, fields on a page on its side."""

import pytest

from knowledge.readers.dispatch import load
from tests.knowledge.readers.pdf_maker import assemble

LOOKS = "<< /Type /XObject /Subtype /Form /BBox [0 0 10 10] /Length 0 >>\nstream\n\nendstream"
FONT = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"


def form(
    texts: dict[tuple[int, int], str], fields: list[str], matrix: str = "1 0 0 1 0 0", rotation: int = 0
) -> bytes:
    """A page with texts at their places, and form fields from object 8 on; object 7 is how a tick looks."""
    shown = "".join(f"BT /F 10 Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET " for (x, y), text in texts.items())
    content = f"q {matrix} cm {shown}Q"
    numbers = range(8, 8 + len(fields))
    widgets = " ".join(f"{n} 0 R" for n, field in zip(numbers, fields, strict=True) if "/Rect" in field)
    tops = " ".join(f"{n} 0 R" for n, field in zip(numbers, fields, strict=True) if "/Parent" not in field)
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{tops}] /DA (/F 10 Tf 0 g) >> >>",
        "<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Rotate {rotation} /Contents 5 0 R "
        f"/Resources << /Font << /F 4 0 R >> >> /Annots [{widgets}] >>",
        FONT,
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< >>",
        LOOKS,
        *fields,
    ]
    return assemble([one.encode() for one in objects], 1)


def box(parent: int, name: str, chosen: str, left: int) -> str:
    state = name if name == chosen else "Off"
    looks = f"/AP << /N << /{name} 7 0 R /Off 7 0 R >> >>"
    return f"<< /Subtype /Widget /Parent {parent} 0 R /AS /{state} {looks} /F 4 /Rect [{left} 700 {left + 12} 712] >>"


@pytest.mark.parametrize("chosen", ["Yearly", "Monthly", "Off"])
def test_of_a_group_one_is_ticked_and_a_choice_reads_as_it_shows(chosen: str) -> None:
    texts = {(76, 702): "Yearly", (176, 702): "Monthly", (60, 663): "Home harbour"}
    fields = [
        f"<< /FT /Btn /Ff 49152 /T (pay) /V /{chosen} /Kids [9 0 R 10 0 R] >>",
        box(8, "Yearly", chosen, 60),
        box(8, "Monthly", chosen, 160),
        "<< /FT /Ch /Ff 131072 /T (port) /Opt [[(a) (Aven)] [(s) (Stokka)]] /V (s) /Kids [12 0 R] >>",
        "<< /Subtype /Widget /Parent 11 0 R /F 4 /Rect [160 660 300 674] >>",
    ]
    ticks = ["[x]" if name == chosen else "[ ]" for name in ("Yearly", "Monthly")]
    found = "\n".join(block.text for block in load(form(texts, fields), "a.pdf").blocks)
    assert found.split("\n") == [f"{ticks[0]} Yearly {ticks[1]} Monthly", "Home harbour Stokka"]


def test_a_field_of_a_page_on_its_side_stands_beside_its_label() -> None:
    typed = "<< /Subtype /Widget /FT /Tx /T (name) /V (Mara Quill) /F 4 /Rect [{}] >>"
    fields = [typed.format("381 160 395 300")]  # on the paper: the label stands at 60, 200 of the turned page
    data = form({(60, 203): "Owner", (60, 160): "Signed"}, fields, "0 1 -1 0 595 0", 90)
    assert [block.text.split("\n") for block in load(data, "a.pdf").blocks] == [
        ["Owner Mara Quill"],
        ["Signed"],
    ]
