"""Where other tables begin within one grid of rows: each has names of its own."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from knowledge.readers.table_cells import Across, Below, Name, Row, has_digit, is_number
from knowledge.readers.table_names import SAMPLE_ROWS, is_year, votes

_MOST_WORDS = 1 / 3  # of the rows: where more hold words alone, numbers are no rule


def beginnings(rows: Sequence[Row], named: bool, stated: bool) -> list[int]:
    """The rows below the first from which on the columns have other names.

    `named`: the first rows have names above them; `stated`: the file says which, so that a caption divides nothing.
    """
    found = set(_marked(rows)) if named else set()
    if named and not found:
        found |= {*_changes_of_columns(rows), *_words_among_numbers(rows)}
    captions = set() if stated else {at for at in range(1, len(rows)) if _is_caption_of_names(rows, at)}
    return sorted((found | captions) - {at + 1 for at in captions})


def _is_caption_of_names(rows: Sequence[Row], at: int) -> bool:
    """A caption over the whole table, and below it names."""
    first, *others = rows[at]
    if not first or not others or not all(isinstance(cell, Across) for cell in others) or at + 3 > len(rows):
        return False
    names = [str(cell) for cell in rows[at + 1] if cell and not isinstance(cell, Across | Below)]
    below = [_single(row) for row in rows[at + 2 : at + 2 + SAMPLE_ROWS]]
    return len(names) > 1 and not any(map(has_digit, names)) and votes(rows[at + 1], below) > 1


def _marked(rows: Sequence[Row]) -> Iterator[int]:
    """Rows of which the file marks every cell as a name, below others and above others; sums are no names."""
    marked = [_is_all_names(row) for row in rows]
    for at, (above, here) in enumerate(pairwise(marked), start=1):
        if here and not above and not all(marked[at:]):
            yield at


def _is_all_names(row: Row) -> bool:
    own = [cell for cell in row if cell and not isinstance(cell, Across)]
    sums = any(is_number(cell) and not is_year(cell) for cell in own)
    return len(own) > 1 and not sums and all(isinstance(cell, Name) for cell in own)


def _changes_of_columns(rows: Sequence[Row]) -> Iterator[int]:
    """Above, all cells are merged in one way, and from here on in another; numbers stand below words."""
    shapes = [tuple(isinstance(cell, Across) for cell in row) for row in rows]
    changes = [at for at in range(1, len(rows)) if shapes[at] != shapes[at - 1]]
    if len(changes) != 1 or changes[0] + 3 > len(rows) or not _are_words(rows[changes[0]]):
        return
    names, *below = map(_single, rows[changes[0] :])
    if any(all(_is_amount(row[place]) for row in below) for place in range(1, len(names)) if names[place]):
        yield changes[0]


def _words_among_numbers(rows: Sequence[Row]) -> list[int]:
    """Rows of words, where at least two columns hold numbers in all other rows."""
    places = {place for row in rows for place, cell in enumerate(row) if cell}
    words = [at for at, row in enumerate(rows) if _are_words(row) and _own(row) == len(places)]
    if len(places) < 3 or not words or words[-1] + 1 == len(rows) or len(words) > _MOST_WORDS * len(rows):
        return []
    chosen = set(words)
    others = [row for at, row in enumerate(rows) if at not in chosen]
    columns = ([row[place] for row in others if place < len(row) and row[place]] for place in places)
    numbers = sum(bool(column) and all(map(_is_amount, column)) for column in columns)
    return [at for at in words if at] if numbers > 1 else []


def _are_words(row: Row) -> bool:
    """Whether its cells differ from each other, and none has a digit: values that are missing read alike."""
    if any(isinstance(cell, Below) for cell in row):
        return False
    own = [str(cell) for cell in row if cell and not isinstance(cell, Across)]
    return len(own) > 1 and len(set(own)) == len(own) and not any(map(has_digit, own))


def _own(row: Row) -> int:
    return sum(bool(cell) and not isinstance(cell, Across) for cell in row)


def _is_amount(cell: str) -> bool:
    return is_number(cell) or has_digit(cell.lstrip("+-−(€$£¥ ")[:1])


def _single(row: Row) -> Row:
    return ["" if isinstance(cell, Across) else cell for cell in row]
