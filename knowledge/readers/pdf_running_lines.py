"""Running headers, footers and page numbers of a PDF: which lines in the margins are no text of their pages."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from knowledge.readers.positioned_text import Line, Table

_NUMBER = re.compile(r"\d{1,9}|\b[ivxlc]+\b", re.IGNORECASE)
_WORDS = re.compile(r"[^\W\d_]{3,}|[\u2e80-\u9fff]{2,}")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_MARGIN = 0.1  # of the height of a page, above and below
_FEWEST = 3  # pages


@dataclass(frozen=True)
class Page:
    """The lines and tables of a page, in reading order."""

    number: int
    height: float
    items: tuple[Line | Table, ...]
    comments: tuple[str, ...] = ()  # that readers left on it


Seen = list[tuple[int, Line]]  # with the number of the page


def without_running_lines(pages: Sequence[Page]) -> list[Page]:
    """The pages without lines in the margins that are the same on many pages, but for the page's number.

    Those that change from part to part name it, and stay where it begins. A line whose numbers are those of its page
    alone, such as an invoice's, stays.
    """
    if len(pages) < _FEWEST:
        return list(pages)
    running = _running_lines(pages)
    left_out = {id(line) for line in running} - {id(line) for line in _names_of_parts(running)}
    return [_without(page, left_out) for page in pages]


def _without(page: Page, left_out: set[int]) -> Page:
    """A page of nothing else keeps it: the text is meant."""
    items = tuple(item for item in page.items if id(item) not in left_out)
    return replace(page, items=items or page.items)


def _running_lines(pages: Sequence[Page]) -> list[Line]:
    """In the order of the pages."""
    by_pattern: defaultdict[str, Seen] = defaultdict(list)
    by_height: defaultdict[int, Seen] = defaultdict(list)
    for page in pages:
        for line in _margin_lines(page):
            by_pattern[_pattern(line)].append((page.number, line))
            if _numbers_at_the_ends(line.text):
                by_height[round(line.top)].append((page.number, line))
    often = max(_FEWEST, len(pages) // 10)
    found = [seen for seen in by_pattern.values() if len(seen) >= often and _is_running(seen)]
    found += [seen for seen in by_height.values() if len(seen) * 2 > len(pages) and _counts_pages(seen)]
    lines = {id(line): (number, line) for seen in found for number, line in seen}
    return [line for _, line in sorted(lines.values(), key=lambda pair: pair[0])]


def _names_of_parts(running: Sequence[Line]) -> Iterator[Line]:
    """The first of each running line that takes turns with others at its place of the page."""
    first: dict[int, dict[str, Line]] = defaultdict(dict)
    for line in running:
        if _WORDS.search(_pattern(line)):
            first[round(line.top / 4)].setdefault(_pattern(line), line)
    for lines in first.values():
        if len(lines) > 1:
            yield from lines.values()


def _margin_lines(page: Page) -> list[Line]:
    lines = [item for item in page.items if isinstance(item, Line)]
    return [
        line
        for line in lines
        if line.bottom < _MARGIN * page.height or line.top > (1 - _MARGIN) * page.height
    ]


def _pattern(line: Line) -> str:
    return _NUMBER.sub("#", line.text.lower())


def _is_running(seen: Seen) -> bool:
    """Whether lines that differ in numbers at most say the same, or count pages."""
    texts = {line.text for _, line in seen}
    return len(texts) * 2 <= len(seen) or _counts_pages(seen)


def _counts_pages(seen: Seen) -> bool:
    """Whether a number in most of the lines goes on with the page."""
    steps = Counter(
        step for number, line in seen for step in {value - number for value in _numbers(line.text)}
    )
    return bool(steps) and max(steps.values()) * 5 >= len(seen) * 3


def _numbers_at_the_ends(text: str) -> bool:
    """Whether it begins or ends with a number, as lines with the page's number do."""
    found = list(_NUMBER.finditer(text.strip()))
    return bool(found) and (found[0].start() == 0 or found[-1].end() == len(text.strip()))


def _numbers(text: str) -> Iterator[int]:
    for match in _NUMBER.finditer(text.lower()):
        yield int(match[0]) if match[0].isdigit() else _roman(match[0])


def _roman(letters: str) -> int:
    values = [_ROMAN[letter] for letter in letters]
    return sum(
        -value if value < max(values[at + 1 :], default=0) else value for at, value in enumerate(values)
    )
