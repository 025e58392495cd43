"""HTML tables → full grids of cell texts; code beside line numbers; and which elements begin a block."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

from lxml import etree

from knowledge.readers.blocks import one_line
from knowledge.readers.html_furniture import is_invisible, is_line_number
from knowledge.readers.table_cells import Name, spread
from knowledge.readers.tables import table_block

BLOCK_TAGS = frozenset(
    (
        *("address", "article", "aside", "blockquote", "body", "button", "center", "dd", "details", "dialog"),
        *(
            "div",
            "dl",
            "dt",
            "fieldset",
            "figcaption",
            "figure",
            "form",
            "header",
            "hr",
            "html",
            "li",
            "main",
            "ol",
        ),
        *("p", "section", "summary", "ul", "tr", "td", "th", "tbody", "thead", "tfoot", "caption"),
    )
)
TABLE_ROLES = ("table", "grid", "treegrid")
_CELL_ROLES = ("cell", "gridcell", "columnheader", "rowheader")
MAX_HEIGHT = 1_000  # rows that a cell covers


def inner_text(element: etree._Element) -> str:
    """All text inside, scripts and styles left out."""
    parts = [element.text or ""]
    for child in element:
        if not is_invisible(child):
            parts.append("\n" if child.tag == "br" else inner_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def table_grid(table: etree._Element) -> list[list[str]]:
    """The cells as a full grid: the places that a merged cell covers are marked; inner tables become text."""
    grid: list[list[str]] = []
    hanging: dict[
        int, tuple[int, int, str]
    ] = {}  # column → rows below that a cell covers, its width and text
    for row in own_rows(table):
        cells = deque(cell for cell in row if cell.tag in ("td", "th"))
        texts: list[str] = []
        below: dict[int, tuple[int, int, str]] = {}
        while cells or len(texts) in hanging:
            continued = len(texts) in hanging
            if continued:
                height, width, text = hanging.pop(len(texts))
            else:
                cell = cells.popleft()
                text = (Name if cell.tag == "th" else str)(one_line(cell_text(cell)))
                height, width = _height(cell, row), _span(cell, "colspan", 100)
            if height > 1:
                below[len(texts)] = (height - 1, width, text)
            texts.extend(spread(text, width, continued))
        hanging = hanging | below
        grid.append(texts)
    return grid


def role_grid(table: etree._Element) -> list[list[str]]:
    """The cells of a table that is made of other elements, by what each says that it is."""
    rows = (part for part in table.iter() if part.get("role") == "row")
    return [
        [one_line(cell_text(cell)) for cell in row.iter() if cell.get("role") in _CELL_ROLES] for row in rows
    ]


def header_rows(table: etree._Element) -> int | None:
    """How many rows at the top say that they name the columns, captions not counted; None when none says anything."""
    rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in own_rows(table)]
    rows = [row for row in rows if row]
    while len(rows) > 1 and len(rows[0]) == 1 and (_span(rows[0][0], "colspan", 100) > 1 or len(rows[1]) > 1):
        rows.pop(0)
    kinds = [[cell.tag for cell in row] for row in rows]
    height = next((at for at, row in enumerate(rows) if not _is_head(row)), len(rows))
    for at, row in enumerate(rows[:height]):
        if at and height < len(rows) and (_heads_rows(row) or _reaches(row, height - at)):
            height = at
            break
    if height or not kinds or "th" not in kinds[0]:
        return height or None
    return int(kinds[0].count("th") > 1)


def _is_head(row: list[etree._Element]) -> bool:
    """Whether it stands in the head of its table, or has names alone."""
    group = row[0].iterancestors("thead", "table")
    return next(group).tag == "thead" or all(cell.tag == "th" for cell in row)


def _heads_rows(row: list[etree._Element]) -> bool:
    """Whether it is one heading over the rows below it."""
    return len(row) == 1 and (row[0].get("scope") == "rowgroup" or _span(row[0], "colspan", 100) > 1)


def _reaches(row: list[etree._Element], height: int) -> bool:
    """Whether a heading reaches down beside the values: it names them, and no columns."""
    return any(_span(cell, "rowspan", MAX_HEIGHT) > height for cell in row)


def label_pairs(table: etree._Element) -> list[list[str]]:
    """The labels of a form with their values, where every row has a label before each value; empty for others."""
    rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in own_rows(table)]
    rows = [row for row in rows if row]
    plain = all(_span(cell, name, 2) == 1 for row in rows for cell in row for name in ("colspan", "rowspan"))
    kinds = [[cell.tag for cell in row] for row in rows]
    if len(rows) < 2 or not plain or not all(one == ["th", "td"] * (len(one) // 2) for one in kinds):
        return []
    if max(map(len, kinds)) < 4:
        return []
    pairs = [row[at : at + 2] for row in rows for at in range(0, len(row), 2)]
    return [[one_line(cell_text(cell)) for cell in pair] for pair in pairs]


def own_rows(table: etree._Element) -> Iterator[etree._Element]:
    """The rows of this table and not of tables inside it."""
    for last in (False, True):  # a foot may be written before the body, and is shown below it
        for child in table:
            if child.tag == "tr" and not last:
                yield child
            elif child.tag in ("thead", "tbody", "tfoot") and (child.tag == "tfoot") == last:
                yield from (row for row in child if row.tag == "tr")


def cell_text(element: etree._Element) -> str:
    """The text of a cell; a table inside it is written out row by row."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == "li" and child.getprevious() is not None:
            parts[:] = ["".join(parts).rstrip() + ","]
        if child.tag == "table":
            block = table_block(table_grid(child), header=header_rows(child))
            parts.append(f" ({'; '.join(block.text.split(chr(10)))}) " if block else "")
        elif not is_invisible(child):
            space = " " if child.tag in BLOCK_TAGS or child.tag == "br" else ""
            struck = "~~" if child.tag in ("del", "s", "strike") else ""
            parts += [space, struck, cell_text(child), struck, space]
        parts.append(child.tail or "")
    return "".join(parts)


def numbered_code(table: etree._Element) -> str:
    """The code of a table that puts line numbers beside it; empty for other tables."""
    cells = [cell for row in own_rows(table) for cell in row if cell.tag in ("td", "th")]
    code = [cell for cell in cells if not _counts_lines(cell)]
    if not code or len(code) == len(cells) or not all(_is_code(cell) for cell in code):
        return ""
    return "\n".join(code_text(cell).strip("\n") for cell in code)


def code_text(element: etree._Element) -> str:
    """Program text with its line breaks, without the numbers of its lines."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == "br":
            parts.append("\n")
        elif not is_invisible(child) and not is_line_number(child):
            text = code_text(child)
            apart = child.tag in ("div", "p", "li", "tr") and child.getnext() is not None
            parts.append(text if not apart or text.endswith("\n") else text + "\n")
        parts.append(child.tail or "")
    return "".join(parts)


def _counts_lines(cell: etree._Element) -> bool:
    numbers = "".join(cell.itertext()).split()
    counts = all(number.isdecimal() for number in numbers)
    return counts and (
        is_line_number(cell) or any(map(is_line_number, cell.iter())) or cell.find(".//pre") is not None
    )


def _is_code(cell: etree._Element) -> bool:
    return (
        cell.tag == "pre"
        or next(cell.iter("pre", "code"), None) is not None
        or "code" in (cell.get("class") or "")
    )


def is_layout(rows: list[list[str]], table: etree._Element) -> bool:
    """A table of one column, or one that only arranges long texts or other tables, is no table."""
    widest = max((len(row) for row in rows), default=0)
    if table.get("role") == "presentation" or widest < 2:
        return True
    return len(rows) == 1 and any(len(cell) > 300 for cell in rows[0])


def _height(cell: etree._Element, row: etree._Element) -> int:
    """The rows that a cell covers: never beyond its part of the table, and all of that part where it says 0."""
    endless = (cell.get("rowspan") or "").strip() == "0"
    height = MAX_HEIGHT if endless else _span(cell, "rowspan", MAX_HEIGHT)
    return 1 + sum(1 for _ in islice(row.itersiblings("tr"), height - 1))


def _span(cell: etree._Element, name: str, most: int) -> int:
    value = (cell.get(name) or "1").strip()
    return min(max(int(value), 1), most) if value.isdecimal() and len(value) < 6 else 1
