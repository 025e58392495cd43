"""Markdown and plain text → blocks: headings, paragraphs, lists, tables, and code fences kept whole."""

import re

from knowledge.readers.blocks import Block, ParsedFile
from knowledge.readers.html import load_html
from knowledge.readers.tables import table_block

_HEADING = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*?))?[ \t]*#*[ \t]*$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})[ \t]*$")
_OVERLINE = re.compile(r"^([=\-~^*#])\1{2,}$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_TABLE_RULE = re.compile(r"^ *\|?(?: *:?-+:? *\|)+(?: *:?-+:? *)?\|? *$")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_TITLE = re.compile(r"^title[ \t]*:[ \t]*(.+?)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_HTML_TABLE = re.compile(r"^ {0,3}<table\b", re.IGNORECASE)
_TABLE_TAG = re.compile(r"(</?)table\b", re.IGNORECASE)
_CELL_BORDER = re.compile(r"(?<!\\)\|")
# Bounded, because an unclosed mark would otherwise be searched for to the end of the text, each time again.
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.{1,500}?)(?<=\S)\1")
_LINK = re.compile(r"!?\[([^\]\n]{0,500})\]\((?:[^()\n]|\([^()\n]{0,500}\)){0,2000}\)")


def load_markdown(text: str) -> ParsedFile:
    """The blocks of a Markdown text; its title is the front matter's, or its first top heading."""
    title = ""
    if front := _FRONT_MATTER.match(text):
        if named := _TITLE.search(front[1]):
            title = named[1].strip("\"'")
        text = text[front.end() :]
    blocks = _Reader(_without_comments(text).split("\n")).read()
    if not title:
        title = next((block.text for block in blocks if block.kind == "heading" and block.level == 1), "")
    return ParsedFile(title=title, blocks=tuple(blocks))


def _without_comments(text: str) -> str:
    parts, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        parts.append(text[at:start])
        at = end + 3
    return "".join(parts) + text[at:]


def load_text(text: str) -> ParsedFile:
    """The paragraphs of a plain text: what blank lines separate."""
    paragraphs = re.split(r"\n[ \t]*\n", text)
    return ParsedFile(blocks=tuple(Block("text", part.strip("\n")) for part in paragraphs if part.strip()))


def plain(text: str) -> str:
    """Markdown's inline marks taken away: the words of links and images stay, emphasis goes."""
    return _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", text))


class _Reader:
    """One pass over the lines; each method takes what it recognises and says whether it did."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.at = 0
        self.blocks: list[Block] = []
        self.paragraph: list[str] = []
        self.html_ends = True  # until a table of HTML is not closed

    def read(self) -> list[Block]:
        while self.at < len(self.lines):
            if not (self._code() or self._heading() or self._table() or self._html_table()):
                self._paragraph_line()
        self._end_paragraph()
        return self.blocks

    def _code(self) -> bool:
        opening = _FENCE.match(self.lines[self.at])
        if not opening or (opening[1][0] == "`" and "`" in opening[2]):
            return False
        self._end_paragraph()
        closing = re.compile(rf"^ {{0,3}}{re.escape(opening[1][0])}{{{len(opening[1])},}}[ \t]*$")
        self.at += 1
        start = self.at
        while self.at < len(self.lines) and not closing.match(self.lines[self.at]):
            self.at += 1
        code = "\n".join(self.lines[start : self.at])
        self.at += 1
        if code.strip():
            self.blocks.append(Block("code", code))
        return True

    def _heading(self) -> bool:
        line = self.lines[self.at]
        if match := _HEADING.match(line):
            self._end_paragraph()
            self._add_heading(match[2] or "", len(match[1]))
            self.at += 1
            return True
        if len(self.paragraph) == 2 and _OVERLINE.match(self.paragraph[0]) and self.paragraph[0] == line:
            del self.paragraph[0]  # reStructuredText draws a line above as well
        underline = _UNDERLINE.match(line)
        if (
            underline
            and len(self.paragraph) == 1
            and not self.paragraph[0].lstrip().startswith(("-", "*", "|", ">"))
        ):
            text = self.paragraph.pop()
            self._add_heading(text, 1 if underline[1][0] == "=" else 2)
            self.at += 1
            return True
        return False

    def _table(self) -> bool:
        if self.at + 1 >= len(self.lines) or "|" not in self.lines[self.at]:
            return False
        if not _TABLE_RULE.match(self.lines[self.at + 1]):
            return False
        self._end_paragraph()
        rows = [_cells(self.lines[self.at])]
        self.at += 2
        while self.at < len(self.lines) and "|" in self.lines[self.at]:
            rows.append(_cells(self.lines[self.at]))
            self.at += 1
        if block := table_block(rows, header=1):
            self.blocks.append(block)
        return True

    def _html_table(self) -> bool:
        if not self.html_ends or not _HTML_TABLE.match(self.lines[self.at]):
            return False
        depth, start = 0, self.at
        for at in range(start, len(self.lines)):
            tags = _TABLE_TAG.findall(self.lines[at])
            depth += tags.count("<") - tags.count("</")
            if depth < 1:
                self._end_paragraph()
                self.at = at + 1
                self.blocks += load_html("\n".join(self.lines[start : self.at]).encode(), "utf-8").blocks
                return True
        self.html_ends = False
        return False

    def _paragraph_line(self) -> None:
        line = self.lines[self.at]
        self.at += 1
        if line.strip():
            self.paragraph.append(line.rstrip())
        else:
            self._end_paragraph()

    def _end_paragraph(self) -> None:
        if self.paragraph:
            self.blocks.append(Block("text", plain("\n".join(self.paragraph))))
            self.paragraph = []

    def _add_heading(self, text: str, level: int) -> None:
        if words := plain(text).strip():
            self.blocks.append(Block("heading", words, level=level))


def _cells(line: str) -> list[str]:
    cells = [plain(cell.strip().replace("\\|", "|")) for cell in _CELL_BORDER.split(line.strip())]
    if cells and not cells[0]:
        cells = cells[1:]
    if cells and not cells[-1]:
        cells = cells[:-1]
    return cells
