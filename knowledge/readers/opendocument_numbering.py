"""The numbers that OpenDocument programs write before items and headings and do not store with them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from knowledge.readers.list_numbers import list_number
from knowledge.readers.opendocument_text import NAMES, name_of

BULLET = "-"
OUTLINE = "outline"  # the style of headings
_LEVEL_TAGS = ("text:list-level-style-number", "text:list-level-style-bullet", "text:outline-level-style")
_FORMS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_FIRST = {
    "一": "chineseCounting",
    "壹": "chineseLegalSimplified",
    "①": "decimalEnclosedCircle",
    "甲": "ideographTraditional",
}


@dataclass(frozen=True)
class Level:
    """How one level of a list is numbered; bullets have no form."""

    form: str
    before: str
    after: str
    shown: int  # levels whose numbers it shows
    start: int

    @classmethod
    def of(cls, element: etree._Element) -> "Level":
        """From its style."""
        code = element.get(name_of("style:num-format")) or ""
        return cls(
            form=_FORMS.get(code) or _FIRST.get(code[:1], "decimal" if code else ""),
            before=element.get(name_of("style:num-prefix")) or "",
            after=element.get(name_of("style:num-suffix")) or "",
            shown=_whole(element.get(name_of("text:display-levels")), 1),
            start=_whole(element.get(name_of("text:start-value")), 1),
        )


ListStyle = Mapping[int, Level]  # by level, from 1


def list_styles(parts: Iterable[etree._Element]) -> dict[str, ListStyle]:
    """The list styles of content.xml and styles.xml by name, and that of the headings."""
    found: dict[str, ListStyle] = {}
    for part in parts:
        for style in part.iter(name_of("text:list-style"), name_of("text:outline-style")):
            is_list = style.tag == name_of("text:list-style")
            key = style.get(name_of("style:name")) or "" if is_list else OUTLINE
            levels = (level for tag in _LEVEL_TAGS for level in style.iterfind(tag, NAMES))
            found[key] = {_whole(level.get(name_of("text:level")), 1): Level.of(level) for level in levels}
    return found


class Counter:
    """Counts the items of one list on all of its levels."""

    def __init__(self, style: ListStyle) -> None:
        self.style = style
        self._numbers: dict[int, int] = {}

    def label(self, level: int, start: str | None = None) -> str:
        """What stands before the next item of this level, from 1; a bullet where it has no number."""
        kind = self.style.get(level)
        if kind is None or not kind.form:
            return BULLET
        first = _whole(start, self._numbers.get(level, kind.start - 1) + 1)
        self._numbers = {above: number for above, number in self._numbers.items() if above < level}
        self._numbers[level] = first
        shown = range(max(level - kind.shown + 1, 1), level + 1)
        numbers = (self._written(one) for one in shown)
        return f"{kind.before}{'.'.join(filter(None, numbers))}{kind.after}".strip()

    def _written(self, level: int) -> str:
        kind = self.style.get(level)
        return list_number(self._numbers.get(level, kind.start), kind.form) if kind and kind.form else ""


def _whole(text: str | None, otherwise: int) -> int:
    text = (text or "").strip()
    return int(text) if text.isdecimal() and len(text) < 7 else otherwise
