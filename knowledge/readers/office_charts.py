"""Charts and diagrams of Office files → their titles, and the values that they draw as tables."""

from collections.abc import Iterator

from lxml import etree
from openpyxl.styles.numbers import is_date_format
from openpyxl.utils.datetime import from_excel

from knowledge.readers.blocks import Block, one_line
from knowledge.readers.number_formats import date_text, number_text
from knowledge.readers.tables import table_block

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_DGM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_MOST_POINTS = 100_000  # of one series


def drawn_parts(element: etree._Element) -> Iterator[str]:
    """The relations that a drawing names: of a chart, and of the data of a diagram."""
    for part in element.iter():
        if isinstance(part.tag, str) and part.tag.endswith("}chart") and part.get(f"{_R}id"):
            yield part.get(f"{_R}id") or ""
        elif part.tag == f"{_DGM}relIds":
            yield part.get(f"{_R}dm") or ""


def chart_blocks(chart: etree._Element, page: int | None = None) -> Iterator[Block]:
    """A chart as its title and a table of its series: a row for each category, or for each point of a cloud."""
    namespace = chart.nsmap.get("c") or "http://schemas.openxmlformats.org/drawingml/2006/chart"
    c = f"{{{namespace}}}"
    title = chart.find(f".//{c}title")
    if title is not None and (text := one_line("".join(part.text or "" for part in title.iter(f"{_A}t")))):
        yield Block("text", text, page)
    columns: list[list[str]] = []
    for number, series in enumerate(chart.iter(f"{c}ser"), start=1):
        name = " ".join(filter(None, _points(series.find(f"{c}tx"), c))) or f"series {number}"
        categories = _points(series.find(f"{c}cat"), c)
        across = _points(series.find(f"{c}xVal"), c)
        if categories and not columns:
            columns.append(["category", *categories])
        if across and ["x", *across] not in columns:
            columns.append(["x", *across])
        columns.append([name, *(_points(series.find(f"{c}val"), c) or _points(series.find(f"{c}yVal"), c))])
        if sizes := _points(series.find(f"{c}bubbleSize"), c):
            columns.append([f"{name}, size", *sizes])
    height = max(map(len, columns), default=0)
    rows = [[column[at] if at < len(column) else "" for column in columns] for at in range(height)]
    if block := table_block(rows, page, header=1):
        yield block


def _points(part: etree._Element | None, c: str) -> list[str]:
    """The texts of a series, each at its place: one that has no value is not written in the file."""
    if part is None:
        return []
    levels = [_level(level, c) for level in part.iter(f"{c}lvl")]
    if levels:  # the innermost categories come first; an outer one stands once for all that follow
        width = max(map(len, levels))
        outer = [_filled(level, width) for level in levels[1:]]
        inner = levels[0] + [""] * (width - len(levels[0]))
        return [" / ".join(filter(None, names)) for names in zip(*reversed([inner, *outer]), strict=True)]
    return _level(part, c) or [value.text or "" for value in part.iter(f"{c}v")]


def _level(part: etree._Element, c: str) -> list[str]:
    code = part.findtext(f".//{c}formatCode") or "General"
    found: dict[int, str] = {}
    for point in part.iter(f"{c}pt"):
        place = point.get("idx") or ""
        if place.isdecimal() and int(place[:7]) < _MOST_POINTS:
            found[int(place)] = _shown(point.findtext(f"{c}v") or "", point.get("formatCode") or code)
    return [found.get(at, "") for at in range(max(found, default=-1) + 1)]


def _filled(level: list[str], width: int) -> list[str]:
    names: list[str] = []
    for at in range(width):
        own = level[at] if at < len(level) else ""
        names.append(own or (names[-1] if names else ""))
    return names


def _shown(value: str, code: str) -> str:
    """A number or a date as the chart labels it."""
    try:
        number = float(value)
        moment = from_excel(number) if is_date_format(code) else None
    except (ValueError, OverflowError):
        return one_line(value)
    return number_text(number, code) if moment is None else date_text(moment, code)


def diagram_blocks(data: etree._Element, page: int | None = None) -> Iterator[Block]:
    """The words of a diagram ("SmartArt"), a line for each of its shapes."""
    lines = ("".join(part.text or "" for part in point.iter(f"{_A}t")) for point in data.iter(f"{_DGM}pt"))
    if text := "\n".join(filter(None, map(one_line, lines))):
        yield Block("text", text, page)
