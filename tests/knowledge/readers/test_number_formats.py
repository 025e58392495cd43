"""Numbers, dates and times under format codes, as a spreadsheet shows them."""

import datetime

import pytest

from knowledge.readers.number_formats import date_text, number_text, time_text


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (417, "00000", "00417"),
        (1250.5, '#,##0.00\\ "kr"', "1,250.50 kr"),
        (12.5, "[$€-407]#,##0.00", "€12.50"),
        (5, "0\\%", "5%"),
        (0.05, "0%", "5%"),
        (0.125, "0.0%", "12.5%"),
        (-3, "#,##0;(#,##0)", "(3)"),
        (-3.5, "#,##0.00_);[Red]\\(#,##0.00\\)", "(3.50)"),
        (0, '#,##0;-#,##0;"none"', "none"),
        (-4, "General", "-4"),
        (8.200000000000001, "General", "8.2"),
        (3, 'General" pcs"', "3 pcs"),
        (12, '0.0" km"', "12.0 km"),
        (44, '"No." 0', "No. 44"),
        (1_234_567, '0.0,,"M"', "1.2M"),
        (1.5, "# ?/?", "1 1/2"),
        (0.375, "# ?/8", "3/8"),
        (123_456, "0.00E+00", "1.23E+05"),
        (5_551_234, "000\\-0000", "555-1234"),
        (2.5, "0.##", "2.5"),
        (123_456, '0!.0,"万"', "12.3万"),
        (-0.001, "0.00", "0.00"),
        (3, ";;;", "3"),
        (5, '0"%"', "5%"),
        (1250.5, "[$¥-804]#,##0.00", "¥1,250.50"),
        (1250.5, "#,##0.00\\ [$zł-415]", "1,250.50 zł"),
        (0, '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_)', "$-"),
        (5, '[<1000]0" g";0.0," kg"', "5 g"),
        (5000, '[<1000]0" g";0.0," kg"', "5.0 kg"),
        (12_345_678, "[>=10000000]##\\,##\\,##\\,##0;[>=100000]##\\,##\\,##0;##,##0", "1,23,45,678"),
    ],
)
def test_number_as_it_is_shown(value: float, code: str, shown: str) -> None:
    assert number_text(value, code) == shown


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (datetime.timedelta(hours=25, minutes=30), "[h]:mm", "25:30"),
        (datetime.time(0, 30), "h:mm", "0:30"),
        (datetime.timedelta(minutes=90, seconds=5), "[mm]:ss", "90:05"),
        (datetime.timedelta(hours=36), "[m]", "2160"),
        (datetime.timedelta(hours=36), "[ss]", "129600"),
        (datetime.time(7, 4, 9), "hh:mm:ss", "7:04:09"),
        (datetime.timedelta(hours=-1), "[h]:mm", "-1:00"),
    ],
)
def test_time_as_it_is_shown(value: datetime.time | datetime.timedelta, code: str, shown: str) -> None:
    assert time_text(value, code) == shown


@pytest.mark.parametrize(
    ("code", "shown"), [("d/m/yyyy", "2024-03-01"), ("mmm yyyy", "2024-03"), ("yyyy", "2024")]
)
def test_date_says_no_more_than_it_shows(code: str, shown: str) -> None:
    assert date_text(datetime.datetime(2024, 3, 1), code) == shown


def test_time_beyond_a_day_is_no_date_of_1900() -> None:
    assert date_text(datetime.datetime(1900, 1, 1, 1, 30), "h:mm") == "1:30"
