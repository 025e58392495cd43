"""CSV and TSV: rows keep their column names."""

import pytest

from knowledge.ingest.document import read_bytes


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
