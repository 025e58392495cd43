"""Program text → blocks: each definition under its own first line, so that it is found by name; lines kept whole."""

import re
from collections.abc import Iterator, Sequence

from knowledge.readers.blocks import Block, ParsedFile

FEWEST_DEFINITIONS = 2  # below it a file has no parts
_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|sealed|async|pub(?:\([^)]*\))?|unsafe"
    r"|override|open|data|inline|virtual|extern|const|local|declare|partial)\s+)*"
)
_KEYWORDS = (
    r"(?:def|class|function\*?|func|fn|fun|interface|struct|enum|trait|impl|protocol|extension|module|namespace|record"
    r"|sub|object|type|contract|defmodule|defp?|proc|macro_rules!)"
)
_DEFINITION = re.compile(rf"^([ \t]*){_MODIFIERS}{_KEYWORDS}\b[ \t]*[\w<(\"'$:.]", re.IGNORECASE)
_ARROW = re.compile(r"^()(?:export\s+)?(?:const|let|var)\s+\w+\s*=\s*(?:async\s*)?(?:\([^)]*\)|\w+)\s*=>")
_C_FUNCTION = re.compile(
    r"^()[A-Za-z_][\w:<>,*&\s~\[\]]*[\s*&][\w:~]+\([^;{}]*\)\s*(?:const\s*)?(?:noexcept\s*)?\{?\s*$"
)
_SQL = re.compile(
    r"^()\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP\w*\s+)?(?:TABLE|VIEW|FUNCTION|PROCEDURE|TRIGGER|INDEX)\b",
    re.I,
)
_SECTION = re.compile(r"^()\[{1,2}[^\[\]]+\]{1,2}\s*$")
_BELONGS = re.compile(r"^[ \t]*(?:@|#(?!!)|//|/\*|\*|--|\[\w|///)")
_TEXT_ABOVE = re.compile(_BELONGS.pattern + r"|^[ \t]*\"\"\"")  # Python's stands below
_WITH_TEXT_ABOVE = (".ex", ".exs", ".jl")
_PATTERNS = {
    **dict.fromkeys((".toml", ".ini", ".cfg"), (_SECTION,)),
    **dict.fromkeys((".c", ".h", ".cc", ".cpp", ".hpp", ".hh", ".m"), (_DEFINITION, _C_FUNCTION)),
    **dict.fromkeys((".js", ".jsx", ".ts", ".tsx", ".mjs", ".vue"), (_DEFINITION, _ARROW)),
    **dict.fromkeys((".css", ".yaml", ".yml"), ()),
    ".sql": (_SQL,),
}
_DEEPEST = 4  # spaces before a definition that is a part of another


def load_code(text: str, suffix: str = "") -> ParsedFile:
    """The blocks of a program: what comes before the first definition, then each under its first line."""
    lines = text.split("\n")
    belongs = _TEXT_ABOVE if suffix in _WITH_TEXT_ABOVE else _BELONGS
    starts = list(_definitions(lines, _PATTERNS.get(suffix, (_DEFINITION,)), belongs))
    if len(starts) < FEWEST_DEFINITIONS:
        return ParsedFile(blocks=(Block("code", text),) if text.strip() else ())
    blocks = list(_code(lines[: starts[0][0]]))
    for (first, line, level), end in zip(
        starts, [*(start[0] for start in starts[1:]), len(lines)], strict=True
    ):
        blocks.append(Block("heading", _signature(lines[line]), level=level))
        blocks += _code(lines[first:end])
    return ParsedFile(blocks=tuple(blocks))


def _definitions(
    lines: Sequence[str], patterns: Sequence[re.Pattern[str]], belongs: re.Pattern[str]
) -> Iterator[tuple[int, int, int]]:
    """For each definition: where its comments and decorators begin, its own line, and its level."""
    last = -1
    for number, line in enumerate(lines):
        found = next((match for pattern in patterns if (match := pattern.match(line[:400]))), None)
        indent = len(found[1].expandtabs(4)) if found else 0
        if not found or indent > _DEEPEST:
            continue
        first = number
        while first - 1 > last and belongs.match(lines[first - 1]):
            first -= 1
        yield first, number, 2 if indent else 1
        last = number


def _signature(line: str) -> str:
    return line.strip().rstrip("{:").strip()[:200]


def _code(lines: Sequence[str]) -> Iterator[Block]:
    if (text := "\n".join(lines)).strip():
        yield Block("code", text)
