"""Tables in XML → full grids: those of DocBook and its relatives (`row`, `entry`) and those of HTML (`tr`, `td`)."""

from collections.abc import Iterator

from lxml import etree

from knowledge.readers.blocks import Block
from knowledge.readers.html_tables import header_rows, table_grid
from knowledge.readers.tables import table_block

_ROWS = ("row", "tr", "strow", "sthead")
_CELLS = ("entry", "td", "th", "cell", "stentry")
_GROUPS = {"tgroup", "thead", "tbody", "tfoot"}


def is_table(element: etree._Element) -> bool:
    """Whether it holds rows of cells, in groups or by themselves."""
    rows = list(_rows(element))
    cells = [len(_cells(row)) for row, _ in rows]
    return (
        len(rows) > 1
        and max(cells) > 1
        and all(len(row) == count for (row, _), count in zip(rows, cells, strict=True))
    )


def xml_table(element: etree._Element) -> Block | None:
    """Its block; cells are merged as their attributes say."""
    table = etree.Element("table")
    places = {
        str(spec.get("colname")): at
        for at, spec in enumerate(one for one in element.iter() if _name(one) == "colspec")
    }
    for row, group in _rows(element):
        same = len(table) > 0 and table[-1].tag == group
        part = table[-1] if same else etree.SubElement(table, group)
        written = etree.SubElement(part, "tr")
        for cell in _cells(row):
            is_name = group == "thead" or _name(cell) == "th"
            copy = etree.SubElement(written, "th" if is_name else "td")
            copy.text = str(cell.xpath("string()"))
            for key, value in _spans(cell, places):
                copy.set(key, value)
    return table_block(table_grid(table), header=header_rows(table))


def beside_rows(element: etree._Element) -> Iterator[etree._Element]:
    """What stands in a table and in none of its rows, such as a caption or a note."""
    parts = (*_ROWS, *_GROUPS, "colspec", "colgroup", "col")
    return (child for child in element if isinstance(child.tag, str) and _name(child) not in parts)


def _spans(cell: etree._Element, places: dict[str, int]) -> Iterator[tuple[str, str]]:
    first, last = (places.get(str(cell.get(name))) for name in ("namest", "nameend"))
    if first is not None and last is not None and last > first:
        yield "colspan", str(last - first + 1)
    more = cell.get("morerows") or ""
    if more.isdecimal() and len(more) < 5:
        yield "rowspan", str(int(more) + 1)
    yield from ((name, str(cell.get(name))) for name in ("colspan", "rowspan") if cell.get(name))


def _rows(element: etree._Element) -> Iterator[tuple[etree._Element, str]]:
    """The rows with the part of the table that they stand in."""
    waiting = [(element, "tbody")]
    while waiting:
        parent, group = waiting.pop(0)
        for child in parent:
            name = _name(child)
            if name in _ROWS:
                yield child, "thead" if name == "sthead" else group
            elif name in _GROUPS:
                waiting.append((child, "thead" if name == "thead" else group))


def _cells(row: etree._Element) -> list[etree._Element]:
    return [cell for cell in row if _name(cell) in _CELLS]


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
