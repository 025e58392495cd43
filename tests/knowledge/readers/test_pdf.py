"""PDF: reading order, tables, ligatures, Chinese, code, passwords and scans."""

import pytest

from knowledge.errors import DocumentError, PasswordNeededError
from knowledge.ingest.chunking import split
from knowledge.ingest.document import Document, read_bytes
from knowledge.readers import ocr
from knowledge.readers.dispatch import load
from tests.knowledge.readers.pdf_maker import PdfPage, encrypted, pdf

LEFT = [
    "The lamp was built in the old town of",
    "Norwick by a family of seven smiths who",
    "kept its recipe secret for a whole cen-",
    "tury and told it to nobody but the cat,",
    "which never spoke of it to any stranger.",
    "LEFT ENDS in the middle of a sentence,",
]
RIGHT = [
    "which goes on at the top of the right",
    "column and comes to its end here now.",
    "A second paragraph tells of the winter",
    "in which the lamp went out three times",
    "and was lit again by the same old hand",
    "that had made it. RIGHT ENDS right here.",
]


def read(data: bytes, **options: str) -> Document:
    return read_bytes("file.pdf", data, **options)


def test_columns_are_read_one_after_the_other_between_lines_across() -> None:
    page = PdfPage().text(60, 60, "A heading that goes across both of the columns", 18, "bold")
    page.text(
        60, 90, "An introduction that goes across both columns, too, so that no gap runs through it at all."
    )
    page.lines(60, 120, LEFT).lines(320, 126, RIGHT)  # the lines of the two columns do not stand level
    page.text(
        60, 240, "A closing line that goes across both columns and ends the page with a few more words here."
    )
    document = read(pdf(page))
    text = " ".join(document.text.split())
    assert text.index("An introduction") < text.index("The lamp was built") < text.index("LEFT ENDS")
    assert (
        text.index("LEFT ENDS")
        < text.index("which goes on")
        < text.index("RIGHT ENDS")
        < text.index("A closing")
    )
    assert "a whole century and told" in text
    assert "sentence, which goes on at the top" in text
    assert document.title == "A heading that goes across both of the columns"
    assert document.sections[0].headings == (document.title,)


def test_ruled_table_keeps_rows_and_repeats_merged_cells() -> None:
    page = PdfPage().grid([60, 160, 260, 360], [100, 120, 140, 160])
    for x, name in zip((65, 165, 265), ("Lamp", "Power", "Weight"), strict=True):
        page.text(x, 114, name)
    for y, row in ((134, ("Aurora", "12 W", "1.2 kg")), (154, ("Borealis", "34 W", "2.3 kg"))):
        for x, cell in zip((65, 165, 265), row, strict=True):
            page.text(x, y, cell)
    page.text(60, 200, "A sentence after the table.")
    (table, after) = read(pdf(page)).sections
    assert table.kind == "table" and table.page == 1
    assert table.text.split("\n") == [
        "Lamp: Aurora; Power: 12 W; Weight: 1.2 kg",
        "Lamp: Borealis; Power: 34 W; Weight: 2.3 kg",
    ]
    assert after.text == "A sentence after the table."


def test_table_without_lines_is_read_by_rows() -> None:
    page = PdfPage().text(
        60, 60, "The towns of the valley are listed below with the years in which they were founded."
    )
    rows = [("City", "Land", "Founded"), ("Norwick", "Elbonia", "1432"), ("Eastmere", "Graustark", "1388")]
    rows += [("Westvale", "Ruritania", "1699"), ("Suddel", "Elbonia", "1501")]
    for number, row in enumerate(rows):
        for x, cell in zip((60, 200, 340), row, strict=True):
            page.text(x, 90 + 15 * number, cell)
    tables = [section for section in read(pdf(page)).sections if section.kind == "table"]
    assert [table.text.split("\n")[0] for table in tables] == ["City: Norwick; Land: Elbonia; Founded: 1432"]
    assert len(tables[0].text.split("\n")) == 4


def test_a_long_table_whose_cells_have_four_sides_each() -> None:
    page = PdfPage()
    for row in range(40):
        for column in range(6):
            x, y = 60 + 80 * column, 60 + 18 * row
            page.grid([x, x + 80], [y, y + 18])
            page.text(x + 5, y + 13, f"n{column}" if row == 0 else f"{row}.{column}")
    (table,) = read(pdf(page)).sections
    lines = table.text.split("\n")
    assert len(lines) == 39
    assert lines[38] == "; ".join(f"n{column}: 39.{column}" for column in range(6))


def test_what_goes_across_one_of_two_gaps_stands_below_all_columns() -> None:
    page = PdfPage()
    for column, x in enumerate((60, 230, 400)):
        page.lines(x, 100, [f"column {column} has a line of text {n}" for n in range(6)])
    page.text(60, 200, "A line that goes across the first of the two gaps, and not the second.")
    page.lines(60, 213, ["Another line that goes across the first of the two gaps, as this one."] * 3)
    text = read(pdf(page)).text
    assert (
        text.index("column 0") < text.index("column 1") < text.index("column 2") < text.index("A line that")
    )


def test_a_table_that_goes_on_keeps_its_column_names_on_the_next_page() -> None:
    first = PdfPage().grid([60, 160, 260], [700, 720, 740]).text(65, 714, "Lamp").text(165, 714, "Price")
    first.text(65, 734, "Aurora").text(165, 734, "12 crowns")
    second = PdfPage().grid([60, 160, 260], [60, 80, 100]).text(65, 74, "Borealis").text(165, 74, "34 crowns")
    second.text(65, 94, "Corona").text(165, 94, "56 crowns")
    sections = read(pdf(first, second)).sections
    assert [(section.page, section.text) for section in sections] == [
        (1, "Lamp: Aurora; Price: 12 crowns"),
        (2, "Lamp: Borealis; Price: 34 crowns\nLamp: Corona; Price: 56 crowns"),
    ]


def test_chinese_without_embedded_fonts_is_joined_without_spaces() -> None:
    page = PdfPage().text(60, 60, "灯笼手册", 20)
    page.lines(60, 100, ["灯笼重量为三点五公斤，由青铜和玻", "璃制成。它由林师傅设计。"], 12, 20)
    document = read(pdf(page))
    assert document.title == "灯笼手册"
    assert document.sections[0].text == "灯笼重量为三点五公斤，由青铜和玻璃制成。它由林师傅设计。"


def test_running_titles_and_page_numbers_are_left_out() -> None:
    pages = []
    for number in range(1, 6):
        page = PdfPage().text(60, 40, "Handbook of lamps").text(300, 815, f"Page {number} of 5")
        pages.append(page.lines(60, 200, [f"What is said on page {number} only, and in one sentence."]))
    document = read(pdf(*pages))
    assert "Handbook of lamps" not in document.text and "of 5" not in document.text
    assert [section.page for section in document.sections] == [1, 2, 3, 4, 5]


def test_code_keeps_its_lines_and_indents() -> None:
    page = PdfPage().lines(
        60, 60, ["Some prose stands before the code and says what it does, at some length."]
    )
    page.text(60, 90, "def light():", font="mono").text(84, 103, "return 42", font="mono")
    sections = read(pdf(page)).sections
    assert sections[1].kind == "code"
    assert sections[1].text == "def light():\n    return 42"


@pytest.mark.parametrize("algorithm", ["RC4-40", "RC4-128", "AES-128", "AES-256"])
def test_encrypted_file_opens_with_its_password_only(algorithm: str) -> None:
    data = encrypted(
        pdf(PdfPage().text(60, 60, "The treasure lies under the lamp.")), "sesame", algorithm=algorithm
    )
    with pytest.raises(PasswordNeededError, match=r"file\.pdf: it is encrypted: give its password"):
        read(data)
    with pytest.raises(PasswordNeededError, match="the password given does not open it"):
        read(data, password="wrong")
    assert read(data, password="sesame").text == "The treasure lies under the lamp."


def test_file_that_only_forbids_printing_needs_no_password() -> None:
    assert read(encrypted(pdf(PdfPage().text(60, 60, "Open to read.")), "", "owner")).text == "Open to read."


@pytest.fixture
def without_ocr(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed; in this process, which the parser process would not see."""
    monkeypatch.setattr(ocr, "available", lambda: False)


@pytest.mark.usefixtures("without_ocr")
def test_scan_is_said_clearly() -> None:
    with pytest.raises(DocumentError, match="it is a scan: its 2 pages hold pictures and no text"):
        load(pdf(PdfPage().picture(), PdfPage().picture()), "file.pdf")


@pytest.mark.usefixtures("without_ocr")
def test_scanned_pages_among_others_are_noted() -> None:
    parsed = load(pdf(PdfPage().text(60, 60, "Text."), PdfPage().picture()), "file.pdf")
    assert parsed.notes == ("page 2 without text (pictures or scans) could not be read",)


def test_rotated_page_is_read() -> None:
    page = PdfPage()
    page.operators.append("BT /regular 10 Tf 0 1 -1 0 100 100 Tm (First line turned) Tj ET")
    page.operators.append("BT /regular 10 Tf 0 1 -1 0 113 100 Tm (second line turned) Tj ET")
    assert " ".join(read(pdf(page)).text.split()) == "First line turned second line turned"


def test_passages_carry_pages() -> None:
    pages = [
        PdfPage().lines(60, 200, [f"Line {line} of page {number} is here." for line in range(4)])
        for number in range(1, 4)
    ]
    document = read(pdf(*pages))
    passages = split(document, lambda texts: [len(text.split()) for text in texts], 32)
    assert [passage.page for passage in passages] == [1, 2, 3]
    assert all(f"of page {passage.page}" in passage.text for passage in passages)


def test_lines_between_two_rules_are_rows_where_they_hold_numbers() -> None:
    page = PdfPage().grid([50, 200, 300, 400], [100, 120, 170])
    page.text(55, 114, "Town").text(205, 114, "Permits").text(305, 114, "Boats")
    for line, (town, permits, boats) in enumerate((("Arvik", "101", "11"), ("Brenn", "102", "11"))):
        page.text(55, 134 + 14 * line, town).text(205, 134 + 14 * line, permits).text(
            305, 134 + 14 * line, boats
        )
    assert load(pdf(page), "a.pdf").blocks[0].text.split("\n") == [
        "Town: Arvik; Permits: 101; Boats: 11",
        "Town: Brenn; Permits: 102; Boats: 11",
    ]


def test_lines_between_two_rules_may_have_gaps() -> None:
    page = PdfPage().grid([50, 200, 300, 400], [100, 120, 180])
    page.text(55, 114, "Town").text(205, 114, "Permits").text(305, 114, "Remark")
    page.lines(55, 134, ["Arvik", "Brenn", "Calda"]).lines(205, 134, ["101", "102", "103"])
    page.text(305, 160, "closed")
    assert load(pdf(page), "a.pdf").blocks[0].text.split("\n") == [
        "Town: Arvik; Permits: 101",
        "Town: Brenn; Permits: 102",
        "Town: Calda; Permits: 103; Remark: closed",
    ]


def test_a_title_over_some_of_the_columns_does_not_join_them() -> None:
    page = PdfPage().text(50, 80, "Permits by the towns")
    for line, row in enumerate(
        (("Town", "Permits", "Boats"), ("Arvik", "101", "11"), ("Brenn", "102", "12"))
    ):
        for x, cell in zip((50, 110, 180), row, strict=True):
            page.text(x, 110 + 18 * line, cell)
    assert [block.text for block in load(pdf(page), "a.pdf").blocks] == [
        "Permits by the towns",
        "Town: Arvik; Permits: 101; Boats: 11\nTown: Brenn; Permits: 102; Boats: 12",
    ]


def test_cells_whose_text_goes_on_below_stay_whole() -> None:
    page = PdfPage().grid([50, 200, 400], [100, 120, 170])
    page.text(55, 114, "Town").text(205, 114, "Remark")
    page.lines(55, 134, ["Arvik on", "the hill"]).lines(205, 134, ["closed in", "winter"])
    assert load(pdf(page), "a.pdf").blocks[0].text == "Town: Arvik on the hill; Remark: closed in winter"


def test_filled_form_says_each_value_beside_its_label() -> None:
    page = PdfPage().text(60, 60, "Policy number:").text(60, 90, "Storm cover").text(60, 120, "Theft cover")
    page.text(90, 150, "By post").text(60, 180, "Cover begins when the form has been signed by both of us.")
    page.field("Tx", "HX-20914", 200, 50).field("Btn", "Yes", 200, 80).field("Btn", "Off", 200, 110)
    page.field("Btn", "Yes", 70, 140).field("Ch", "Stokka", 200, 140).field("Tx", "", 200, 170)
    text = read(pdf(page)).text
    assert "Policy number: HX-20914" in text
    assert "Storm cover [x]" in text and "Theft cover [ ]" in text
    assert "[x] By post Stokka" in text


def test_comments_and_typed_on_text_are_read() -> None:
    page = PdfPage().text(60, 60, "The ferry leaves at seven.")
    page.note("FreeText", "Not on Sundays", 60, 90).note("Text", "Ask Ann", 300, 60)
    assert read(pdf(page)).text.split("\n\n") == [
        "The ferry leaves at seven.",
        "Not on Sundays",
        "Comment: Ask Ann",
    ]


def test_values_of_an_xfa_form_are_read_beside_their_captions() -> None:
    def field(name: str, caption: str, ui: str = "") -> str:
        words = f"<caption><value><text>{caption}</text></value></caption>" if caption else ""
        return f'<field name="{name}">{words}{ui}</field>'

    box = "<ui><checkButton/></ui><items><text>1</text><text>0</text></items>"
    fields = [
        field("No", "Policy number:"),
        field("Storm", "Storm cover", box),
        field("Theft", "Theft cover", box),
    ]
    template = f'<template xmlns="http://www.xfa.org/schema/xfa-template/3.3/"><subform>{"".join(fields)}</subform></template>'
    data = "<form1><No>HX-20914</No><Storm>1</Storm><Theft>0</Theft><Harbour>Stokka</Harbour><Empty/></form1>"
    datasets = (
        f'<d:datasets xmlns:d="http://www.xfa.org/schema/xfa-data/1.0/"><d:data>{data}</d:data></d:datasets>'
    )
    page = PdfPage().text(60, 60, "Please wait while the form is opened by another program.")
    document = read(pdf(page, xfa={"template": template, "datasets": datasets}))
    assert document.text.split("\n\n")[1].split("\n") == [
        "Policy number: HX-20914",
        "Storm cover: [x]",
        "Theft cover: [ ]",
        "Harbour: Stokka",
    ]
    assert document.notes[0].startswith("it holds an XFA form")
    with pytest.raises(DocumentError, match="an XFA form in which nothing is filled"):
        read(pdf(PdfPage(), xfa={"template": template, "datasets": "<datasets/>"}))


def test_vertical_columns_are_read_from_the_right() -> None:
    page = PdfPage()
    for x, column in ((300, "春眠不觉晓"), (270, "处处闻啼鸟")):
        for row, character in enumerate(column):
            page.text(x, 100 + 18 * row, character, 16)
    assert read(pdf(page)).text == "春眠不觉晓处处闻啼鸟"


def test_words_that_lie_on_their_side_in_a_vertical_column_stay_in_it() -> None:
    page = PdfPage().text(300, 100, "渡", 16).text(300, 118, "轮", 16)
    page.operators.append("BT /regular 16 Tf 0 -1 1 0 303 721 Tm (Lind) Tj ET")
    for row, character in enumerate("停在港口"):
        page.text(300, 167 + 18 * row, character, 16)
    assert read(pdf(page)).text == "渡轮Lind停在港口"


def test_turned_text_in_the_margin_is_neither_title_nor_heading() -> None:
    page = PdfPage().turned(30, 400, "arXiv 2611.01234 of today", 20)
    page.text(60, 60, "On lamps", 18).lines(60, 90, LEFT)
    document = read(pdf(page))
    assert document.title == "On lamps"
    assert document.sections[0].headings == ("On lamps",)
    assert "arXiv 2611.01234 of today" in document.text


def test_right_to_left_lines_are_in_reading_order() -> None:
    page = PdfPage().hebrew(100, 60, "שלום עולם").hebrew(100, 80, "המעבורת יוצאת בשעה שבע")
    page.hebrew(300, 110, "שמות").hebrew(200, 110, "ערים")
    text = read(pdf(page)).text
    assert "שלום עולם המעבורת יוצאת בשעה שבע" in text
    assert "שמות ערים" in text
