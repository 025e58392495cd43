"""Tables without upright rules whose columns stand far apart, among text that keeps to the first of them."""

from knowledge.readers.dispatch import load
from tests.knowledge.readers.pdf_maker import PdfPage, pdf


def lines_of(page: PdfPage) -> list[str]:
    return [line for block in load(pdf(page), "a.pdf").blocks for line in block.text.split("\n")]


def table(top: float, rows: list[tuple[str, str, str]], lefts: tuple[float, float, float]) -> PdfPage:
    page = PdfPage()
    for number, row in enumerate(rows):
        for x, cell in zip(lefts, row, strict=True):
            page.text(x, top + 16 * number, cell)
    return page


def both(*pages: PdfPage) -> PdfPage:
    made = PdfPage()
    made.operators = [operator for page in pages for operator in page.operators]
    return made


STOCK = [("Item", "2023", "2024"), ("Rope", "4", "4"), ("Chain", "4", ""), ("Buoy", "", "4")]
TOWNS = [("Town", "Boats", "Permits"), ("Arvik", "11", "11"), ("Brenn", "12", "102"), ("Calda", "", "103")]


def test_short_lines_below_a_wide_table_do_not_take_its_rows_apart() -> None:
    notes = PdfPage().lines(40, 190, [f"Note {number} of the yard." for number in range(1, 9)], leading=16)
    found = lines_of(both(table(100, STOCK, (40, 430, 530)), notes))
    assert found[:3] == ["Item: Rope; 2023: 4; 2024: 4", "Item: Chain; 2023: 4", "Item: Buoy; 2024: 4"]
    assert "Note 8 of the yard." in found[-1]


def test_a_second_table_below_keeps_its_own_columns() -> None:
    name = PdfPage().text(40, 190, "A table in which no rule is drawn at all, neither across nor down:")
    found = lines_of(both(table(100, STOCK, (40, 430, 530)), name, table(215, TOWNS, (40, 150, 290))))
    assert found == [
        *("Item: Rope; 2023: 4; 2024: 4", "Item: Chain; 2023: 4", "Item: Buoy; 2024: 4"),
        "A table in which no rule is drawn at all, neither across nor down:",
        *("Town: Arvik; Boats: 11; Permits: 11", "Town: Brenn; Boats: 12; Permits: 102"),
        "Town: Calda; Permits: 103",
    ]


def test_lines_above_a_wide_table_do_not_take_its_rows_apart() -> None:
    lead = PdfPage().lines(40, 60, [f"Line {number}." for number in range(1, 9)], leading=16)
    found = lines_of(both(lead, table(200, STOCK, (40, 430, 530))))
    assert found[-3:] == ["Item: Rope; 2023: 4; 2024: 4", "Item: Chain; 2023: 4", "Item: Buoy; 2024: 4"]


def test_columns_of_prose_of_unequal_length_stay_columns() -> None:
    prose = ["The lamp was built in the old town of", "Norwick by a family of seven smiths who"]
    left = PdfPage().lines(40, 60, [f"{line} {number}" for number in range(8) for line in prose])
    right = PdfPage().lines(330, 60, [f"{line} {number + 50}" for number in range(3) for line in prose])
    text = " ".join(lines_of(both(left, right)))
    assert text.index("smiths who 7") < text.index("old town of 50")
