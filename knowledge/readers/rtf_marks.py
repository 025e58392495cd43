"""RTF source with marks where its structure is: ends of paragraphs, cells and rows, merged cells, notes, text boxes.

The library that makes text of RTF knows no merged cells and no tables in cells. Marks go through it as text does.
"""

import re
from collections.abc import Iterator

BEGIN, END = "\ufdd0", "\ufdd1"  # around a mark; Unicode keeps these two out of all text
_TOKEN = re.compile(
    r"\\\*\\(?P<starred>nesttableprops|shpinst|annotation)(?![a-z])[ ]?"
    r"|\\(?P<word>[a-z]{1,32})(?P<number>-?\d{1,10})?[ ]?|\\[^a-z]|(?P<brace>[{}])"
)
_MARK = re.compile(rf"{BEGIN}([a-z]+)(-?\d*){END}")
_BINARY = re.compile(rb"\\bin(\d{1,9})[ ]?")
_CELLS = frozenset(("trowd", "cellx", "clmgf", "clmrg", "clvmgf", "clvmrg", "trhdr"))
_ENDS = {"par": 0, "sect": 0, "cell": 1, "row": 1, "nestcell": 2, "nestrow": 2}  # and the least level of each
_ASIDES = {"footnote": "note", "annotation": "comment", "shptxt": "box"}
_LABELS = frozenset(("pntext", "listtext"))
_PLAIN = frozenset(("shp", "shpinst"))  # groups that only hold others


def without_binary(data: bytes) -> bytes:
    """The file without the bytes of pictures that stand in it as they are, braces among them."""
    parts, at = [], 0
    for match in _BINARY.finditer(data):
        if match.start() >= at:
            parts.append(data[at : match.start()])
            at = match.end() + int(match[1])
    return b"".join([*parts, data[at:]])


def marked(source: str) -> str:
    """The source with a mark for each word of structure."""
    return _TOKEN.sub(_Marker().replace, source)


def marks_and_text(text: str) -> Iterator[tuple[str, int, str]]:
    """For each mark its name, its number and the text in front of it; at the end, with the name "", what is left."""
    at = 0
    for match in _MARK.finditer(text):
        yield match[1], int(match[2] or 0), text[at : match.start()]
        at = match.end()
    yield "", 0, text[at:]


def _mark(name: str, number: int | str = "") -> str:
    return f"{{{BEGIN}{name}{number}{END}}}"  # in a group: no character in front of it takes it for its substitute


class _Marker:
    """Follows the groups: in how many tables a paragraph stands, and where notes and boxes end."""

    def __init__(self) -> None:
        self.levels = [0]  # of each open group
        self.closing: dict[int, str] = {}  # depth of a group → the mark at its end
        self.in_row = False  # some programs do not say of each paragraph that it stands in the table
        self.nested: list[int] = []  # depths of groups with the properties of a row within a cell

    def replace(self, match: re.Match[str]) -> str:
        if brace := match["brace"]:
            return self._group(brace)
        word = match["starred"] or match["word"]
        return self._word(word, match["number"] or "", match[0]) if word else match[0]

    def _group(self, brace: str) -> str:
        if brace == "{":
            self.levels.append(self.levels[-1])
            return brace
        mark = self.closing.pop(len(self.levels), "")
        if self.nested and self.nested[-1] == len(self.levels):
            self.nested.pop()
        if len(self.levels) > 1:
            self.levels.pop()
        return f"{_mark(mark)}}}" if mark else brace

    def _word(self, word: str, number: str, source: str) -> str:
        if word == "pard":
            self.levels[-1] = 0
        elif word == "intbl" and number != "0":
            self.levels[-1] = max(self.levels[-1], 1)
        elif word == "itap":
            self.levels[-1] = min(max(int(number or 0), 0), 20)
        elif word == "nesttableprops":
            self.nested.append(len(self.levels))
            return ""
        elif word in _CELLS:
            self.in_row = self.in_row or (word == "trowd" and not self.nested)
            return _mark(word, number)
        elif word in _ENDS:
            return self._end(word)
        elif word in _ASIDES or word in _LABELS:
            kind = _ASIDES.get(word, "label")
            self.levels[-1] = 0 if kind != "label" else self.levels[-1]
            self.closing[len(self.levels)] = f"end{kind}"
            return _mark(kind)
        elif word in _PLAIN:
            return ""
        return source

    def _end(self, word: str) -> str:
        least = _ENDS[word]
        level = max(self.levels[-1], least, int(self.in_row)) if least != 1 else 1
        if word == "row":
            self.in_row = False
        kind = "par" if word == "sect" else word.removeprefix("nest")
        return _mark(kind, level)
