"""Tables as text: which first rows name the columns, and how rows read."""

import pytest

from knowledge.readers.blocks import table_rows


@pytest.mark.parametrize(
    "rows",
    [
        [["Lamp", "Watt"], ["Aurora", "12"], ["Borealis", "34"]],
        [["Lamp", "Colour"], ["Aurora", "red"], ["Borealis", "blue"]],
        [["Lamp", "2024", "2025"], ["Aurora", "12", "17"], ["Borealis", "34", "50"]],
        [["Lamp", "Q1", "Q2"], ["Aurora", "12", "17"], ["Borealis", "34", "50"]],
        [["型号", "功率"], ["甲", "12瓦"], ["乙", "34瓦"]],
        [["a", "b"], ["1", "2"]],
    ],
)
def test_first_rows_that_name_columns(rows: list[list[str]]) -> None:
    assert next(iter(table_rows(rows))) == "; ".join(
        f"{name}: {cell}" for name, cell in zip(rows[0], rows[1], strict=True)
    )


@pytest.mark.parametrize(
    "rows",
    [
        [["1", "2"], ["3", "4"]],
        [["Weight", "640 g"], ["Height", "236 mm"], ["Wind", "80 m/s"]],
        [["12 kg", "red"], ["13 kg", "blue"]],
        [["-c", "checks"], ["-o", "writes"]],
        [["1987", "Aurora"], ["1988", "Borealis"]],
    ],
)
def test_first_rows_that_are_data(rows: list[list[str]]) -> None:
    assert list(table_rows(rows)) == [": ".join(row) for row in rows]


def test_two_header_rows_become_one() -> None:
    rows = [["Lamp", "Sold", "Sold"], ["Lamp", "north", "south"], ["Aurora", "1", "2"]]
    assert list(table_rows(rows)) == ["Lamp: Aurora; Sold / north: 1; Sold / south: 2"]


def test_empty_cells_and_rows_are_left_out_and_ragged_rows_kept() -> None:
    rows = [["Lamp", "Watt"], ["", ""], ["Aurora", ""], ["Borealis", "3", "extra"]]
    assert list(table_rows(rows)) == ["Lamp: Aurora", "Lamp: Borealis; Watt: 3; extra"]
