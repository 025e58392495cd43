"""Lines of a whole PDF → headings, paragraphs and tables; running headers are dropped, hyphenated words joined."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from knowledge.readers.blocks import Block, one_line
from knowledge.readers.pdf_bylines import without_bylines
from knowledge.readers.pdf_running_lines import Page, without_running_lines
from knowledge.readers.positioned_text import Line, Table, is_cjk
from knowledge.readers.table_cells import Row
from knowledge.readers.tables import rows_of_names, table_block

_ENDED = re.compile(r"[.!?:;。！？：；…][\"'”’)\]」』）]*$")
_HYPHENATED = re.compile(r"\b[^\W\d_]+-[^\W\d_]+\b")
_CHAPTER = re.compile(
    r"(?:第[零〇一二三四五六七八九十百\d]+[编編篇部章节節条條款]|[一二三四五六七八九十]+、|[（(][一二三四五六七八九十]+[)）])\s*\S"
)
_CHAPTER_LENGTH = 30
_LEADERS = re.compile(r"(?: ?\.){4,} ?|(?: ?·){4,} ?")
_SIGNS = "。，、；：！？,;:.!?…"
_HYPHENS = ("-", "\u2010", "\u00ad", "\x02", "\ufffe")


def blocks_of(pages: Sequence[Page]) -> list[Block]:
    """The blocks of all pages."""
    pages = without_running_lines(pages)
    lines = [line for page in pages for line in page.items if isinstance(line, Line)]
    mono = sum(len(line.text) for line in lines if line.mono)
    code = 2 * mono < sum(len(line.text) for line in lines)  # where all is monospaced, nothing is code
    writer = _Writer(_heading_levels(lines), _hyphenated(lines), _line_spacing(lines), code)
    for page in pages:
        writer.page(page)
    return without_bylines(writer.finish())


def _heading_levels(lines: Sequence[Line]) -> dict[tuple[float, bool], int]:
    """Style (size, bold) → heading level: larger than the body, or bold when the body is not."""
    characters: Counter[tuple[float, bool]] = Counter()
    for line in lines:
        characters[_style(line)] += len(line.text) if not line.turned else 0
    body, body_bold = max(characters, key=characters.__getitem__, default=(0.0, False))
    total = sum(characters.values())
    sizes = sorted({size for size, _ in characters if size >= 1.12 * body}, reverse=True)
    levels: dict[tuple[float, bool], int] = {}
    for (size, bold), count in characters.items():
        if count > 0.3 * total:
            continue
        if size >= 1.12 * body:
            levels[size, bold] = min(sizes.index(size) + 1, 5)
        elif bold and not body_bold and size >= 0.95 * body:
            levels[size, bold] = min(len(sizes) + 1, 6)
    return levels


def _style(line: Line) -> tuple[float, bool]:
    return round(line.size * 2) / 2, line.bold


def _hyphenated(lines: Sequence[Line]) -> set[str]:
    """Words that are written with a hyphen inside a line: broken at that hyphen they keep it."""
    return {word.lower() for line in lines for word in _HYPHENATED.findall(line.text)}


def _line_spacing(lines: Sequence[Line]) -> float:
    """The median distance of two lines, as a multiple of their font size."""
    distances = [
        (line.top - last.top) / max(last.size, 1.0)
        for last, line in pairwise(lines)
        if line.column == last.column and 0 < line.top - last.top < 3 * last.size
    ]
    return median(distances) if distances else 1.3


class _Writer:
    def __init__(
        self, levels: dict[tuple[float, bool], int], hyphenated: set[str], spacing: float, code: bool
    ) -> None:
        self.levels = levels
        self.code = code
        self.hyphenated = hyphenated
        self.spacing = spacing
        self.blocks: list[Block] = []
        self.open: list[Line] = []
        self.open_page = 0
        self.table: tuple[int, list[Sequence[str]], int | None] | None = None  # page, rows, rows of names

    def page(self, page: Page) -> None:
        for item in page.items:
            if isinstance(item, Table):
                self._table(item, page.number)
                continue
            self._end_table()
            if self.open and not self._continues(self.open[-1], item, page.number == self.open_page):
                self._end_paragraph()
            if not self.open:
                self.open_page = page.number
            self.open.append(item)
        if page.comments:
            self._end_paragraph()
            self._end_table()
            self.blocks.extend(Block("text", f"Comment: {text}", page.number) for text in page.comments)

    def finish(self) -> list[Block]:
        self._end_paragraph()
        self._end_table()
        return self.blocks

    def _table(self, table: Table, page: int) -> None:
        self._end_paragraph()
        rows = [tuple(_without_leaders(cell) for cell in row) for row in table.rows]
        names: list[Row] = []
        if self.table and self.table[0] == page - 1 and len(rows[0]) == len(self.table[1][0]):
            names, own = rows_of_names(self.table[1])[0], rows_of_names(rows)
            names = [] if own[1] and own[0] != names else names  # another table, with names of its own
            rows = rows[len(names) :] if own[0] == names else rows  # they are repeated on each page
        self._end_table()
        self.table = (page, [*names, *rows], len(names) or None)

    def _end_table(self) -> None:
        if self.table:
            page, rows, header = self.table
            if block := table_block(rows, page, header):
                self.blocks.append(block)
            self.table = None

    def _continues(self, last: Line, line: Line, same_page: bool) -> bool:
        level = self._level(last)
        if self._is_code(last) != self._is_code(line):
            return False
        if self._is_code(line):
            return same_page and line.column == last.column and 0 < line.top - last.top < 3 * last.size
        if level != self._level(line) or abs(last.size - line.size) > 0.15 * last.size:
            return False
        distance = line.top - last.top
        if not same_page or line.column != last.column or distance <= 0:
            return not level and not _ENDED.search(last.text) and _goes_on(line.text) and not line.marked
        if distance > max(1.35 * self.spacing, 1.0) * last.size:
            return False
        if level:
            return len(self.open) < 3
        if len(self.open) == 1 and _is_chapter(last):
            return False
        short = last.x1 < last.column[1] - 0.15 * (last.column[1] - last.column[0])
        indented = line.x0 - last.x0 > 0.8 * line.size and not last.marked and len(self.open) > 1
        return line.marked or not (
            (short and _ENDED.search(last.text)) or (indented and _ENDED.search(last.text))
        )

    def _level(self, line: Line) -> int:
        """Its heading level; 0 for what is not a heading."""
        return 0 if line.turned or self._is_code(line) else self.levels.get(_style(line), 0)

    def _is_code(self, line: Line) -> bool:
        return self.code and line.mono

    def _end_paragraph(self) -> None:
        if not self.open:
            return
        if self._is_code(self.open[0]):
            self.blocks.append(Block("code", _indented(self.open), self.open_page))
            self.open = []
            return
        level = self._level(self.open[0])
        text = _LEADERS.sub(" … ", self._joined(self.open))
        if level and len(text) <= 200 and any(character.isalpha() for character in text):
            self.blocks.append(Block("heading", one_line(text), self.open_page, level))
        elif text.strip():
            self.blocks.append(Block("text", text, self.open_page))
        self.open = []

    def _joined(self, lines: Sequence[Line]) -> str:
        return "".join(self._parts(lines))

    def _parts(self, lines: Sequence[Line]) -> Iterator[str]:
        for number, line in enumerate(lines):
            following = lines[number + 1] if number + 1 < len(lines) else None
            text = line.text.strip()
            if following is None:
                yield text
            elif following.marked or _LEADERS.search(text):
                yield text + "\n"
            elif text.endswith(_HYPHENS) and following.text[:1].islower() and len(text) > 1:
                yield text[:-1] + ("-" if self._keeps_hyphen(text, following.text) else "")
            elif text and following.text and is_cjk(text[-1]) and is_cjk(following.text[0]):
                yield text
            else:
                yield text + " "

    def _keeps_hyphen(self, text: str, following: str) -> bool:
        first = re.search(r"[^\W\d_]+(?=.$)", text)
        second = re.match(r"[^\W\d_]+", following)
        return bool(first and second and f"{first[0]}-{second[0]}".lower() in self.hyphenated)


def _is_chapter(line: Line) -> bool:
    """Whether a line of the text's own size is a Chinese heading: "第三条 期限", "二、范围", and nothing after it."""
    text = line.text.strip()
    short = line.x1 < line.column[1] - 0.3 * (line.column[1] - line.column[0])
    return short and len(text) <= _CHAPTER_LENGTH and bool(_CHAPTER.match(text)) and text[-1] not in _SIGNS


def _without_leaders(cell: str) -> str:
    return _LEADERS.sub(" … ", cell) if _LEADERS.search(cell) else cell  # a covered cell stays one


def _indented(lines: Sequence[Line]) -> str:
    """Lines of code, each as far to the right as it stands on the page."""
    left = min(line.x0 for line in lines)
    widths = [(line.x1 - line.x0) / len(line.text) for line in lines if line.text]
    width = max(median(widths), 1.0)
    return "\n".join(" " * min(round((line.x0 - left) / width), 40) + line.text for line in lines)


def _goes_on(text: str) -> bool:
    return text[:1].islower() or (bool(text) and is_cjk(text[0]))
