"""Formulas of Word and PowerPoint (Office MathML) → LaTeX, so that a fraction stays one."""

import re
from collections.abc import Callable, Iterator

from lxml import etree

_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MATH = (f"{_M}oMath", f"{_M}oMathPara")
_SPECIAL = re.compile(r"([{}%#&_$])")
_LARGE = {
    "∑": r"\sum",
    "∏": r"\prod",
    "∫": r"\int",
    "∬": r"\iint",
    "∮": r"\oint",
    "⋃": r"\bigcup",
    "⋂": r"\bigcap",
}
_ACCENTS = {
    **{"̂": r"\hat", "̃": r"\tilde", "̅": r"\bar", "⃗": r"\vec", "̇": r"\dot", "̈": r"\ddot", "̌": r"\check"},
    **{"¯": r"\bar", "→": r"\vec", "^": r"\hat", "~": r"\tilde"},
}
_FUNCTIONS = frozenset(
    (
        *("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan"),
        *("log", "ln", "exp", "lim", "max", "min", "sup", "inf", "det", "gcd"),
    )
)
_NEXT_ROW = r" \\ "


def latex(formula: etree._Element) -> str:
    """The formula as LaTeX between dollar signs; empty when nothing is written in it."""
    inside = " ".join(filter(None, (_inside(part).strip() for part in _formulas(formula))))
    return f"${inside}$" if inside else ""


def _formulas(element: etree._Element) -> Iterator[etree._Element]:
    return element.iter(f"{_M}oMath") if element.tag == MATH[1] else iter((element,))


def _inside(element: etree._Element | None) -> str:
    if element is None:
        return ""
    return "".join(_part(child) for child in element)


def _part(element: etree._Element) -> str:
    if not isinstance(element.tag, str):
        return ""
    if not element.tag.startswith(_M):
        return _inside(element) if element.find(f".//{_M}t") is not None else ""
    name = element.tag.removeprefix(_M)
    if name == "t":
        return _SPECIAL.sub(r"\\\1", element.text or "")
    if name.endswith("Pr"):
        return ""
    return _PARTS.get(name, _inside)(element)


def _child(element: etree._Element, name: str) -> str:
    return _inside(element.find(f"{_M}{name}")).strip()


def _property(element: etree._Element, name: str, otherwise: str = "") -> str:
    found = next((part for part in element if str(part.tag).endswith("Pr")), None)
    value = None if found is None else found.find(f"{_M}{name}")
    return otherwise if value is None else value.get(f"{_M}val") or ""


def _fraction(element: etree._Element) -> str:
    above, below = _child(element, "num"), _child(element, "den")
    kind = _property(element, "type")
    if kind == "lin":
        return f"({above})/({below})"
    return rf"\binom{{{above}}}{{{below}}}" if kind == "noBar" else rf"\frac{{{above}}}{{{below}}}"


def _root(element: etree._Element) -> str:
    degree = _child(element, "deg")
    return rf"\sqrt[{degree}]{{{_child(element, 'e')}}}" if degree else rf"\sqrt{{{_child(element, 'e')}}}"


def _scripts(*names: str) -> Callable[[etree._Element], str]:
    """A base with what stands below and above it."""

    def write(element: etree._Element) -> str:
        marks = {"sub": "_", "sup": "^", "lim": "_"}
        base = _child(element, "e")
        return base + "".join(f"{marks[name]}{{{_child(element, name)}}}" for name in names)

    return write


def _prescripts(element: etree._Element) -> str:
    return f"{{}}_{{{_child(element, 'sub')}}}^{{{_child(element, 'sup')}}}{_child(element, 'e')}"


def _large(element: etree._Element) -> str:
    sign = _property(element, "chr", "∫")
    below, above = _child(element, "sub"), _child(element, "sup")
    limits = (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")
    return f"{_LARGE.get(sign, sign)}{limits} {_child(element, 'e')}"


def _delimited(element: etree._Element) -> str:
    first, last = _property(element, "begChr", "("), _property(element, "endChr", ")")
    between = _property(element, "sepChr", "|")
    inside = between.join(_inside(part).strip() for part in element.findall(f"{_M}e"))
    shown = [f"\\{sign}" if sign in ("{", "}") else sign or "." for sign in (first, last)]
    return rf"\left{shown[0]}{inside}\right{shown[1]}"


def _function(element: etree._Element) -> str:
    name = _child(element, "fName")
    known = name.partition("_")[0].partition("^")[0]
    return ("\\" if known in _FUNCTIONS else "") + f"{name} {_child(element, 'e')}"


def _accented(element: etree._Element) -> str:
    accent = _ACCENTS.get(_property(element, "chr", "^"), r"\hat")
    return f"{accent}{{{_child(element, 'e')}}}"


def _bar(element: etree._Element) -> str:
    name = r"\underline" if _property(element, "pos") == "bot" else r"\overline"
    return f"{name}{{{_child(element, 'e')}}}"


def _limit(mark: str) -> Callable[[etree._Element], str]:
    return lambda element: f"{_child(element, 'e')}{mark}{{{_child(element, 'lim')}}}"


def _matrix(element: etree._Element) -> str:
    rows = (
        " & ".join(_inside(cell).strip() for cell in row.findall(f"{_M}e"))
        for row in element.findall(f"{_M}mr")
    )
    return rf"\begin{{matrix}}{_NEXT_ROW.join(rows)}\end{{matrix}}"


def _equations(element: etree._Element) -> str:
    rows = (_inside(row).strip() for row in element.findall(f"{_M}e"))
    return rf"\begin{{aligned}}{_NEXT_ROW.join(rows)}\end{{aligned}}"


_PARTS: dict[str, Callable[[etree._Element], str]] = {
    "f": _fraction,
    "rad": _root,
    "sSup": _scripts("sup"),
    "sSub": _scripts("sub"),
    "sSubSup": _scripts("sub", "sup"),
    "sPre": _prescripts,
    "nary": _large,
    "d": _delimited,
    "func": _function,
    "acc": _accented,
    "bar": _bar,
    "limLow": _limit("_"),
    "limUpp": _limit("^"),
    "m": _matrix,
    "eqArr": _equations,
}
