"""The numbers that Word writes before paragraphs and does not store with them: "第2条", "1.2.3", "(b)"."""

import re
from dataclasses import dataclass, field

from lxml import etree

from knowledge.readers.list_numbers import list_number
from knowledge.readers.zip_container import Archive

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PLACE = re.compile(r"%([1-9])")
_OFF = ("0", "false", "off")
BULLET = "-"
LEVELS = 9


@dataclass(frozen=True)
class ListLabel:
    """What stands before a paragraph of a list, and how deep the list is there."""

    text: str
    depth: int


@dataclass(frozen=True)
class _Level:
    form: str = "decimal"
    text: str = ""
    start: int = 1
    restarts: bool = True
    legal: bool = False  # all numbers of it in digits
    style: str = ""


@dataclass
class _List:
    levels: dict[int, _Level]
    counters: dict[int, int] = field(default_factory=dict)

    def step(self, depth: int) -> None:
        for above in range(depth):
            self.counters.setdefault(above, self._level(above).start)
        start = self._level(depth).start
        self.counters[depth] = self.counters[depth] + 1 if depth in self.counters else start
        for below in [level for level in self.counters if level > depth and self._level(level).restarts]:
            del self.counters[below]

    def label(self, depth: int) -> str:
        level = self._level(depth)
        if level.form == "bullet":
            return BULLET

        def number(match: re.Match[str]) -> str:
            place = int(match[1]) - 1
            form = "decimal" if level.legal else self._level(place).form
            return list_number(self.counters.get(place, self._level(place).start), form)

        return _PLACE.sub(number, level.text).strip()

    def _level(self, depth: int) -> _Level:
        return self.levels.get(depth, _Level())


class Numbering:
    """Counts the lists of one document; paragraphs must be asked about in their order."""

    def __init__(self, archive: Archive) -> None:
        self.lists: dict[str, _List] = {}  # number id → list; ids of one definition count on
        self.overrides: dict[str, dict[int, int]] = {}  # number id → level → where it starts anew
        self.styles: dict[str, tuple[str, int]] = {}
        if "word/numbering.xml" in archive.names:
            self._read(archive.xml("word/numbering.xml"))
        if self.lists and "word/styles.xml" in archive.names:
            self._read_styles(archive.xml("word/styles.xml"))

    def label(self, paragraph: etree._Element) -> ListLabel | None:
        """What the paragraph is numbered with, counted; None when it is in no list."""
        number, depth = self._place(paragraph.find(f"{_W}pPr"))
        if number not in self.lists:
            return None if number in ("", "0") else ListLabel(BULLET, depth)
        chosen = self.lists[number]
        for level, start in self.overrides.pop(number, {}).items():
            chosen.counters.pop(level, None)
            chosen.levels[level] = _with_start(chosen.levels.get(level, _Level()), start)
        chosen.step(depth)
        return ListLabel(chosen.label(depth), depth)

    def _place(self, properties: etree._Element | None) -> tuple[str, int]:
        if properties is None:
            return "", 0
        number, depth = self.styles.get(_value(properties, "pStyle"), ("", 0))
        own = properties.find(f"{_W}numPr")
        if own is not None:
            number = _value(own, "numId") or number
            depth = _number(_value(own, "ilvl"), depth)
        return number, min(depth, LEVELS - 1)

    def _read(self, root: etree._Element) -> None:
        definitions, linked = {}, {}
        for abstract in root.iter(f"{_W}abstractNum"):
            identity = abstract.get(f"{_W}abstractNumId") or ""
            definitions[identity] = _List(
                {_depth(level): _level(level) for level in abstract.iter(f"{_W}lvl")}
            )
            if style := _value(abstract, "styleLink"):
                linked[style] = identity
        for abstract in root.iter(f"{_W}abstractNum"):
            if original := linked.get(_value(abstract, "numStyleLink")):
                definitions[abstract.get(f"{_W}abstractNumId") or ""] = definitions[original]
        for number in root.iter(f"{_W}num"):
            identity = number.get(f"{_W}numId") or ""
            if definition := definitions.get(_value(number, "abstractNumId")):
                self.lists[identity] = definition
                self._read_overrides(identity, number)

    def _read_overrides(self, identity: str, number: etree._Element) -> None:
        for override in number.iter(f"{_W}lvlOverride"):
            if start := _value(override, "startOverride"):
                self.overrides.setdefault(identity, {})[_depth(override)] = _number(start, 1)
            if (level := override.find(f"{_W}lvl")) is not None:
                own = _List(dict(self.lists[identity].levels), self.lists[identity].counters)
                own.levels[_depth(override)] = _level(level)
                self.lists[identity] = own

    def _read_styles(self, root: etree._Element) -> None:
        parents: dict[str, str] = {}
        for style in root.iter(f"{_W}style"):
            identity = style.get(f"{_W}styleId") or ""
            parents[identity] = _value(style, "basedOn")
            own = style.find(f"{_W}pPr/{_W}numPr")
            if own is not None and (number := _value(own, "numId")) in self.lists:
                levels = self.lists[number].levels.items()
                stated = next((depth for depth, level in levels if level.style == identity), 0)
                self.styles[identity] = (number, _number(_value(own, "ilvl"), stated))
            elif own is not None and _value(own, "numId") == "0":
                self.styles[identity] = ("0", 0)
        for identity in parents:
            above = identity
            for _ in range(10):
                if above in self.styles:
                    self.styles[identity] = self.styles[above]
                    break
                above = parents.get(above, "")


def _level(element: etree._Element) -> _Level:
    legal = element.find(f"{_W}isLgl")
    return _Level(
        form=_value(element, "numFmt") or "decimal",
        text=_value(element, "lvlText"),
        start=_number(_value(element, "start"), 0),
        restarts=_value(element, "lvlRestart") != "0",
        legal=legal is not None and legal.get(f"{_W}val") not in _OFF,
        style=_value(element, "pStyle"),
    )


def _with_start(level: _Level, start: int) -> _Level:
    return _Level(level.form, level.text, start, level.restarts, level.legal, level.style)


def _depth(element: etree._Element) -> int:
    return _number(element.get(f"{_W}ilvl") or "", 0)


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else otherwise


def _value(element: etree._Element, name: str) -> str:
    child = element.find(f"{_W}{name}")
    return "" if child is None else child.get(f"{_W}val") or ""
