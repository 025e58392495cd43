"""Controls of a page → what a person ticked, chose or typed there, as text in their place."""

from collections.abc import Collection, Iterator

from lxml import etree

from knowledge.readers.blocks import one_line

TICKED, NOT_TICKED = "[x]", "[ ]"
_TICKS = ("checkbox", "radio")
_TYPED = ("text", "email", "tel", "number", "url", "date", "time", "month", "week", "datetime-local")
_ANSWERS = (
    "label",
    "li",
    "td",
    "th",
    "dd",
    "p",
    "fieldset",
    "form",
)  # a box elsewhere folds a part of the page
_PARTS = ("div", "ul", "ol", "section", "nav")
_GROUPS = ("form", "fieldset", "table", "dl")
_SEARCHES = ("q", "s", "query", "search", "keyword", "keywords")


def write_controls(root: etree._Element) -> None:
    """Put a text in the place of every control that a person filled in, and of every box to tick."""
    labelled = {label.get("for") for label in root.iter("label")} - {None}
    boxes = [box for box in root.iter("input") if _type(box) in _TICKS and _is_an_answer(box)]
    typed = [one for one in root.iter("input", "textarea") if _is_typed(one) and _has_label(one, labelled)]
    filled = {part for control in (*boxes, *typed) for part in control.iterancestors(*_GROUPS)}
    chosen = [one for one in root.iter("select") if _has_label(one, labelled) and _is_in(one, filled)]
    for box in boxes:
        _replace(box, TICKED if box.get("checked") is not None else NOT_TICKED)
    for control in (*typed, *chosen):
        _replace(control, value_of(control))


def value_of(control: etree._Element) -> str:
    """What stands in a text field, or the options that were chosen of a list."""
    if control.tag == "input":
        return one_line(control.get("value") or "")
    if control.tag == "textarea":
        return one_line(control.text or "")
    return ", ".join(filter(None, (one_line("".join(option.itertext())) for option in _chosen(control))))


def _chosen(control: etree._Element) -> Iterator[etree._Element]:
    return (option for option in control.iter("option") if option.get("selected") is not None)


def _is_an_answer(box: etree._Element) -> bool:
    """Whether a box is ticked as an answer, and not to fold or unfold what stands behind its label."""
    label = box.getnext()
    behind = label.getnext() if label is not None and label.tag == "label" else None
    folds = behind is not None and behind.tag in _PARTS
    return not folds and not _is_hidden(box) and next(box.iterancestors(*_ANSWERS), None) is not None


def _is_typed(control: etree._Element) -> bool:
    if (control.get("name") or "").lower() in _SEARCHES or _is_hidden(control):
        return False
    return bool(value_of(control)) and (control.tag == "textarea" or _type(control) in _TYPED)


def _has_label(control: etree._Element, labelled: Collection[str | None]) -> bool:
    beside = next(control.iterancestors("label", "td", "dd"), None)
    return beside is not None or control.get("id") in labelled


def _is_in(control: etree._Element, filled: Collection[etree._Element]) -> bool:
    """Whether more was filled in beside it: a choice alone narrows what a page lists."""
    return any(part in filled for part in control.iterancestors(*_GROUPS))


def _type(control: etree._Element) -> str:
    return (control.get("type") or "text").lower() if control.tag == "input" else ""


def _is_hidden(control: etree._Element) -> bool:
    style = (control.get("style") or "").replace(" ", "").lower()
    return control.get("hidden") is not None or "display:none" in style


def _replace(control: etree._Element, text: str) -> None:
    parent = control.getparent()
    if parent is None or not text:
        return
    words = etree.Element("span", {name: value for name, value in control.attrib.items() if name != "class"})
    words.text, words.tail = f" {text} ", control.tail
    parent.replace(control, words)
