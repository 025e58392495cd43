"""The cells of a table that a reader gives: a full grid, in which merged cells mark the places that they cover."""


class Across(str):
    """The text of a merged cell where it also covers the place to the left."""

    __slots__ = ()


class Below(str):
    """The text of a merged cell in a row below its first."""

    __slots__ = ()


class Name(str):
    """The text of a cell that the file marks as a name, of a column or of a row."""

    __slots__ = ()


Row = list[str]


def spread(text: str, width: int = 1, continued: bool = False) -> Row:
    """One row of a merged cell; `continued` in the rows below its first."""
    return [Below(text) if continued else text, *[Across(text)] * (width - 1)]


def is_number(cell: str) -> bool:
    """Whether it has digits and no letters."""
    return has_digit(cell) and not any(character.isalpha() for character in cell)


def has_digit(cell: str) -> bool:
    """Whether a digit of any script stands in it."""
    return any(character.isdigit() for character in cell)
