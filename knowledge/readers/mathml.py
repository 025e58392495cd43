"""Formulas of web pages and books (MathML) → LaTeX, so that a fraction stays one."""

import re
from collections.abc import Callable

from lxml import etree

_SPECIAL = re.compile(r"([{}%#&_$])")
_LARGE = {"∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∮": r"\oint", "⋃": r"\bigcup", "⋂": r"\bigcap"}
_ACCENTS = {
    "^": r"\hat",
    "¯": r"\overline",
    "‾": r"\overline",
    "_": r"\underline",
    "→": r"\vec",
    "~": r"\tilde",
}
_FUNCTIONS = frozenset(
    ("sin", "cos", "tan", "log", "ln", "exp", "lim", "max", "min", "sup", "inf", "det", "gcd")
)
_NEXT_ROW = r" \\ "
_TEX = "application/x-tex"
_SILENT = frozenset(("annotation", "annotation-xml", "mphantom", "maction-alternative"))
_INVISIBLE = str.maketrans("", "", "\u2061\u2062\u2063\u2064")  # applied, times, comma, plus


def latex(formula: etree._Element) -> str:
    """The formula as LaTeX between dollar signs; what its author wrote as TeX is taken as it is. Empty for none."""
    written = next((one.text for one in formula.iter() if one.get("encoding") == _TEX and one.text), None)
    inside = " ".join((written if written is not None else _inside(formula)).split())
    return f"${inside}$" if inside else ""


def is_formula(element: etree._Element) -> bool:
    """Whether the element is a whole formula."""
    return isinstance(element.tag, str) and _name(element) == "math"


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()


def _inside(element: etree._Element) -> str:
    return "".join(_part(child) for child in element)


def _part(element: etree._Element) -> str:
    if not isinstance(element.tag, str) or _name(element) in _SILENT:
        return ""
    name = _name(element)
    if name in ("mi", "mn", "mo", "ms", "mtext"):
        return _token(name, " ".join("".join(map(str, element.itertext())).split()))
    return _PARTS.get(name, _inside)(element)


def _token(name: str, text: str) -> str:
    text = text.translate(_INVISIBLE)
    if name == "mi" and text in _FUNCTIONS:
        return f"\\{text} "
    if text in _LARGE:
        return _LARGE[text]
    text = _SPECIAL.sub(r"\\\1", text)
    return rf"\text{{{text}}}" if name == "mtext" and text else text


def _children(element: etree._Element, count: int) -> list[str]:
    """The parts of an element of so many; missing ones are empty."""
    found = [_part(child).strip() for child in element if isinstance(child.tag, str)]
    return (found + [""] * count)[:count]


def _fraction(element: etree._Element) -> str:
    above, below = _children(element, 2)
    bare = element.get("linethickness", "").startswith("0")
    return rf"\binom{{{above}}}{{{below}}}" if bare else rf"\frac{{{above}}}{{{below}}}"


def _root(element: etree._Element) -> str:
    base, degree = _children(element, 2)
    return rf"\sqrt[{degree}]{{{base}}}"


def _scripts(*marks: str) -> Callable[[etree._Element], str]:
    """A base with what stands below and above it; a sign above a letter is its accent."""

    def write(element: etree._Element) -> str:
        base, *scripts = _children(element, 1 + len(marks))
        accent = _ACCENTS.get(scripts[0]) if _name(element) in ("mover", "munder") else None
        if accent:
            return f"{accent}{{{base}}}"
        base = f"{{{base}}}" if len(base) > 1 and "\\" not in base and not base.isalnum() else base
        return (
            base
            + "".join(f"{mark}{{{text}}}" for mark, text in zip(marks, scripts, strict=True) if text)
            + (" " if base.startswith("\\") else "")
        )

    return write


def _fenced(element: etree._Element) -> str:
    parts = [_part(child).strip() for child in element if isinstance(child.tag, str)]
    return element.get("open", "(") + ", ".join(parts) + element.get("close", ")")


def _table(element: etree._Element) -> str:
    rows = _NEXT_ROW.join(
        " & ".join(_inside(cell).strip() for cell in row if isinstance(cell.tag, str)) for row in element
    )
    return rf"\begin{{matrix}}{rows}\end{{matrix}}"


_PARTS: dict[str, Callable[[etree._Element], str]] = {
    "mfrac": _fraction,
    "msqrt": lambda element: rf"\sqrt{{{_inside(element).strip()}}}",
    "mroot": _root,
    "msup": _scripts("^"),
    "msub": _scripts("_"),
    "msubsup": _scripts("_", "^"),
    "mover": _scripts("^"),
    "munder": _scripts("_"),
    "munderover": _scripts("_", "^"),
    "mfenced": _fenced,
    "mtable": _table,
    "mspace": lambda element: " ",
}
