"""Lines of a PDF that are no text of their page or no headings: running heads, page numbers, authors."""

import pytest

from knowledge.readers.blocks import Block
from knowledge.readers.dispatch import load
from knowledge.readers.pdf_bylines import without_bylines
from tests.knowledge.readers.pdf_maker import PdfPage, pdf

BODY = ["The boats of the harbour are counted every spring.", "The count is told to the council in May."]


def texts(*pages: PdfPage) -> list[str]:
    return [line for block in load(pdf(*pages), "a.pdf").blocks for line in block.text.split("\n")]


def page(number: int, head: str, foot: str = "") -> PdfPage:
    made = PdfPage().text(60, 30, head, 8)
    made.lines(60, 120, [f"{BODY[0]} {number * 17}", BODY[1]])
    return made.text(280, 820, foot, 8) if foot else made


def test_a_running_head_that_names_the_part_stays_where_the_part_begins() -> None:
    heads = ["Part One: Harbour rules"] * 4 + ["Part Two: Fleet rules"] * 4
    found = texts(*(page(number, head, f"Page {number}") for number, head in enumerate(heads, 1)))
    assert [line for line in found if "Part" in line] == [heads[0], heads[-1]]
    assert not [line for line in found if line.startswith("Page")]


def test_a_running_head_that_is_the_same_everywhere_is_left_out() -> None:
    found = texts(*(page(number, "Harbour rules", f"{number} of 5") for number in range(1, 6)))
    assert not [line for line in found if "Harbour rules" in line or " of 5" in line]


def test_numbers_in_the_margin_that_count_no_pages_are_text() -> None:
    numbers = (4711, 4650, 4802, 4655)
    found = texts(*(page(at, f"Invoice {number}", f"{at} / 4") for at, number in enumerate(numbers, 1)))
    assert [line for line in found if "Invoice" in line] == [f"Invoice {number}" for number in numbers]
    assert not [line for line in found if line.endswith("/ 4")]


def test_roman_page_numbers_are_left_out() -> None:
    found = texts(*(page(at, "", f"{roman}") for at, roman in enumerate(["iii", "iv", "v", "vi"], 1)))
    assert not {"iii", "iv", "v", "vi"} & set(found)


def blocks(*headings: tuple[int, str]) -> list[Block]:
    made = [Block("heading", text, 1, level) for level, text in headings]
    return [*made, Block("text", BODY[0], 1)]


@pytest.mark.parametrize(
    ("headings", "texts"),
    [
        ([(1, "Tidal ferries"), (3, "Mara Quill"), (3, "University of Stokka"), (2, "Introduction")], 2),
        ([(1, "Tidal ferries"), (2, "Mara Quill and Oda van Brandal"), (2, "Introduction")], 1),
        ([(1, "Tidal ferries"), (2, "Mara Quill1, Oda Brandal2*")], 1),
        ([(1, "Tidal ferries"), (2, "Introduction"), (3, "Boats and Ropes")], 0),
        ([(1, "Tidal ferries"), (2, "Aims")], 0),
    ],
)
def test_authors_are_no_headings(headings: list[tuple[int, str]], texts: int) -> None:
    found = without_bylines(blocks(*headings))
    assert sum(block.kind == "text" for block in found) == texts + 1
    assert [block.text for block in found] == [block.text for block in blocks(*headings)]


@pytest.mark.parametrize("heading", ["第一条目的", "二、范围", "（三）期限"])
def test_a_chinese_heading_stands_apart_from_its_paragraph(heading: str) -> None:
    made = PdfPage().lines(60, 100, [heading, "为" * 45, "了" * 45, "规范渡轮管理。"])
    assert texts(made)[0] == heading


def test_a_chinese_sentence_that_begins_with_a_number_stays_with_its_paragraph() -> None:
    made = PdfPage().lines(60, 100, ["第一条规定，", "为" * 45, "规范渡轮管理。"])
    assert len(texts(made)) == 1
