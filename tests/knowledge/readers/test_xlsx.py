"""XLSX: sheets, merged headers, dates, sparse sheets."""

import datetime

import openpyxl
from openpyxl.comments import Comment
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.samples import saved
from tests.knowledge.readers.sections import sections_of


def test_xlsx_sheets_tables_merged_headers_dates() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Stock"
    sheet.append(["Inventory of the northern store"])
    sheet.append([])
    sheet.append(["Lamp", "Sold", "Sold", "Since"])
    sheet.append(["Lamp", "north", "south", "Since"])
    sheet.merge_cells("B3:C3")
    sheet.merge_cells("A3:A4")
    sheet.merge_cells("D3:D4")
    sheet.append(["Aurora", 12, 0.5, datetime.date(1987, 3, 1)])
    sheet["C5"].number_format = "0%"
    sheet["A3"].font = Font(bold=True)
    book.create_sheet("Empty")
    other = book.create_sheet("Notes")
    other["C7"] = "A single remark."
    document = read_bytes("a.xlsx", saved(book))
    assert sections_of(document) == [
        ("text", "Inventory of the northern store", ("Stock",)),
        ("table", "Lamp: Aurora; Sold / north: 12; Sold / south: 50%; Since: 1987-03-01", ("Stock",)),
        ("text", "A single remark.", ("Notes",)),
    ]


def test_xlsx_that_claims_a_million_rows_is_quick() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "first"
    book.active["XFD1048576"] = "last"
    assert "last" in read_bytes("a.xlsx", saved(book)).text


def test_values_as_a_person_sees_them() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Route", "Code", "Fare", "Crossing", "Remark"])
    sheet.append(["Skarv", 417, 1250.5, datetime.timedelta(hours=25, minutes=30), "None"])
    sheet.append(["Aven", 9, 80, datetime.time(0, 30), "NA"])
    for row in (2, 3):
        sheet.cell(row, 2).number_format = "00000"
        sheet.cell(row, 3).number_format = '#,##0.00\\ "kr"'
    sheet["D2"].number_format, sheet["D3"].number_format = "[h]:mm", "h:mm"
    (section,) = read_bytes("a.xlsx", saved(book)).sections
    assert section.text.split("\n") == [
        "Route: Skarv; Code: 00417; Fare: 1,250.50 kr; Crossing: 25:30; Remark: None",
        "Route: Aven; Code: 00009; Fare: 80.00 kr; Crossing: 0:30; Remark: NA",
    ]


def test_formula_without_a_result_is_its_text_and_is_told() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Route", "Net", "With tax"])
    book.active.append(["Skarv", 80, "=B2*1.12"])
    document = read_bytes("a.xlsx", saved(book))
    assert document.sections[0].text == "Route: Skarv; Net: 80; With tax: =B2*1.12"
    assert document.notes[0].startswith("1 cell holds a formula without a result")


def test_hidden_sheets_rows_and_columns_are_named() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Route", "Fare"])
    for row in range(3):
        book.active.append([f"Route {row}", row])
    book.active.row_dimensions[3].hidden = True
    for name, state in (("Old", "hidden"), ("Older", "veryHidden")):
        sheet = book.create_sheet(name)
        sheet.sheet_state = state
        sheet["A1"] = f"{name} remark"
    document = read_bytes("a.xlsx", saved(book))
    assert [section.headings[0] for section in document.sections] == [
        "Sheet",
        "Old (hidden sheet)",
        "Older (very hidden sheet)",
    ]
    assert document.notes == (
        'sheet "Sheet" has hidden rows, which were read: 3',
        'sheet "Old" is hidden, and was read',
        'sheet "Older" is hidden, and was read',
    )


def test_comment_stands_beside_its_cell() -> None:
    book = openpyxl.Workbook()
    book.active["B3"] = "Skarv"
    book.active["B3"].comment = Comment("closed in winter", "Ann")
    assert "Comment (B3, Skarv): closed in winter" in read_bytes("a.xlsx", saved(book)).text


def test_names_above_an_empty_row_are_those_of_the_rows_below() -> None:
    book = openpyxl.Workbook()
    for row in (["Lamp", "Watt"], [], ["Aurora", 12], ["Borealis", 34]):
        book.active.append(row)
    (section,) = read_bytes("a.xlsx", saved(book)).sections
    assert section.text == "Lamp: Aurora; Watt: 12\nLamp: Borealis; Watt: 34"


def test_three_rows_of_names_dates_of_1904_and_hidden_columns() -> None:
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    for row in (
        ["Town", "North", None, "South", None], [None, "Boats", "Fees", "Boats", "Since"],
        [None, "n", "kr", "n", "date"], ["Arvik", 7, 40, 7, datetime.date(2026, 3, 1)],
    ):  # fmt: skip
        sheet.append(row)
    for merged in ("A1:A3", "B1:C1", "D1:E1"):
        sheet.merge_cells(merged)
    sheet.column_dimensions.group("C", "D", hidden=True)
    document = read_bytes("a.xlsx", saved(book))
    (section,) = document.sections
    assert section.text.split("; ") == [
        "Town: Arvik", "North / Boats / n: 7", "North / Fees / kr: 40", "South / Boats / n: 7",
        "South / Since / date: 2026-03-01",
    ]  # fmt: skip
    assert document.notes == ('sheet "Sheet" has hidden columns, which were read: C–D',)


def test_tables_below_and_beside_each_other_keep_their_own_names() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        [None, "2024", "2025"],
        ["Income", 100, 120],
        [],
        ["Total", 20, 40],
        [],
        ["Boat", "Owner", "Fee"],
    ):
        sheet.append(row)
    sheet.append(["Lumme", "Ida", 6])
    for place, value in (("F2", "Tax"), ("G2", 5), ("F3", "Rent"), ("G3", 6)):
        sheet[place] = value
    assert read_bytes("a.xlsx", saved(book)).text.split("\n\n")[1:] == [
        "Income; 2024: 100; 2025: 120", "Total; 2024: 20; 2025: 40", "Boat: Lumme; Owner: Ida; Fee: 6",
        "Tax: 5\nRent: 6",
    ]  # fmt: skip


def test_a_name_over_some_columns_in_the_first_row_belongs_to_them() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["", "2025"], ["Town", "Boats", "Nets"], ["Arvik", 7, 9]):
        sheet.append([cell or None for cell in row])
    sheet.merge_cells("B1:C1")
    assert read_bytes("a.xlsx", saved(book)).text.endswith("Town: Arvik; 2025 / Boats: 7; 2025 / Nets: 9")


def test_bold_words_in_the_middle_of_a_table_name_the_columns_below() -> None:
    book = openpyxl.Workbook()
    for row in (["Town", "Boats"], ["Arvik", 7], ["Sum", 7], ["Harbour", "Depth"], ["North", "deep"]):
        book.active.append(row)
    for place in ("A1", "B1", "A3", "B3", "A4", "B4"):
        book.active[place].font = Font(bold=True)
    lines = ["Town: Arvik; Boats: 7", "Town: Sum; Boats: 7", "Harbour: North; Depth: deep"]
    assert read_bytes("a.xlsx", saved(book)).text.split("\n")[-3:] == lines
