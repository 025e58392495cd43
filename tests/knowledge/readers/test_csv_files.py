"""CSV and TSV: rows keep their column names."""

import pytest

from knowledge.ingest.document import read_bytes
from knowledge.readers.dispatch import load


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt.csv"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_keep_their_column_names(name: str, delimiter: str) -> None:
    if name.endswith(".tsv") and delimiter != "\t":
        pytest.skip("a TSV is divided by tabs")
    rows = [["Lamp", "Watt", "Remark"], ["Aurora", "12", "a “good” lamp"], ["北极", "34", "两行"]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    (section,) = read_bytes(name, text.encode()).sections
    assert section.kind == "table"
    assert section.text.split("\n") == [
        "Lamp: Aurora; Watt: 12; Remark: a “good” lamp",
        "Lamp: 北极; Watt: 34; Remark: 两行",
    ]


def test_csv_cells_with_line_ends_stay_one_row() -> None:
    assert read_bytes("a.csv", b'name,text\nlamp,"one\ntwo"\n').text == "name: lamp; text: one two"


def test_csv_without_header_keeps_all_rows() -> None:
    assert read_bytes("a.csv", b"1,2,3\n4,5,6\n").text == "1 | 2 | 3\n4 | 5 | 6"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Bolt;1,50;0,25\nNut;2,00;0,10\n", ["Bolt | 1,50 | 0,25", "Nut | 2,00 | 0,10"]),
        ("Width;Depth\n1,5;3,5\n4,5;6,5\n", ["Width: 1,5; Depth: 3,5", "Width: 4,5; Depth: 6,5"]),
        ('Name,Text\nA,red; blue\nB,"x; y, z"\n', ["Name: A; Text: red; blue", "Name: B; Text: x; y, z"]),
        ("sep=;\nName;Price\nA;1,5\n", ["Name: A; Price: 1,5"]),
        ('Name, Text\nA, "x, y"\n', ["Name: A; Text: x, y"]),
        ('Name,Text\nA,"said \\"no\\""\n', ['Name: A; Text: said "no"']),
        ('Name,Text\nA,"said ""no"", twice"\n', ['Name: A; Text: said "no", twice']),
        ("# made by hand\nName,Fee\nA,4\nB,5\n", ["# made by hand", "Name: A; Fee: 4", "Name: B; Fee: 5"]),
        ("Name,Fee\nA,4\n\nB,5\n", ["Name: A; Fee: 4", "Name: B; Fee: 5"]),
        ("A,B\n1,2\n\nC,D\n3,4\n", ["A: 1; B: 2", "C: 3; D: 4"]),
    ],
)
def test_what_divides_cells_and_tables_is_told_from_what_stands_in_them(text: str, lines: list[str]) -> None:
    parsed = load(text.encode(), "a.csv")
    assert [line for block in parsed.blocks for line in block.text.split("\n")] == lines


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_table_saved_for_excel_is_read(encoding: str) -> None:
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    assert load(mark + "Name\tPrice\r\nÅse\t4,50\r\n".encode(encoding), "a.csv").blocks[0].text == (
        "Name: Åse; Price: 4,50"
    )
