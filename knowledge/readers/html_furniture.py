"""Which elements of a page are its furniture (menus, banners, hidden parts) and which only look like it."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

SKIPPED_TAGS = frozenset(
    (
        *("script", "style", "noscript", "template", "head", "nav", "footer", "select", "option", "datalist"),
        *("iframe", "object", "embed", "svg", "canvas", "audio", "video", "map", "input", "textarea"),
    )
)
_FURNITURE_ROLES = ("navigation", "banner", "search", "contentinfo", "menu", "menubar", "toolbar")
_BETWEEN = r"(?:^|[\s_-]){}(?:$|[\s_-])"
_ALWAYS = re.compile(
    _BETWEEN.format(
        r"(?:nav|navbar|navigation|breadcrumbs?|cookies?|consent|advert|advertisement|ads|popup|newsletter|skip-link"
        r"|toc-toggle|editsection|mw-jump-link|noprint)"
    ),
    re.IGNORECASE,
)
# A restaurant has a menu, an illness related illnesses: these names count only for lists of links.
_WHERE_LINKS = re.compile(
    _BETWEEN.format(r"(?:menu|sidebar|share|sharing|social|banner|related)"), re.IGNORECASE
)
_LINE_NUMBERS = re.compile(
    r"(?:^|[\s_-])(?:gutter|linenos?|line-?numbers?|lnt?|lnum|ln-num(?:bers)?|blob-num|rouge-gutter)(?:$|[\s_-])",
    re.IGNORECASE,
)
_TARGETS = ("aria-controls", "data-target", "data-bs-target", "commandfor", "popovertarget")
_TOLD_BY_TAG = ("button", "label", "dialog", "aside")
_FOLDS = ("collapse", "accordion", "tab", "pill", "toggle")


@dataclass(frozen=True)
class Furniture:
    """What one page folds up and opens again, so that hidden text can be told from text that is only folded."""

    opened: Mapping[str, etree._Element]  # by its id: what a button or a tab opens
    labelled: frozenset[str]  # ids of controls to type into or to choose from
    links: Collection[etree._Element]  # what consists of links, of all that might be a menu
    tabs: Mapping[etree._Element, etree._Element]  # what a tab opens → the tab, which stands apart from it

    @classmethod
    def of(cls, root: etree._Element) -> "Furniture":
        """What the buttons and controls of a page say."""
        opened: set[str] = set()
        tabs: dict[str, etree._Element] = {}
        labelled: set[str] = set()
        for element in root.iter(
            "button", "a", "div", "span", "summary", "li", "h2", "h3", "h4", "input", "select"
        ):
            if element.tag in ("input", "select") and element.get("type") not in ("checkbox", "radio"):
                labelled.add(element.get("id") or "")
            targets = set(_opens(element))
            opened.update(targets)
            if element.get("role") == "tab":
                tabs.update(dict.fromkeys(targets, element))
        parts = {part.get("id"): part for part in root.iter() if part.get("id") in opened}
        panels = {part: tabs[name] for name, part in parts.items() if name in tabs}
        links = set(_lists_of_links(root, set(parts.values())))
        return cls(parts, frozenset(labelled) - {""}, links, panels)

    def leaves_out(self, element: etree._Element) -> bool:
        """Whether an element is no content of its page."""
        if not element.attrib and element.tag not in _TOLD_BY_TAG:
            return False
        if element.get("role") == "tab" and element in self.tabs.values():
            return True
        if element.tag == "button":
            return not self.opens(element)
        if element.tag == "label":
            return self._is_label_of_a_control(element)
        if element.tag == "dialog" and element.get("open") is None:
            return True
        if element.get("role") in _FURNITURE_ROLES:
            return True
        if self._is_hidden(element):
            return True
        if element.tag in ("body", "article", "main"):
            return False
        return bool(_ALWAYS.search(_called(element))) or (_may_be_links(element) and element in self.links)

    def tab_of(self, element: etree._Element) -> etree._Element | None:
        """The tab that opens this part of the page and names it; several may stand in a row above all parts."""
        return self.tabs.get(element)

    def opens(self, element: etree._Element) -> bool:
        """Whether a button has text that belongs to the page: it folds a part of it, or is in a heading."""
        parts = [self.opened[target] for target in _opens(element) if target in self.opened]
        if parts:
            return not any(part.tag == "nav" or part in self.links for part in parts)
        parent = element.getparent()
        if parent is not None and parent.tag in ("h1", "h2", "h3", "h4", "h5", "h6", "dt", "summary"):
            return True
        following = element.getnext()
        return following is not None and _says_hidden(following)

    def _is_hidden(self, element: etree._Element) -> bool:
        return _says_hidden(element) and (not self._is_folded(element) or element in self.links)

    def _is_folded(self, element: etree._Element) -> bool:
        """Whether a reader opens it by a click: its opener names it, or stands right before it."""
        if element.get("hidden") == "until-found" or element.get("id") in self.opened:
            return True
        before = element.getprevious()
        if before is None:
            return False
        openers = [before, *before.iter("button")]
        return any(opener.tag == "button" or _reacts(opener) for opener in openers)

    def _is_label_of_a_control(self, element: etree._Element) -> bool:
        inside = list(element.iter("input", "select", "textarea"))
        if any(part.get("type") in ("checkbox", "radio") for part in inside):
            return False
        return bool(inside) or element.get("for") in self.labelled


def is_invisible(element: etree._Element) -> bool:
    """Whether a part of a paragraph or cell is not shown, such as a key to sort by."""
    return not isinstance(element.tag, str) or element.tag in SKIPPED_TAGS or _says_display_none(element)


def is_line_number(element: etree._Element) -> bool:
    """Whether it counts the lines of code beside it."""
    if not isinstance(element.tag, str):
        return False
    return element.get("data-line-number") is not None or bool(
        _LINE_NUMBERS.search(element.get("class") or "")
    )


def text_length(element: etree._Element) -> int:
    """Characters inside that are text, scripts left out."""
    return sum(
        len(text.strip())
        for part in element.iter()
        if isinstance(part.tag, str) and part.tag not in SKIPPED_TAGS
        for text in (part.text or "", part.tail or "" if part is not element else "")
    )


def _opens(element: etree._Element) -> Iterator[str]:
    for name in _TARGETS:
        for target in (element.get(name) or "").split():
            yield target.removeprefix("#")
    toggles = element.get("data-toggle") or element.get("data-bs-toggle") or element.get("role") or ""
    href = element.get("href") or ""
    if href.startswith("#") and any(fold in toggles for fold in (*_FOLDS, "button")):
        yield href[1:]


def _reacts(element: etree._Element) -> bool:
    """Whether a click on it does something, though it is no button."""
    names = ("aria-expanded", "onclick")
    return element.get("role") == "button" or any(element.get(name) is not None for name in names)


def _says_hidden(element: etree._Element) -> bool:
    hidden = element.get("hidden") is not None or element.get("aria-hidden") == "true"
    return hidden or _says_display_none(element)


def _says_display_none(element: etree._Element) -> bool:
    style = "".join((element.get("style") or "").lower().split())
    return "display:none" in style or "visibility:hidden" in style


def _called(element: etree._Element) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}"


def _may_be_links(element: etree._Element) -> bool:
    return element.tag == "aside" or bool(_WHERE_LINKS.search(_called(element)))


def _lists_of_links(root: etree._Element, opened: Collection[etree._Element]) -> Iterator[etree._Element]:
    """Elements of which at least half the text is links; one pass, however they are nested."""
    totals = [[0, 0]]  # characters, and those of them in links, of each element that is open
    inside = 0  # links that are open
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            inside += element.tag in ("a", "button")
            totals.append([0, 0])
            if element.tag not in SKIPPED_TAGS:
                _add(totals[-1], element.text, inside)
            continue
        inside -= element.tag in ("a", "button")
        whole, links = totals.pop()
        totals[-1][0] += whole
        totals[-1][1] += links
        _add(totals[-1], element.tail, inside)
        if links * 2 < whole or not (element.attrib or element.tag == "aside"):
            continue
        if _may_be_links(element) or _says_hidden(element) or element in opened:
            yield element


def _add(total: list[int], text: str | None, inside: int) -> None:
    length = len((text or "").strip())
    total[0] += length
    total[1] += length if inside else 0
