"""No value of a table is dropped, moved or repeated, whatever kind of file it stands in."""

import io
import os
import time
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge.readers.dispatch import load
from knowledge.readers.xlsx import load_xlsx
from tests.knowledge.readers.written_tables import (
    WrittenTable,
    as_csv,
    as_docx,
    as_fodt,
    as_html,
    as_latex,
    as_pdf,
    as_pptx,
    as_rtf,
    as_xlsx,
    written_tables,
)

pytestmark = pytest.mark.slow

# The same examples in every run: a table that is read wrongly must fail where it was written, not somewhere later.
_EXAMPLES = settings(
    max_examples=int(os.environ.get("IMPRINT_TABLES", "60")),
    deadline=None,
    derandomize="IMPRINT_TABLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)


def _lines(name: str, data: bytes) -> list[str]:
    blocks = [block for block in load(data, name).blocks if block.kind == "table" or block.text != "Before."]
    return [line for block in blocks if block.kind != "heading" for line in block.text.split("\n")]


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.html", as_html),
        ("a.docx", as_docx),
        ("a.xlsx", as_xlsx),
        ("a.pdf", as_pdf),
        ("a.pptx", as_pptx),
        ("a.fodt", as_fodt),
        ("a.tex", as_latex),
        ("a.rtf", as_rtf),
    ],
    ids=["html", "docx", "xlsx", "pdf", "pptx", "opendocument", "latex", "rtf"],
)
def test_every_value_is_found_under_its_names(name: str, write: Callable[[WrittenTable], bytes]) -> None:
    @_EXAMPLES
    @given(written_tables())
    def check(table: WrittenTable) -> None:
        assert table.found(_lines(name, write(table))) == table.expected()

    check()


@_EXAMPLES
@given(written_tables(merged=False))
def test_every_value_of_a_csv_is_found_under_its_name(table: WrittenTable) -> None:
    assert table.found(_lines("a.csv", as_csv(table))) == table.expected()


@_EXAMPLES
@given(st.lists(st.lists(st.sampled_from(("1", "2", "2", "-4", "")), min_size=4, max_size=4), min_size=2))
def test_rows_without_names_keep_every_place(rows: list[list[str]]) -> None:
    labelled = [[f"Zone {number}", *row, "9"] for number, row in enumerate(rows)]
    data = "\n".join(";".join(row) for row in labelled).encode()
    columns = [place for place in range(6) if any(row[place] for row in labelled)]
    assert _lines("a.csv", data) == [" | ".join(row[place] for place in columns) for row in labelled]


def test_fifty_thousand_merged_cells_take_under_five_seconds_of_the_processor() -> None:
    rows = 25_000
    cells = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="C{n}"><v>1</v></c></row>' for n in range(1, rows + 1)
    )
    merges = "".join(f'<mergeCell ref="A{n}:B{n}"/>' for n in range(1, rows + 1))
    started = time.process_time()
    parsed = load_xlsx(_workbook(f"<sheetData>{cells}</sheetData><mergeCells>{merges}</mergeCells>"))
    assert time.process_time() - started < 5
    assert parsed.blocks[1].text.count("\n") == rows - 1


def _workbook(sheet: str) -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    form = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    members = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        f'<Override PartName="/xl/workbook.xml" ContentType="{form}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{form}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">'
        '<sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}">{sheet}</worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, text)
    return out.getvalue()
