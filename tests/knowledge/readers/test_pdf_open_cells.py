"""PDF: columns and rows that a table does not draw, frames around tables, and pages that lie on their side."""

import pytest

from knowledge.readers.dispatch import load
from tests.knowledge.readers.pdf_maker import PdfPage, pdf


def lines_of(page: PdfPage) -> list[str]:
    return [line for block in load(pdf(page), "a.pdf").blocks for line in block.text.split("\n")]


def write(page: PdfPage, xs: list[float], y: float, *texts: str) -> None:
    for x, text in zip(xs, texts, strict=True):
        if text:
            page.text(x, y, text)


XS = [70.0, 170.0, 250.0, 330.0]


@pytest.mark.parametrize("ruled", [True, False])
def test_rows_without_columns_drawn_keep_their_gaps(ruled: bool) -> None:
    """A box with lines between its rows, or none; nothing is drawn between columns."""
    page = PdfPage()
    rows = [("Code", "Place", "Expected", "Actual"), ("SK-1", "A-12", "450", ""), ("", "B-07", "", "289")]
    rows += [("SK-2", "", "780", "778"), ("", "", "180", "")]
    for number, row in enumerate(rows):
        write(page, XS, 114 + 20 * number, *row)
    page.grid([60, 400], [100 + 20 * at for at in range(6)] if ruled else [100, 120, 200])
    assert lines_of(page) == [
        "Code: SK-1; Place: A-12; Expected: 450",
        "Place: B-07; Actual: 289",
        "Code: SK-2; Expected: 780; Actual: 778",
        "Expected: 180",
    ]


def test_a_column_that_is_drawn_beside_its_names_alone_goes_on_below() -> None:
    page = PdfPage()
    for left, right, name in ((60, 160, "Payee"), (160, 320, "Description"), (320, 400, "Amount")):
        page.box(left, 100, right, 120).text(left + 10, 114, name)
    page.box(60, 120, 400, 220)
    write(page, [70, 170, 350], 134, "Ida Lind", "clerk", "21,000.00")
    write(page, [70, 170, 350], 150, "Ferry Co", "travel to Arvik and on to", "920.68")
    page.text(170, 160, "Brenn and back")
    write(page, [170, 350], 176, "a column that is much too wide", "7.00")
    write(page, [70, 170, 350], 192, "Ola Moe", "intern", "446.87")
    assert lines_of(page) == [
        "Payee: Ida Lind; Description: clerk; Amount: 21,000.00",
        "Payee: Ferry Co; Description: travel to Arvik and on to Brenn and back; Amount: 920.68",
        "Description: a column that is much too wide; Amount: 7.00",
        "Payee: Ola Moe; Description: intern; Amount: 446.87",
    ]


def test_labels_and_names_beside_open_columns_stay_with_their_values() -> None:
    page = PdfPage().box(60, 80, 400, 220).box(60, 80, 400, 100).text(180, 94, "Totals")
    page.box(200, 114, 400, 220)
    write(page, [210, 280, 340], 110, "Hours", "Rate", "Cost")
    rows = [("Parts", "", "", "2,100"), ("Body work", "2", "150", "300"), ("Supplies", "", "", "")]
    for number, row in enumerate([*rows, ("Paint", "1.5", "150", "225"), ("Sum", "", "", "2,625")]):
        write(page, [70, 210, 280, 340], 128 + 16 * number, *row)
    assert lines_of(page) == [
        "Totals",
        "Parts; Cost: 2,100",
        "Body work; Hours: 2; Rate: 150; Cost: 300",
        "Supplies",
        "Paint; Hours: 1.5; Rate: 150; Cost: 225",
        "Sum; Cost: 2,625",
    ]


def test_a_frame_around_a_table_is_none() -> None:
    page = PdfPage().grid([50, 420], [80, 200]).grid([60, 160, 240], [100, 120, 140, 160])
    for number, row in enumerate((("Town", "Boats"), ("Arvik", "7"), ("Brenn", "7"))):
        write(page, [70, 170], 114 + 20 * number, *row)
    page.text(70, 180, "Counted in spring.")
    assert lines_of(page) == ["Town: Arvik; Boats: 7", "Town: Brenn; Boats: 7", "Counted in spring."]


def test_text_in_a_frame_is_no_table() -> None:
    page = PdfPage().grid([50, 500], [80, 200])
    page.lines(60, 100, ["A note in a frame is read as it stands, line by line,", "and no gap divides it."])
    assert lines_of(page) == ["A note in a frame is read as it stands, line by line, and no gap divides it."]


@pytest.mark.parametrize("rotation", [90, 270])
def test_a_page_on_its_side_has_its_lines_where_its_words_are(rotation: int) -> None:
    page = PdfPage().grid([60, 160, 240, 330], [100, 120, 140, 160])
    for number, row in enumerate((("Town", "Boats", "Fees"), ("Arvik", "7", ""), ("Brenn", "", "7"))):
        write(page, [70, 170, 250], 114 + 20 * number, *row)
    assert lines_of(page.sideways(rotation)) == ["Town: Arvik; Boats: 7", "Town: Brenn; Fees: 7"]
