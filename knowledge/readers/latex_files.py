"""LaTeX → blocks: title, sections, paragraphs, lists, tables, code; formulas stay as they are written.

Macros that the file does not define are shown without their names, by what they are applied to.
"""

import re
import unicodedata
from collections.abc import Iterator

from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.latex_source import CODE_ENVIRONMENTS, prepared
from knowledge.readers.raised_text import lowered, raised
from knowledge.readers.table_cells import Below, Row, spread
from knowledge.readers.tables import table_block

_BODY = re.compile(r"\\begin\{document\}(.*?)(?:\\end\{document\}|\Z)", re.DOTALL)
_LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5}
# Braces within braces, three deep; bounded, because one that is not closed would be sought to the end, each time again.
_ARGUMENT = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]{0,2000}\}){0,2000}\}){0,2000})\}"
_SECTION = re.compile(rf"\\({'|'.join(_LEVELS)})\*?\s*(?:\[[^\]]*\])?\s*{_ARGUMENT}")
_TITLE = re.compile(rf"\\title\s*(?:\[[^\]]*\])?\s*{_ARGUMENT}")
_CODE_OPTIONS = re.compile(r"\A(?:\[[^\]]*\])?(?:\{[^{}]*\})?(?=\s*\n)")
_TABLES = ("tabular", "tabular*", "tabularx", "longtable", "array")
_PARTS = re.compile(
    rf"\\begin\{{({'|'.join(map(re.escape, (*CODE_ENVIRONMENTS, *_TABLES)))})\}}|{_SECTION.pattern}"
)
_MATH = re.compile(
    r"(\$\$.*?\$\$|(?<!\\)\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)|"
    r"\\begin\{(equation|align|gather|multline|displaymath)\*?\}.*?\\end\{\2\*?\})",
    re.DOTALL,
)
_ITEM = re.compile(r"\\item\s*(?:\[([^\]]*)\])?\s*")
_DROPPED = re.compile(
    r"\\(?:label|bibliographystyle|bibliography|includegraphics|vspace|hspace|usepackage|pagestyle|thispagestyle"
    r"|setlength|input|include|maketitle|tableofcontents|newpage|clearpage|centering|noindent|hline|toprule|midrule"
    r"|bottomrule|cline|cmidrule|addlinespace|rowcolor|cellcolor|columncolor|endfirsthead|endhead|endfoot"
    rf"|endlastfoot)\*?(?:\[[^\]]*\])?(?:\([a-z]*\))?(?:{_ARGUMENT})*(?![A-Za-z])"
)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{[^}]*\}(?:\[[^\]]*\])?")
_COMMAND = re.compile(rf"\\[A-Za-z]+\*?(?:\[[^\]]*\])?{_ARGUMENT}")
_MULTICOLUMN = re.compile(rf"\\multicolumn\s*\{{\s*(\d+)\s*\}}\s*{_ARGUMENT}\s*{_ARGUMENT}")
_OPTION = r"(?:\[[^\]]*\])?"
_MULTIROW = re.compile(
    rf"\\multirow\s*{_OPTION}\{{\s*(-?\d+)\s*\}}{_OPTION}\s*(?:\*|\{{[^{{}}]*\}}|=){_OPTION}\s*{_ARGUMENT}"
)
_STACKED = re.compile(rf"\\(?:makecell|shortstack|thead|specialcell){_OPTION}\s*{_ARGUMENT}")
_INNER = re.compile(
    rf"\\begin\{{tabular\*?\}}{_OPTION}\s*{_ARGUMENT}|\\end\{{tabular\*?\}}|\\\\\*?{_OPTION}|(?<!\\)&"
)
_FEET = re.compile(r"\\end(?:last)?foot(?![a-z])")
_ROW_END = re.compile(rf"\\\\\*?{_OPTION}|\\tabularnewline")
_SIMPLE = {
    **{
        r"\&": "&",
        r"\%": "%",
        r"\$": "$",
        r"\#": "#",
        r"\_": "_",
        r"\{": "{",
        r"\}": "}",
        "~": " ",
        r"\ ": " ",
    },
    **{"``": "“", "''": "”", "---": "—", "--": "–", r"\ldots": "…", r"\dots": "…", r"\ss": "ß", r"\,": " "},
    **{
        r"\LaTeX": "LaTeX",
        r"\TeX": "TeX",
        r"\-": "",
        r"\o": "ø",
        r"\O": "Ø",
        r"\ae": "æ",
        r"\AE": "Æ",
        r"\aa": "å",
    },
}
_MOVED = {"super": raised, "sub": lowered}
_ACCENT = re.compile(r"""\\(['`"^~=.cvuHr])\s*(?:\{([A-Za-z])\}|([A-Za-z])(?![A-Za-z]*\{))""")
_COMBINING = dict(
    zip(
        "'`\"^~=.cvuHr",
        "\u0301\u0300\u0308\u0302\u0303\u0304\u0307\u0327\u030c\u0306\u030b\u030a",
        strict=True,
    )
)


def load_latex(text: str) -> ParsedFile:
    """The blocks of a LaTeX file, or of a part of one that has no preamble."""
    text = prepared(text)
    title = _TITLE.search(text)
    body = _BODY.search(text)
    blocks = tuple(_blocks(body[1] if body else text))
    return ParsedFile(plain(title[1]) if title else "", blocks)


def plain(text: str) -> str:
    """One line of words: commands give way to what they are applied to, accents to letters."""
    return one_line(_words(text))


def _blocks(text: str) -> Iterator[Block]:
    at = 0
    while match := _PARTS.search(text, at):
        yield from _paragraphs(text[at : match.start()])
        at = match.end()
        if environment := match[1]:
            end = _end(text, environment, at)
            yield from _environment(environment, text[at:end])
            at = end
        elif words := plain(match[3]):
            yield Block("heading", words, level=_LEVELS[match[2]])
    yield from _paragraphs(text[at:])


def _end(text: str, environment: str, at: int) -> int:
    """Where an environment ends that may hold others of its name."""
    open_ones = 1
    for match in re.compile(rf"\\(begin|end)\{{{re.escape(environment)}\}}").finditer(text, at):
        open_ones += (
            1 if match[1] == "begin" and environment not in CODE_ENVIRONMENTS else -(match[1] == "end")
        )
        if not open_ones:
            return match.start()
    return len(text)


def _environment(name: str, inside: str) -> Iterator[Block]:
    if name in CODE_ENVIRONMENTS:
        yield Block("code", _CODE_OPTIONS.sub("", inside).strip("\n"))
    elif block := table_block(_rows(inside), header=_header_rows(inside)):
        yield block


def _paragraphs(text: str) -> Iterator[Block]:
    for part in re.split(r"\n[ \t]*\n", text):
        lines = _ITEM.split(part)
        texts = [plain(lines[0])]
        for named, words in zip(lines[1::2], lines[2::2], strict=True):
            texts.append(f"- {plain(named)}: {plain(words)}" if named else f"- {plain(words)}")
        if found := "\n".join(line for line in texts if line.strip("- ")):
            yield Block("text", found)


def _rows(inside: str) -> list[Row]:
    inside = re.sub(rf"\A\s*(?:\[[^\]]*\]|{_ARGUMENT})+", "", inside)  # how the columns are aligned
    grid: list[Row] = []
    reaching: list[tuple[int, int, int]] = []  # row and column of a cell, and how many rows it covers
    for line in _lines(inside):
        row: Row = []
        for cell in re.split(r"(?<!\\)&", line):
            merged = _MULTICOLUMN.search(cell)
            if high := _MULTIROW.search(cell):
                reaching.append((len(grid), len(row), int(high[1])))
                cell = cell[: high.start()] + high[2] + cell[high.end() :]
                merged = _MULTICOLUMN.search(cell)
            row += spread(plain(merged[3]), max(1, min(int(merged[1][:3]), 100))) if merged else [plain(cell)]
        grid.append(row)
    for place in reaching:
        _reach(grid, *place)
    return grid


def _lines(inside: str) -> list[str]:
    """The rows as they are written; what stands in a cell in several lines is one."""
    inside = _STACKED.sub(lambda match: _ROW_END.sub(" ", match[1]), _without_repeated_heads(inside))
    return _ROW_END.split(_without_inner_tables(inside))


def _header_rows(inside: str) -> int | None:
    """How many rows stand above the rule that divides names from values; None where every row has one, or none."""
    rows = _lines(inside)
    ruled = [at for at, row in enumerate(rows) if at and re.match(r"\s*\\(?:midrule|hline)(?![a-z])", row)]
    within = [at for at in ruled if any(row.strip() and _DROPPED.sub("", row).strip() for row in rows[at:])]
    captions = sum("\\caption" in row for row in rows[: within[0]]) if within else 0
    few = len(within) == 1 or r"\midrule" in inside
    return (within[0] - captions or None) if within and few else None


def _reach(grid: list[Row], row: int, column: int, height: int) -> None:
    """Mark the empty places that a cell covers below it; above it where its height is negative."""
    text = grid[row][column]
    first = max(row + min(height, 0) + (height < 0), 0)
    if height < 0 and not any(line[column : column + 1] != [""] for line in grid[first:row]):
        grid[first][column], grid[row][column] = text, ""
    for line in grid[first + 1 : first + min(abs(height), len(grid))]:
        if line[column : column + 1] == [""]:
            line[column] = Below(text)


def _without_repeated_heads(inside: str) -> str:
    """A long table with its first names alone, and without what stands at the foot of its pages."""
    head = inside.find(r"\endhead")
    if 0 <= (first := inside.find(r"\endfirsthead")) < head:
        inside, head = inside[:first] + inside[head:], first
    feet = list(_FEET.finditer(inside, max(head, 0)))
    return inside[:head] + inside[feet[-1].end() :] if feet and head >= 0 else inside


def _without_inner_tables(inside: str) -> str:
    """Tables within cells in one line: their rows are none of the table around them."""
    parts: list[str] = []
    depth = at = 0
    for match in _INNER.finditer(inside):
        opens, closes = match[0].startswith(r"\begin"), match[0].startswith(r"\end{")
        if not (opens or closes or depth):
            continue
        parts += [inside[at : match.start()], " "]
        at = match.end()
        depth = max(depth + opens - closes, 0)
    return "".join([*parts, inside[at:]])


def _words(text: str) -> str:
    """Formulas kept, the rest without commands."""
    parts, at = [], 0
    for match in _MATH.finditer(text):
        parts += [_without_commands(text[at : match.start()]), match[0]]
        at = match.end()
    return "".join([*parts, _without_commands(text[at:])])


def _without_commands(text: str) -> str:
    text = _ENVIRONMENT.sub(" ", _DROPPED.sub(" ", text))
    text = _ACCENT.sub(lambda match: (match[2] or match[3]) + _COMBINING[match[1]], text)
    text = re.sub(rf"\\footnote{_ARGUMENT}", r" (\1)", text)
    text = re.sub(rf"\\text(super|sub)script{_ARGUMENT}", lambda match: _MOVED[match[1]](match[2]), text)
    text = re.sub(rf"\\href\{{[^{{}}]*\}}{_ARGUMENT}", r"\1", text)
    for _ in range(4):  # commands inside of commands
        shorter = _COMMAND.sub(r"\1", text)
        if shorter == text:
            break
        text = shorter
    text = re.sub(r"(?<!\\)[{}]|\\\\(?:\[[^\]]*\])?", " ", text)
    for written, meant in _SIMPLE.items():
        text = re.sub(re.escape(written) + (r"(?![A-Za-z])\s?" if written[-1].isalpha() else ""), meant, text)
    return unicodedata.normalize("NFC", text)
