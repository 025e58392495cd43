"""Hebrew and Arabic in the orders in which files and PDFium give them."""

import pytest

from knowledge.readers.pdf_right_to_left import in_reading_order
from knowledge.readers.pdf_vertical import Character
from knowledge.readers.positioned_text import Word, join_words

WIDTH = 6.0


def characters(text: str, at: float = 300.0, step: float = -WIDTH) -> list[Character]:
    """Letters as they follow each other in a file, the next one a step to the right of the last one."""
    return [
        Character(letter, at + step * place, at + step * place + WIDTH, 100.0, 12.0, place, False, False)
        for place, letter in enumerate(text)
    ]


@pytest.mark.parametrize("word", ["مرحبا", "שלום", "السَّلام"])
def test_letters_given_from_the_left_are_read_from_the_right(word: str) -> None:
    given = characters(word[::-1], step=WIDTH)
    assert "".join(one.text for one in in_reading_order(given)) == word
    assert "".join(one.text for one in in_reading_order(characters(word))) == word


def test_words_given_in_both_orders_stand_in_one_line() -> None:
    first, second = characters("العبارة", 300), characters("مواعيد"[::-1], 350, WIDTH)
    ordered = in_reading_order([*second, *characters("7:40", 200, WIDTH), *first])
    assert "".join(one.text for one in ordered) == "مواعيد7:40العبارة"


def word(text: str, x0: float) -> Word:
    return Word(text, x0, x0 + WIDTH * len(text), 92.0, 102.0, 12.0, bold=False)


def test_a_line_given_from_the_left_is_turned_and_numbers_are_not() -> None:
    given = ["שבע", "7:40", "PM", "בשעה", "יוצאת"]
    line = [word(text, 100 + 40 * place) for place, text in enumerate(given)]
    assert join_words(line) == "יוצאת בשעה 7:40 PM שבע"


def test_brackets_are_as_they_are_read() -> None:
    assert join_words([word(")ליד", 200), word("התחנה(.", 150)]) == "(ליד התחנה)."
    assert join_words([word("(near", 100), word("here)", 150)]) == "(near here)"


@pytest.mark.parametrize("closing", ["(", ")"])
def test_a_latin_name_in_a_hebrew_line_is_read_from_the_left(closing: str) -> None:
    given = [
        word("ברנדל", 190),
        *(Word(text, x0, x1, 92.0, 102.0, 12.0, bold=False) for text, x0, x1 in (
            (")", 182, 185), ("Brandal", 135, 181), ("Oda", 106, 131), (closing, 102, 105), (",", 98, 101))),
        word("והטלפון", 50),
    ]  # fmt: skip
    assert join_words(given) == "ברנדל (Oda Brandal), והטלפון"


def test_what_closes_a_number_of_a_list_opens_nothing() -> None:
    assert (
        join_words([word("א)", 200), word("התחנה", 150), word("ב)", 100), word("סגורה", 50)])
        == "א) התחנה ב) סגורה"
    )
