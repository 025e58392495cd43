"""The numbers that a browser writes before the items of an HTML list and that are nowhere in its text."""

from lxml import etree

from knowledge.readers.list_numbers import list_number

BULLET = "- "
_FORMS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_STYLES = {
    "lower-alpha": "lowerLetter",
    "lower-latin": "lowerLetter",
    "upper-alpha": "upperLetter",
    "upper-latin": "upperLetter",
    "lower-roman": "lowerRoman",
    "upper-roman": "upperRoman",
    "cjk-ideographic": "chineseCounting",
    "simp-chinese-informal": "chineseCounting",
    "trad-chinese-informal": "chineseCounting",
    "decimal-leading-zero": "decimalZero",
}


class ListCounter:
    """Counts the items of one list."""

    def __init__(self, element: etree._Element) -> None:
        style = _list_style(element)
        self._numbered = element.tag == "ol" and style != "none"
        self._form = _STYLES.get(style) or _FORMS.get(element.get("type") or "", "decimal")
        self._step = -1 if element.get("reversed") is not None else 1
        first = len(element.findall("li")) if self._step < 0 else 1
        self._next = _whole(element.get("start"), first)

    def marker(self, item: etree._Element) -> str:
        """What stands before the next item."""
        if not self._numbered:
            return BULLET
        number = _whole(item.get("value"), self._next)
        self._next = number + self._step
        return f"{list_number(number, self._form)}. "


def _list_style(element: etree._Element) -> str:
    """The value of list-style or list-style-type that the element itself gives."""
    for rule in (element.get("style") or "").lower().split(";"):
        name, _, value = rule.partition(":")
        if name.strip() in ("list-style", "list-style-type"):
            return value.strip().partition(" ")[0]
    return ""


def _whole(text: str | None, otherwise: int) -> int:
    text = (text or "").strip()
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 7 else otherwise
