"""LaTeX → blocks: title, sections, paragraphs, lists, tables, code; formulas stay as they are written.

Nothing is expanded: a macro of the file's own is shown with its name.
"""

import re
import unicodedata
from collections.abc import Iterator

from knowledge.readers.blocks import Block, ParsedFile, one_line
from knowledge.readers.tables import Row, spread, table_block

_COMMENT = re.compile(r"(?<!\\)%[^\n]*")
_BODY = re.compile(r"\\begin\{document\}(.*?)(?:\\end\{document\}|\Z)", re.DOTALL)
_LEVELS = {"part": 1, "chapter": 1, "section": 2, "subsection": 3, "subsubsection": 4, "paragraph": 5}
# Braces within braces, three deep; bounded, because one that is not closed would be sought to the end, each time again.
_ARGUMENT = r"\{((?:[^{}]|\{(?:[^{}]|\{[^{}]{0,2000}\}){0,2000}\}){0,2000})\}"
_SECTION = re.compile(rf"\\({'|'.join(_LEVELS)})\*?\s*(?:\[[^\]]*\])?\s*{_ARGUMENT}")
_TITLE = re.compile(rf"\\title\s*(?:\[[^\]]*\])?\s*{_ARGUMENT}")
_CODE = ("verbatim", "verbatim*", "lstlisting", "minted", "Verbatim")
_TABLES = ("tabular", "tabular*", "tabularx", "longtable", "array")
_PARTS = re.compile(rf"\\begin\{{({'|'.join(map(re.escape, (*_CODE, *_TABLES)))})\}}|{_SECTION.pattern}")
_MATH = re.compile(
    r"(\$\$.*?\$\$|(?<!\\)\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\)|"
    r"\\begin\{(equation|align|gather|multline|displaymath)\*?\}.*?\\end\{\2\*?\})",
    re.DOTALL,
)
_ITEM = re.compile(r"\\item\s*(?:\[([^\]]*)\])?\s*")
_DROPPED = re.compile(
    r"\\(?:label|bibliographystyle|bibliography|includegraphics|vspace|hspace|usepackage|pagestyle|thispagestyle"
    r"|setlength|input|include|maketitle|tableofcontents|newpage|clearpage|centering|noindent|hline|toprule|midrule"
    rf"|bottomrule|cline)\*?(?:\[[^\]]*\])?(?:{_ARGUMENT})*(?![A-Za-z])"
)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{[^}]*\}(?:\[[^\]]*\])?")
_COMMAND = re.compile(rf"\\[A-Za-z]+\*?(?:\[[^\]]*\])?{_ARGUMENT}")
_MULTICOLUMN = re.compile(rf"\\multicolumn\{{(\d+)\}}\{{[^}}]*\}}{_ARGUMENT}")
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
    text = _COMMENT.sub("", text)
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
            end = text.find(f"\\end{{{environment}}}", at)
            inside, at = (text[at:end], end) if end >= 0 else (text[at:], len(text))
            yield from _environment(environment, inside)
        elif words := plain(match[3]):
            yield Block("heading", words, level=_LEVELS[match[2]])
    yield from _paragraphs(text[at:])


def _environment(name: str, inside: str) -> Iterator[Block]:
    if name in _CODE:
        yield Block("code", inside.strip("\n"))
    elif block := table_block(_rows(inside)):
        yield block


def _paragraphs(text: str) -> Iterator[Block]:
    for part in re.split(r"\n[ \t]*\n", text):
        lines = _ITEM.split(part)
        texts = [plain(lines[0])]
        for named, words in zip(lines[1::2], lines[2::2], strict=True):
            texts.append(f"- {plain(named)}: {plain(words)}" if named else f"- {plain(words)}")
        if found := "\n".join(line for line in texts if line.strip("- ")):
            yield Block("text", found)


def _rows(inside: str) -> Iterator[Row]:
    inside = re.sub(rf"\A\s*(?:\[[^\]]*\]|{_ARGUMENT})+", "", inside)  # how the columns are aligned
    for line in re.split(r"\\\\(?:\[[^\]]*\])?|\\tabularnewline", inside):
        row: Row = []
        for cell in re.split(r"(?<!\\)&", line):
            if merged := _MULTICOLUMN.search(cell):
                row += spread(plain(merged[2]), max(1, min(int(merged[1][:3]), 100)))
            else:
                row.append(plain(cell))
        yield row


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
    text = re.sub(rf"\\href\{{[^{{}}]*\}}{_ARGUMENT}", r"\1", text)
    for _ in range(4):  # commands inside of commands
        shorter = _COMMAND.sub(r"\1", text)
        if shorter == text:
            break
        text = shorter
    for written, meant in _SIMPLE.items():
        text = re.sub(re.escape(written) + (r"(?![A-Za-z])\s?" if written[-1].isalpha() else ""), meant, text)
    return unicodedata.normalize("NFC", re.sub(r"(?<!\\)[{}]|\\\\(?:\[[^\]]*\])?", " ", text))
