"""RTF → blocks: paragraphs, tables, notes and boxes. Headings are not told from text: only style numbers mark them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from striprtf.striprtf import rtf_to_text

from knowledge.errors import DocumentError
from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.rtf_marks import marked, marks_and_text, without_binary
from knowledge.readers.rtf_tables import RowShape, WrittenRow, grid, header_rows
from knowledge.readers.tables import table_block

_RAW = re.compile(rb"[\x80-\xff]")
_TITLE = re.compile(r"\{\\info.{0,2000}?\{\\title ([^{}]{1,600})\}", re.DOTALL)
_BULLET = "-"


def load_rtf(data: bytes) -> ParsedFile:
    """The blocks of an RTF file. Raises DocumentError when it cannot be read."""
    # Bytes that are no ASCII belong to the file's code page, which is applied to escapes.
    source = _RAW.sub(lambda match: b"\\'%02x" % match[0][0], without_binary(data)).decode("ascii")
    # Without its keyword a field is a group like others, and the library does not search each to the end of the file.
    source = source.replace("{\\field{", "{{")
    try:
        text = rtf_to_text(marked(source), errors="replace")
        title = _TITLE.search(source)
        named = one_line(rtf_to_text(f"{{\\rtf1 {title[1]}}}", errors="replace")) if title else ""
    except (ValueError, LookupError, TypeError) as error:
        raise DocumentError(f"its RTF is damaged ({error})") from error
    return ParsedFile(named, tuple(_blocks(text)))


def _blocks(text: str) -> Iterator[Block]:
    """The blocks of the text, which marks divide; notes and boxes have a flow of their own."""
    flows = [_Flow()]
    for name, number, before in marks_and_text(text):
        flow = flows[-1]
        flow.text += before
        if name in ("note", "comment", "box"):
            flows.append(_Flow("Comment: " if name == "comment" else ""))
        elif name.startswith("end") and len(flows) > 1 and name != "endlabel":
            inner = flows.pop()
            flows[-1].later += inner.finished()
        else:
            flow.take(name, number)
    while len(flows) > 1:  # a group that is never closed
        inner = flows.pop()
        flows[-1].later += inner.finished()
    yield from flows[0].finished()


@dataclass
class _OpenTable:
    """A table of one depth as far as it was read."""

    rows: list[WrittenRow] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)  # of the row that is being read
    paragraphs: list[str] = field(default_factory=list)  # of its cell that is being read
    shape: RowShape = field(default_factory=RowShape)

    def end_row(self) -> None:
        if self.paragraphs:
            self.cells.append("\n".join(self.paragraphs))
        if any(self.cells):
            self.rows.append(WrittenRow(self.cells, self.shape))
        self.cells, self.paragraphs = [], []


class _Flow:
    """Paragraphs and tables one after the other, as in the text, a note or a box."""

    def __init__(self, prefix: str = "") -> None:
        self.text = ""
        self.prefix = prefix
        self.blocks: list[Block] = []
        self.later: list[Block] = []  # notes and boxes, which follow what they belong to
        self.tables: list[_OpenTable] = []  # each in a cell of the one before it
        self._shape = RowShape()
        self._label = 0  # where the label of a list's item begins

    def take(self, name: str, number: int) -> None:
        """One mark, what stands in front of it being in `text`."""
        if name == "label":
            self._label = len(self.text)
        elif name == "endlabel":
            label = self.text[self._label :].strip()
            shown = label if any(map(str.isalnum, label)) else _BULLET
            self.text = f"{self.text[: self._label]}{shown} "
        elif name == "trowd":
            self._shape = RowShape()
        elif name in ("par", "cell", "row"):
            self._end(name, number)
        elif name:
            self._shape.add(name, number)

    def _end(self, name: str, level: int) -> None:
        while len(self.tables) > level:
            self._close()
        while len(self.tables) < level:
            self.tables.append(_OpenTable())
        text, self.text = self.text, ""
        if not level:
            self._paragraphs(text)
            return
        table = self.tables[-1]
        if written := one_line(text):
            table.paragraphs.append(written)
        if name == "cell":
            table.cells.append("\n".join(table.paragraphs))
            table.paragraphs = []
        elif name == "row":
            table.shape = self._shape
            table.end_row()

    def _close(self) -> None:
        """The deepest table ends: it stands in a cell of the one around it, or in the flow."""
        table = self.tables.pop()
        unfinished = [] if table.cells or self.tables else table.paragraphs
        if not unfinished:
            table.end_row()
        rows = grid(table.rows)
        block = table_block(rows, header=header_rows(table.rows))
        if self.tables:
            lines = "; ".join(block.text.splitlines()) if block else ""
            self.tables[-1].paragraphs += [f"({lines})"] if lines else []
            return
        if block and max(map(len, rows)) > 1:
            self.blocks.append(block)
        else:  # one column only frames its text
            self._paragraphs("\n".join(cell for row in table.rows for cell in row.cells))
        self._paragraphs("\n".join(unfinished))

    def _paragraphs(self, text: str) -> None:
        for line in filter(None, map(one_line, text.split("\n"))):
            self.blocks.append(Block("text", self.prefix + line))
            self.prefix = ""
        self.blocks += self.later
        self.later = []

    def finished(self) -> list[Block]:
        """All blocks, what is unfinished included."""
        self._end("par", 0)
        return self.blocks
