"""Where a text may be cut: paragraphs, sentences, lines, and softer places within them."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.ingest.document import Section


@dataclass(frozen=True)
class Piece:
    """A part that is kept whole where it fits: a sentence, a table row, a code line."""

    start: int
    end: int
    page: int | None
    ends_paragraph: bool


_PARAGRAPH = re.compile(r"\n[ \t]*\n\s*")
_LINE = re.compile(r"\n+")
_SENTENCE = re.compile(
    r"(?<=[.!?])[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[A-Z0-9À-ÖØ-Þ\u0400-\u042f\u0391-\u03a9\u2e80-\u9fff])"
    r"|(?<=[。！？；…])[”’」』）】]*\s*(?![”’」』）】。！？；…])"
    r"|\n(?=[ \t]*(?:[-*+•]|\d{1,3}[.)])\s)"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|etc|e\.g|i\.e|cf|al|No|Nr|Fig|Figs|Eq|Vol|pp|p|ca|approx|Inc|Ltd|Co"
    r"|Corp|Gen|Col|Sgt|Capt|Lt|Rev|Hon|z\.B|d\.h|bzw))\.$"
)


def section_pieces(text: str, section: Section) -> Iterator[Piece]:
    if section.kind != "text":
        for start, end in _between(text, section.start, section.end, _LINE):
            yield Piece(start, end, section.page, False)
        return
    for start, end in _between(text, section.start, section.end, _PARAGRAPH):
        sentences = list(_sentences(text, start, end))
        for number, (first, last) in enumerate(sentences):
            yield Piece(first, last, section.page, number == len(sentences) - 1)


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for match in _SENTENCE.finditer(text, start, end):
        stop = match.start() + len(match[0].rstrip())
        if stop > begin and not _ABBREVIATION.search(text, max(begin, stop - 12), stop) and match.end() < end:
            yield begin, stop
            begin = match.end()
    if begin < end:
        yield begin, end


def _between(text: str, start: int, end: int, separator: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    begin = start
    for match in separator.finditer(text, start, end):
        if match.start() > begin:
            yield begin, match.start()
        begin = match.end()
    if begin < end:
        yield begin, end


_SOFT_PLACES = (  # from the softest
    re.compile(r"\n+"),
    re.compile(r"(?<=[.!?])\s+|(?<=[。！？；…])"),
    re.compile(r"(?<=[;；|])\s*"),
    re.compile(r"(?<=[,，、:：])\s*"),
    re.compile(r"\s+"),
)


def cut_piece(text: str, piece: Piece, parts: int) -> Iterator[Piece]:
    """About so many parts of similar length, cut at the softest places, without the white space there."""
    begin = piece.start
    for part in range(parts, 1, -1):
        aim = begin + (piece.end - begin) // part
        stop, following = _soft_place(text, begin, aim, piece.end)
        if stop > begin:
            yield Piece(begin, stop, piece.page, False)
        begin = following
        if begin >= piece.end:
            return
    yield Piece(begin, piece.end, piece.page, piece.ends_paragraph)


def _soft_place(text: str, begin: int, aim: int, end: int) -> tuple[int, int]:
    """Where to stop and where to go on: at a place between half way to the aim and somewhat past it."""
    low, high = max(begin + 1, begin + (aim - begin) // 2), min(end - 1, aim + (aim - begin) // 8)
    for pattern in _SOFT_PLACES:
        last = next(iter(deque(pattern.finditer(text, low, high), maxlen=1)), None)
        if last is not None and last.start() > begin and last.end() < end:
            return last.start(), last.end()
    hard = min(max(aim, begin + 1), end - 1)
    return hard, hard
