r"""LaTeX source as its compiler sees it: without comments and what \iffalse skips, with the file's own macros expanded.

What stands in program text stays as it is. Nothing is read from other files, and no macro is computed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

CODE_ENVIRONMENTS = ("verbatim", "verbatim*", "lstlisting", "minted", "Verbatim")
_ROUNDS = 3  # of macros within macros
_MOST_GROWTH = 1_000_000  # characters that macros may add
_SKIPPED = re.compile(
    rf"\\begin\{{(?P<code>{'|'.join(map(re.escape, CODE_ENVIRONMENTS))})\}}|(?P<skip>\\iffalse(?![A-Za-z]))"
    r"|\\(?:verb|lstinline)\*?(?:\[[^\]\n]*\])?(?P<mark>[^\w\s{*\[])|(?P<comment>(?<!\\)(?:\\\\)*%)"
)
_ARGUMENT = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]{0,2000}\}){0,2000}\}){0,2000})\}"
_DEFINED = re.compile(
    r"\\(?:(?:new|renew|provide)command\*?\s*(?:\{\s*\\([A-Za-z]+)\s*\}|\\([A-Za-z]+))|def\s*\\([A-Za-z]+)(?=\{))"
    rf"\s*(?:\[(\d)\])?\s*(?:\[([^\]]*)\])?\s*{_ARGUMENT}"
)
_SPECIAL = re.compile(r"[{}$&#_]")


def prepared(text: str) -> str:
    """The source without comments, with `\\verb` written as text and macros expanded."""
    return _expanded(_without_comments(text))


def _without_comments(text: str) -> str:
    parts: list[str] = []
    at = 0
    endless: set[str] = set()  # what is not closed once is not sought again
    while match := _SKIPPED.search(text, at):
        parts.append(text[at : match.start()])
        if match["comment"]:
            parts.append(match[0][:-1])
            at = _end(text, "\n", match.end(), len(text))
            continue
        close = f"\\end{{{match['code']}}}" if match["code"] else match["mark"] or "\\fi"
        end = -1 if close in endless else text.find(close, match.end())
        at = match.end() if end < 0 else end + len(close)
        if end < 0:
            endless.add(close)
            parts.append(match[0])
        elif match["mark"]:
            parts.append(_SPECIAL.sub(r"\\\g<0>", text[match.end() : end]))
        elif match["code"]:
            parts.append(text[match.start() : at])
    return "".join([*parts, text[at:]])


def _end(text: str, of: str, start: int, otherwise: int) -> int:
    found = text.find(of, start)
    return found if found >= 0 else otherwise


@dataclass(frozen=True)
class _Macro:
    """What stands for a name, with so many arguments; the first may have a value of its own."""

    arguments: int
    default: str | None
    body: str

    def pattern(self, name: str) -> re.Pattern[str]:
        optional = r"(?:\[([^\]]*)\])?" if self.default is not None else ""
        count = self.arguments - (self.default is not None)
        return re.compile(
            rf"\\{name}(?![A-Za-z]){optional}" + rf"\s*{_ARGUMENT}" * count + r"(?:\{\})?" * (not count)
        )

    def applied(self, match: re.Match[str]) -> str:
        given = [self.default or "" if one is None else one for one in match.groups()]
        return re.sub(
            r"#([1-9])", lambda number: "".join(given[int(number[1]) - 1 : int(number[1])]), self.body
        )


def _expanded(text: str) -> str:
    macros = {
        match[1] or match[2] or match[3]: _Macro(int(match[4] or 0), match[5], match[6])
        for match in _DEFINED.finditer(text)
    }
    if not macros:
        return text
    text = _DEFINED.sub("", text)
    for _ in range(_ROUNDS):
        longer = _once(text, macros)
        if longer == text or len(longer) > len(text) + _MOST_GROWTH:
            break
        text = longer
    return text


def _once(text: str, macros: Mapping[str, _Macro]) -> str:
    """Each macro expanded where it stands; one that grows beyond measure is left."""
    for name, macro in macros.items():
        count = text.count(f"\\{name}")
        if count and count * len(macro.body) < _MOST_GROWTH:
            text = macro.pattern(name).sub(macro.applied, text)
    return text
