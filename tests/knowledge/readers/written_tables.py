"""One table, written as each kind of file, and what a reader must find in it."""

import csv
import html
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import openpyxl
import pptx
from hypothesis import assume
from hypothesis import strategies as st
from pptx.util import Inches

from tests.knowledge.readers.pdf_maker import PdfPage, pdf
from tests.knowledge.readers.samples import packed, saved

Found = set[tuple[int, tuple[str, ...], str]]  # row, the names of the columns it stands under, value


@dataclass(frozen=True)
class Cell:
    """A text over one place or several."""

    row: int
    column: int
    text: str
    height: int = 1
    width: int = 1

    def reaches(self, row: int, column: int) -> bool:
        """Whether it covers, from above, a place in its first column."""
        return column == self.column and self.row < row < self.row + self.height


@dataclass(frozen=True)
class WrittenTable:
    """Cells that fill a grid; the first rows name the columns."""

    caption: str
    names: tuple[str, ...]  # of the columns, as they are read
    header_rows: int
    cells: tuple[Cell, ...]

    @property
    def height(self) -> int:
        return max(cell.row + cell.height for cell in self.cells)

    @property
    def rows(self) -> list[int]:
        """The rows below the names in which something begins; one that says nothing of its own is not read."""
        begun = {cell.row for cell in self.cells if cell.text}
        return [row for row in range(self.header_rows, self.height) if row in begun]

    def expected(self) -> Found:
        """Every value with the names of all columns that it covers, in every row that it covers."""
        return {
            (at, self.names[cell.column : cell.column + cell.width], cell.text)
            for at, row in enumerate(self.rows)
            for cell in self.cells
            if cell.text and cell.row <= row < cell.row + cell.height
        }

    def found(self, lines: list[str]) -> Found:
        """What the lines of a table say: caption, names if a column is empty, then the rows."""
        if self.caption:
            assert lines.pop(0) == self.caption
        if len(lines) > len(self.rows):
            assert lines.pop(0) == " | ".join(self.names)
        pairs = ((row, part.split(": ")) for row, line in enumerate(lines) for part in line.split("; "))
        return {(row, tuple(names.split(", ")), value) for row, (names, value) in pairs}


_WORDS = ("Arvik", "Brenn", "Calda", "Dorre", "Elnes", "Fossa")
_NAMES = ("Town", "Boats", "Permits", "Price", "Depth", "Share")
_VALUES = st.sampled_from(
    ("0", "7", "7", "1,250.50", "12 kg", "40%", "-2", "3.5 m", "€ 9", "25:30", "00417", "")
)


@st.composite
def written_tables(draw: st.DrawFn, merged: bool = True) -> WrittenTable:
    """Tables with captions, empties, repeats and units; merged cells and up to three rows of names where `merged`."""
    width, rows = draw(st.integers(2, 6)), draw(st.integers(2, 5))
    header = draw(st.integers(1, 3)) if merged and width > 2 else 1
    cells = draw(_headings(width, header))
    names = [_named(cells, column) for column in range(width)]
    taken = {(row, 0) for row in range(rows)}
    cells += draw(_labels(rows, header, merged))
    empty = draw(st.integers(1, width - 1)) if width > 2 and draw(st.integers(0, 4)) == 0 else width
    for row, column in product(range(rows), range(1, width)):
        if (row, column) in taken:
            continue
        last = next((at for at in range(column, width) if (row, at) in taken or at == empty), width)
        across = draw(st.integers(1, max(last - column, 1))) if merged and draw(st.integers(0, 3)) == 0 else 1
        down = draw(st.integers(1, min(rows - row, 3))) if merged and draw(st.integers(0, 5)) == 0 else 1
        text = "" if column == empty else draw(_VALUES)
        cell = Cell(header + row, column, text, height=down if text else 1, width=across if text else 1)
        cells.append(cell)
        taken |= set(product(range(row, row + cell.height), range(column, column + cell.width)))
    assume(any(cell.text for cell in cells if cell.row >= header and cell.column))
    caption = draw(st.sampled_from(("", "Harbours in spring")))
    return WrittenTable(caption, tuple(names), header, tuple(sorted(cells, key=lambda c: (c.row, c.column))))


@st.composite
def _headings(draw: st.DrawFn, width: int, height: int) -> list[Cell]:
    """Names of the columns in so many rows: over the second one and those beside it stand names of groups."""
    if height == 1:
        return [Cell(0, column, name) for column, name in enumerate(_NAMES[:width])]
    span = draw(st.integers(2, width - 1))
    cells = [Cell(0, 0, _NAMES[0], height=height), Cell(0, 1, "2025", width=span)]
    cells += [Cell(0, column, _NAMES[column], height=height) for column in range(1 + span, width)]
    if height == 3:
        first = draw(st.integers(1, span - 1))
        cells += [Cell(1, 1, "North", width=first), Cell(1, 1 + first, "South", width=span - first)]
    return cells + [Cell(height - 1, column, _NAMES[column]) for column in range(1, 1 + span)]


def _named(cells: list[Cell], column: int) -> str:
    over = (cell for cell in cells if cell.column <= column < cell.column + cell.width)
    return " / ".join(cell.text for cell in sorted(over, key=lambda cell: cell.row))


@st.composite
def _labels(draw: st.DrawFn, rows: int, header: int, merged: bool) -> list[Cell]:
    """The first column: a label a row, or one that stands for two."""
    reaching = merged and draw(st.booleans())
    cells = [Cell(header + row, 0, _WORDS[row]) for row in range(rows) if not (reaching and row < 2)]
    return [*cells, Cell(header, 0, _WORDS[0], height=2)] if reaching else cells


def as_html(table: WrittenTable) -> bytes:
    """With the caption as a row over the whole width, and `th` for names."""
    width = len(table.names)
    rows = [f"<tr><th colspan={width}>{table.caption}</th></tr>"] if table.caption else []
    for row in range(table.height):
        tag = "th" if row < table.header_rows else "td"
        rows.append(
            "<tr>" + "".join(_html_cell(cell, tag) for cell in table.cells if cell.row == row) + "</tr>"
        )
    return f"<p>Before.</p><table>{''.join(rows)}</table>".encode()


def _html_cell(cell: Cell, tag: str) -> str:
    return f"<{tag} rowspan={cell.height} colspan={cell.width}>{html.escape(cell.text)}</{tag}>"


def as_docx(table: WrittenTable) -> bytes:
    """With the caption as a merged row and nothing that says which rows are names."""
    shifted = [replace(cell, row=cell.row + bool(table.caption)) for cell in table.cells]
    cells = [*_caption_cell(table), *shifted]
    rows = []
    for row in range(table.height + bool(table.caption)):
        inside = [cell for cell in cells if cell.row <= row < cell.row + cell.height]
        rows.append("".join(_word_cell(cell, row) for cell in sorted(inside, key=lambda cell: cell.column)))
    body = "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"
    return packed({"word/document.xml": f"<w:document {_WORD}><w:body>{body}</w:body></w:document>".encode()})


_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _word_cell(cell: Cell, row: int) -> str:
    merge = f'<w:vMerge w:val="{"restart" if row == cell.row else "continue"}"/>' if cell.height > 1 else ""
    text = html.escape(cell.text) if row == cell.row else ""
    properties = f'<w:tcPr><w:gridSpan w:val="{cell.width}"/>{merge}</w:tcPr>'
    return f"<w:tc>{properties}<w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"


def as_xlsx(table: WrittenTable) -> bytes:
    """At C2, with the caption above as a merged row."""
    book = openpyxl.Workbook()
    sheet, top = book.active, 2 + bool(table.caption)
    if table.caption:
        sheet.cell(2, 3, table.caption)
        sheet.merge_cells(start_row=2, end_row=2, start_column=3, end_column=2 + len(table.names))
    for cell in table.cells:
        row, column = cell.row + top, cell.column + 3
        sheet.cell(row, column, cell.text or None)
        if cell.height + cell.width > 2:
            last = {"end_row": row + cell.height - 1, "end_column": column + cell.width - 1}
            sheet.merge_cells(start_row=row, start_column=column, **last)
    return saved(book)


def as_csv(table: WrittenTable) -> bytes:
    """With the caption in the first cell; only for tables without merged cells."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    if table.caption:
        writer.writerow([table.caption, *[""] * (len(table.names) - 1)])
    for row in range(table.height):
        writer.writerow([cell.text for cell in table.cells if cell.row == row])
    return out.getvalue().encode()


def as_pdf(table: WrittenTable) -> bytes:
    """Each cell in a box of its own, the caption in one over the whole width."""
    page = PdfPage()
    above = bool(table.caption)
    for cell in (*_caption_cell(table), *(replace(cell, row=cell.row + above) for cell in table.cells)):
        left, top = 60 + 80 * cell.column, 100 + 20 * cell.row
        page.box(left, top, left + 80 * cell.width, top + 20 * cell.height)
        if cell.text:
            page.text(left + 5, top + 14, cell.text)
    return pdf(page)


def as_pptx(table: WrittenTable) -> bytes:
    """On one slide, the caption as a merged row."""
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    above = bool(table.caption)
    size = (table.height + above, len(table.names), *map(Inches, (1, 1, 8, 4)))
    grid = slide.shapes.add_table(*size).table
    for cell in (*_caption_cell(table), *(replace(cell, row=cell.row + above) for cell in table.cells)):
        first = grid.cell(cell.row, cell.column)
        first.text = cell.text
        if cell.height + cell.width > 2:
            first.merge(grid.cell(cell.row + cell.height - 1, cell.column + cell.width - 1))
    return saved(deck)


def as_fodt(table: WrittenTable) -> bytes:
    """OpenDocument as one XML file, with cells that are covered."""
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{short}:1.0"'
        for short in ("office", "table", "text")
    )
    rows = []
    for row in _grid(table):
        parts = []
        for cell in row:
            if cell is None:
                parts.append("<table:covered-table-cell/>")
                continue
            span = f'table:number-columns-spanned="{cell.width}" table:number-rows-spanned="{cell.height}"'
            parts.append(
                f"<table:table-cell {span}><text:p>{html.escape(cell.text)}</text:p></table:table-cell>"
            )
        rows.append(f"<table:table-row>{''.join(parts)}</table:table-row>")
    body = f"<office:body><office:text><table:table>{''.join(rows)}</table:table></office:text></office:body>"
    return f'<?xml version="1.0"?><office:document {names}>{body}</office:document>'.encode()


def as_latex(table: WrittenTable) -> bytes:
    """With multicolumn and multirow; a cell that reaches down leaves its places below empty."""
    lines = []
    for row, cells in enumerate(_grid(table)):
        parts = []
        for column, cell in enumerate(cells):
            if cell is not None:
                text = cell.text.replace("%", r"\%")
                text = rf"\multirow{{{cell.height}}}{{*}}{{{text}}}" if cell.height > 1 else text
                parts.append(_spanned(text, cell.width))
            else:
                parts += [_spanned("", one.width) for one in _shifted(table) if one.reaches(row, column)]
        lines.append(" & ".join(parts))
    inside = r" \\ \hline ".join(lines)
    return rf"\begin{{tabular}}{{{'l' * len(table.names)}}}\hline {inside} \\\end{{tabular}}".encode()


def as_rtf(table: WrittenTable) -> bytes:
    """Every place is a cell, and those that are merged say which of them is the first."""
    lines = []
    for row in range(table.height + bool(table.caption)):
        inside = [cell for cell in _shifted(table) if cell.row <= row < cell.row + cell.height]
        shape, texts = "", ""
        for cell in sorted(inside, key=lambda cell: cell.column):
            for at in range(cell.width):
                across = ("\\clmrg" if at else "\\clmgf") if cell.width > 1 else ""
                down = ("\\clvmgf" if row == cell.row else "\\clvmrg") if cell.height > 1 else ""
                shape += f"{across}{down}\\cellx{1000 * (cell.column + at + 1)}"
                texts += ("" if at or row != cell.row else cell.text.replace("€", "\\u8364?")) + "\\cell "
        lines.append(rf"\trowd{shape}\pard\intbl {texts}\row")
    return (r"{\rtf1\ansi Before.\par" + "".join(lines) + r"\pard}").encode()


def _spanned(text: str, width: int) -> str:
    return rf"\multicolumn{{{width}}}{{c}}{{{text}}}" if width > 1 else text


def _shifted(table: WrittenTable) -> list[Cell]:
    above = bool(table.caption)
    return [*_caption_cell(table), *(replace(cell, row=cell.row + above) for cell in table.cells)]


def _grid(table: WrittenTable) -> list[list[Cell | None]]:
    """The cell that begins at each place; None where another one covers it."""
    grid: list[list[Cell | None]] = [
        [None] * len(table.names) for _ in range(table.height + bool(table.caption))
    ]
    for cell in _shifted(table):
        grid[cell.row][cell.column] = cell
    return grid


def _caption_cell(table: WrittenTable) -> Iterator[Cell]:
    if table.caption:
        yield Cell(0, 0, table.caption, width=len(table.names))
