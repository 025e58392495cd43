"""Ratings in stars or points → liked, disliked or neither. One value does not tell its scale: all of a file do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_RATINGS = ("rating", "stars", "user_rating")
_LISTS = ("messages", "conversations", "conversation")
SCALES = ((5, 2, 4), (10, 4, 8))  # the highest value, the last that is bad, the first that is good
Item = Mapping[str, Any]


def without_scales(records: Sequence[tuple[int, Item]]) -> list[tuple[int, Item]]:
    """The records; where a number in the file is above 1, its ratings are 1, 0 and -1 as of thumbs."""
    highest = max((found for _, record in records for found in _numbers(record)), default=0)
    scale = next((one for one in SCALES if 1 < highest <= one[0]), None)
    if scale is None:
        return list(records)
    return [(line, _judged(record, *scale[1:])) for line, record in records]


def _numbers(record: Item) -> Iterator[float]:
    for item in (record, *_messages(record)):
        yield from (found for key in _RATINGS if (found := _number(item.get(key))) is not None)


def _messages(record: Item) -> Iterator[Item]:
    for key in _LISTS:
        if isinstance(found := record.get(key), list):
            yield from (one for one in found if isinstance(one, Mapping))


def _judged(record: Item, bad: int, good: int) -> Item:
    def thumb(item: Any) -> Any:
        if not isinstance(item, Mapping):
            return item
        given = next((found for key in _RATINGS if (found := _number(item.get(key))) is not None), None)
        return item if given is None else {**item, "rating": (given >= good) - (given <= bad)}

    held = {key: [thumb(one) for one in record[key]] for key in _LISTS if isinstance(record.get(key), list)}
    return {**thumb(record), **held}


def _number(value: object) -> float | None:
    """A number, also as a cell of a table holds it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
