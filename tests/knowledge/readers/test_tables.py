"""Tables as text: which first rows name the columns, what is a caption, and how rows read."""

import pytest

from knowledge.readers.table_cells import Name, spread
from knowledge.readers.tables import table_rows


@pytest.mark.parametrize(
    "rows",
    [
        [["Lamp", "Watt"], ["Aurora", "12"], ["Borealis", "34"]],
        [["Lamp", "Colour"], ["Aurora", "red"], ["Borealis", "blue"]],
        [["Lamp", "2024", "2025"], ["Aurora", "12", "17"], ["Borealis", "34", "50"]],
        [["Lamp", "Q1", "Q2"], ["Aurora", "12", "17"], ["Borealis", "34", "50"]],
        [["型号", "功率"], ["甲", "12瓦"], ["乙", "34瓦"]],
        [["a", "b"], ["1", "2"]],
        [["Town", "2024"], ["Arvik", "12"], ["Brenn", "15"]],
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
        [["Built", "1987"], ["Draught", "3.1 m"]],
        [["建造年份", "1987"], ["吃水", "3.1 米"]],
        [["North", "yes", "yes", "no"], ["South", "no", "no", "no"]],
        [["Total", "=SUM(B3:B5)", "#N/A"], ["Bolt", "12", "7"]],
        [["Smith", "Clerk", "21,000.00"], ["Armer", "Clerk to 15 July", "12,111.06"]],
    ],
)
def test_first_rows_that_are_data(rows: list[list[str]]) -> None:
    assert list(table_rows(rows)) == [(": " if len(row) == 2 else " | ").join(row) for row in rows]


def test_two_header_rows_become_one() -> None:
    rows = [["Lamp", "Sold", "Sold"], ["Lamp", "north", "south"], ["Aurora", "1", "2"]]
    assert list(table_rows(rows)) == ["Lamp: Aurora; Sold / north: 1; Sold / south: 2"]


def test_empty_cells_and_rows_are_left_out_and_ragged_rows_kept() -> None:
    rows = [["Lamp", "Watt"], ["", ""], ["Aurora", ""], ["Borealis", "3", "extra"]]
    assert list(table_rows(rows)) == ["Lamp: Aurora", "Lamp: Borealis; Watt: 3; extra"]


def test_row_over_the_whole_table_is_a_caption() -> None:
    rows = [spread("Stock 2024", 3), ["Item", "Price", "Pieces"], ["Bolt", "0.20", "400"]]
    assert list(table_rows(rows)) == ["Stock 2024", "Item: Bolt; Price: 0.20; Pieces: 400"]


def test_form_has_labels_and_no_column_names() -> None:
    rows = [["姓名", *spread("李晓明", 5)], ["单位", *spread("青山仪器厂", 5)], ["备注", *spread("齐全", 5)]]
    assert list(table_rows(rows)) == ["姓名: 李晓明", "单位: 青山仪器厂", "备注: 齐全"]


def test_rows_that_a_merged_cell_fills_are_said_once() -> None:
    rows = [spread("Sealed", 2), spread("Sealed", 2, continued=True), ["Boats", "7"]]
    assert list(table_rows(rows)) == ["Sealed", "Boats: 7"]


def test_empty_columns_keep_their_names_and_nameless_ones_their_place() -> None:
    assert list(table_rows([["Lamp", "Watt", "Room"], ["Aurora", "12", ""]])) == [
        "Lamp | Watt | Room",
        "Lamp: Aurora; Watt: 12",
    ]
    rows = [["Lamp", "Watt", "", ""], ["Aurora", "12", "", "x"], ["Borealis", "34", "y", ""]]
    assert list(table_rows(rows)) == ["Lamp: Aurora; Watt: 12; #4: x", "Lamp: Borealis; Watt: 34; #3: y"]


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (  # words where all other rows hold numbers
            [
                *(["Town", "Boats", "Nets"], ["Arvik", "7", "9"], ["Brenn", "8", "3"]),
                *(["Harbour", "Depth", "Length"], ["North", "3.5 m", "40 m"]),
            ],
            [
                "Town: Arvik; Boats: 7; Nets: 9",
                "Town: Brenn; Boats: 8; Nets: 3",
                "Harbour: North; Depth: 3.5 m; Length: 40 m",
            ],
        ),
        (  # cells that are merged in another way from here on
            [
                *(["Town", "Boats", "Nets"], ["Arvik", "7", "9"], ["Harbour", *spread("Depth", 2)]),
                *(["North", *spread("3.5 m", 2)], ["South", *spread("2 m", 2)]),
            ],
            ["Town: Arvik; Boats: 7; Nets: 9", "Harbour: North; Depth: 3.5 m", "Harbour: South; Depth: 2 m"],
        ),
        (  # cells that the file marks as names; a sum is none
            [
                *([Name("Town"), Name("Boats")], ["Arvik", "7"], [Name("Sum"), Name("7")]),
                *([Name("Harbour"), Name("Depth")], ["North", "deep"]),
            ],
            ["Town: Arvik; Boats: 7", "Town: Sum; Boats: 7", "Harbour: North; Depth: deep"],
        ),
    ],
)
def test_a_second_table_in_one_grid_has_its_own_names(rows: list[list[str]], lines: list[str]) -> None:
    assert list(table_rows(rows)) == lines


@pytest.mark.parametrize(
    "row",
    [
        ["Brenn", "closed", "closed"],  # a value that is missing
        ["Brenn", "none", "9"],
        ["Brenn", *spread("not counted", 2)],
    ],
)
def test_words_among_numbers_are_not_always_names(row: list[str]) -> None:
    rows = [["Town", "Boats", "Nets"], ["Arvik", "7", "9"], row, ["Calda", "8", "3"], ["Dorre", "1", "2"]]
    assert list(table_rows(rows))[2] == "Town: Calda; Boats: 8; Nets: 3"


@pytest.mark.parametrize("units", [["", "number", "kg"], ["", "(n)", "[kg]"]])
def test_units_below_the_names_belong_to_them(units: list[str]) -> None:
    rows = [["Town", "Boats", "Catch"], units, ["Arvik", "7", "9.5"], ["Brenn", "3", "2"]]
    assert next(table_rows(rows)) == f"Town: Arvik; Boats / {units[1]}: 7; Catch / {units[2]}: 9.5"


def test_names_of_groups_above_the_first_of_their_columns_cover_the_others() -> None:
    rows = [
        ["", "2024", "", "2025"],
        ["Town", "Boats", "Nets", "Boats", "Nets"],
        ["Arvik", "7", "9", "8", "10"],
    ]
    assert list(table_rows(rows)) == [
        "Town: Arvik; 2024 / Boats: 7; 2024 / Nets: 9; 2025 / Boats: 8; 2025 / Nets: 10"
    ]
