"""What a workbook's XML says beside the values of its cells: merged ranges, missing results, texts in drawings."""

import io
import re
import zipfile
from collections.abc import Iterator

from openpyxl.utils import range_boundaries

from knowledge.errors import DocumentError
from knowledge.readers.blocks import one_line
from knowledge.readers.zip_container import Archive, relations

MAX_MERGED = 500_000  # merged cells of one sheet
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_MERGES = re.compile(rb"<(?:\w+:)?mergeCells\b[^>]*>.*?</(?:\w+:)?mergeCells\s*>", re.DOTALL)
_MERGE = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*["']([^"']{2,40})["']""")
# A text that is empty is a result: the cell says that it holds text.
_NO_RESULT = re.compile(
    rb"""<(?:\w+:)?c\b(?![^>]*\bt=["']str)[^>]*>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f\s*>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*(?:/>|></(?:\w+:)?v\s*>)\s*)?</(?:\w+:)?c\s*>"""
)

Area = tuple[int, int, int, int]  # first column, first row, last column, last row; from 1


def sheet_members(archive: Archive) -> dict[str, str]:
    """Sheet name → its member of the archive."""
    targets = relations(archive, "xl/workbook.xml")
    sheets = (part for part in archive.xml("xl/workbook.xml").iter() if str(part.tag).endswith("}sheet"))
    return {sheet.get("name") or "": targets.get(sheet.get(f"{_R}id") or "", ("", ""))[1] for sheet in sheets}


def merged_areas(archive: Archive, members: dict[str, str]) -> dict[str, list[Area]]:
    """Sheet name → what it merges. Raises DocumentError where that is more than a table has."""
    found = {}
    for name, member in members.items():
        areas = [_area(reference) for reference in _MERGE.findall(_read(archive, member))]
        merged = sum((right - left + 1) * (bottom - top + 1) for left, top, right, bottom in areas)
        if merged > MAX_MERGED:
            raise DocumentError(f"it merges {merged:,} cells; undo that and save it again")
        found[name] = [area for area in areas if area[2] - area[0] + area[3] - area[1] > 0]
    return found


def without_merges(data: bytes, archive: Archive, members: dict[str, str]) -> bytes:
    """The workbook with no merged cells: openpyxl makes objects of them, a millisecond for every few."""
    sheets = set(members.values()) & archive.names
    if not any(_MERGE.search(archive.read(name)) for name in sheets):
        return data
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as file:
        for name in archive.names:
            content = archive.read(name)
            file.writestr(name, _MERGES.sub(b"", content) if name in sheets else content)
    return out.getvalue()


def formulas_without_results(archive: Archive, members: dict[str, str]) -> int:
    """How many cells hold a formula that was never computed, as those written by a program."""
    return sum(len(_NO_RESULT.findall(_read(archive, member))) for member in members.values())


def drawn_texts(archive: Archive, member: str) -> Iterator[str]:
    """The texts of the boxes that float above a sheet."""
    for kind, drawing in relations(archive, member).values():
        if kind == "drawing" and drawing in archive.names:
            for box in archive.xml(drawing).iter():
                if str(box.tag).endswith("}txBody"):
                    paragraphs = ("".join(run.itertext()) for run in box.iter(f"{_A}p"))
                    if text := "\n".join(filter(None, map(one_line, paragraphs))):
                        yield text


def _read(archive: Archive, member: str) -> bytes:
    return archive.read(member) if member in archive.names else b""


def _area(reference: bytes) -> Area:
    try:
        left, top, right, bottom = range_boundaries(reference.decode("ascii", "replace"))
    except (ValueError, TypeError):
        return 1, 1, 1, 1
    return int(left or 1), int(top or 1), int(right or 16_384), int(bottom or 1_048_576)
