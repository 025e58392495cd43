"""XLSX: sheets, merged headers, dates, sparse sheets."""

import datetime

import openpyxl
from openpyxl.styles import Font

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
