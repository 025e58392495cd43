"""Columns from the top down: what makes one, and what it keeps."""

from knowledge.readers.pdf_vertical import Character, divided

SIZE, WIDTH, HEIGHT = 13.5, 400.0, 800.0


def column(text: str, x: float = 300.0) -> list[Character]:
    """Upright characters below each other; commas in the upper right corner of their place, digits on their side."""
    made: list[Character] = []
    for place, sign in enumerate(text):
        start = 100 + SIZE * place
        x0, x1 = (x + 9.0, x + 12.3) if sign in "、。" else (x, x + SIZE)
        if sign.isdigit():
            made.append(
                Character(sign, start - HEIGHT, start + SIZE - HEIGHT, -(x + 0.5), SIZE, place, True, False)
            )
        else:
            made.append(Character(sign, x0, x1, start + 0.8 * SIZE, SIZE, place, False, False))
    return made


def test_a_comma_in_the_corner_of_its_place_does_not_end_a_column() -> None:
    others, laid = divided(column("ル、2024年に測定した。"), WIDTH, HEIGHT)
    assert others == []
    assert "".join(one.text for one in laid) == "ル、2024年に測定した。"
