"""One table, written as HTML, DOCX, XLSX, CSV and ruled PDF, and what a reader must find in it."""

import csv
import html
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace

import openpyxl
from hypothesis import strategies as st

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

    def expected(self) -> Found:
        """Every value with the names of all columns that it covers, in every row that it covers."""
        return {
            (row - self.header_rows, self.names[cell.column : cell.column + cell.width], cell.text)
            for cell in self.cells
            for row in range(cell.row, cell.row + cell.height)
            if row >= self.header_rows and cell.text
        }

    def found(self, lines: list[str]) -> Found:
        """What the lines of a table say: caption, names if a column is empty, then the rows."""
        if self.caption:
            assert lines.pop(0) == self.caption
        if len(lines) > self.height - self.header_rows:
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
    """Tables with captions, empties, repeats and units; merged cells and two rows of names where `merged`."""
    width, rows = draw(st.integers(2, 6)), draw(st.integers(2, 5))
    names, cells = list(_NAMES[:width]), []
    header = 2 if merged and width > 2 and draw(st.booleans()) else 1
    if header == 2:
        span = draw(st.integers(2, width - 1))
        cells = [Cell(0, 0, names[0], height=2), Cell(0, 1, "2025", width=span)]
        cells += [Cell(0, column, names[column], height=2) for column in range(1 + span, width)]
        cells += [Cell(1, column, names[column]) for column in range(1, 1 + span)]
        names[1 : 1 + span] = [f"2025 / {name}" for name in names[1 : 1 + span]]
    else:
        cells = [Cell(0, column, name) for column, name in enumerate(names)]
    reaching = merged and draw(st.booleans())  # the first label stands for two rows
    for row in range(rows):
        if not (reaching and row == 1):
            cells.append(Cell(header + row, 0, _WORDS[row], height=2 if reaching and row == 0 else 1))
        column = 1
        while column < width:
            across = draw(st.integers(1, width - column)) if merged and draw(st.integers(0, 3)) == 0 else 1
            last = column + across == width
            text = draw(_VALUES) or ("5" if last else "")
            cells.append(Cell(header + row, column, text, width=across))
            column += across
    caption = draw(st.sampled_from(("", "Harbours in spring")))
    return WrittenTable(caption, tuple(names), header, tuple(sorted(cells, key=lambda c: (c.row, c.column))))


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


def _caption_cell(table: WrittenTable) -> Iterator[Cell]:
    if table.caption:
        yield Cell(0, 0, table.caption, width=len(table.names))
