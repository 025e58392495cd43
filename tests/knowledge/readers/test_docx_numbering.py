"""The numbers that Word shows before paragraphs and does not store with them; formulas."""

import pytest

from knowledge.readers.docx import load_docx
from knowledge.readers.list_numbers import list_number
from knowledge.readers.zip_container import Archive
from tests.knowledge.readers.samples import packed

_NAMES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
)


def lines_of(body: str, numbering: str = "", styles: str = "") -> list[str]:
    members = {
        "word/document.xml": f"<w:document {_NAMES}><w:body>{body}</w:body></w:document>",
        "word/numbering.xml": f"<w:numbering {_NAMES}>{numbering}</w:numbering>",
        "word/styles.xml": f"<w:styles {_NAMES}>{styles}</w:styles>",
    }
    parsed = load_docx(Archive(packed({name: text.encode() for name, text in members.items()})))
    return [line for block in parsed.blocks for line in block.text.split("\n")]


def paragraph(text: str, number: int | None = None, depth: int = 0, style: str = "") -> str:
    chosen = f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>' if number else ""
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{chosen}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def definition(identity: int, *levels: tuple[str, str], start: int = 1, more: str = "") -> str:
    written = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="{start}"/><w:numFmt w:val="{form}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
        for depth, (form, text) in enumerate(levels)
    )
    return f'<w:abstractNum w:abstractNumId="{identity}">{written}</w:abstractNum>'


def use(number: int, identity: int, override: str = "") -> str:
    return f'<w:num w:numId="{number}"><w:abstractNumId w:val="{identity}"/>{override}</w:num>'


CLAUSES = definition(1, ("decimal", "第%1条"), ("decimal", "%1.%2"), ("lowerLetter", "(%3)")) + use(1, 1)


def test_levels_count_and_begin_anew() -> None:
    body = "".join(
        paragraph(text, 1, depth)
        for text, depth in (
            ("甲", 0),
            ("乙", 0),
            ("丙", 1),
            ("丁", 2),
            ("戊", 2),
            ("己", 1),
            ("庚", 0),
            ("辛", 1),
        )
    )
    assert [line.strip() for line in lines_of(body, CLAUSES)] == [
        *("第1条 甲", "第2条 乙", "2.1 丙", "(a) 丁", "(b) 戊", "2.2 己", "第3条 庚", "3.1 辛"),
    ]


def test_text_between_does_not_stop_the_count_and_a_new_start_does() -> None:
    restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    body = (
        paragraph("a", 1) + paragraph("between") + paragraph("b", 1) + paragraph("c", 2) + paragraph("d", 2)
    )
    numbering = definition(1, ("upperRoman", "%1."), ("decimal", "%2")) + use(1, 1) + use(2, 1, restart)
    assert lines_of(body, numbering) == ["I. a", "between", "II. b", "I. c", "II. d"]


def test_headings_numbered_by_their_style_and_all_in_digits_where_legal() -> None:
    numbering = (
        '<w:abstractNum w:abstractNumId="1"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="upperRoman"/>'
        '<w:pStyle w:val="H1"/><w:lvlText w:val="%1"/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/>'
        '<w:numFmt w:val="decimal"/><w:pStyle w:val="H2"/><w:isLgl/><w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum>'
    ) + use(1, 1)
    styles = "".join(
        f'<w:style w:styleId="H{level}"><w:name w:val="heading {level}"/><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr>'
        "</w:pPr></w:style>"
        for level in (1, 2)
    )
    body = paragraph("Scope", style="H1") + paragraph("Ships", style="H2") + paragraph("Boats", style="H2")
    assert lines_of(body, numbering, styles) == ["I Scope", "1.1 Ships", "1.2 Boats"]


def test_empty_numbered_paragraphs_count_and_numbers_of_cells_are_text() -> None:
    cells = "".join(f"<w:tc>{paragraph(text, number)}</w:tc>" for text, number in (("", 1), ("Ann", None)))
    again = "".join(f"<w:tc>{paragraph(text, number)}</w:tc>" for text, number in (("", 1), ("Bo", None)))
    table = f"<w:tbl><w:tr>{cells}</w:tr><w:tr>{again}</w:tr></w:tbl>"
    numbering = definition(1, ("decimal", "%1.")) + use(1, 1)
    assert lines_of(paragraph("", 1) + table + paragraph("end", 1), numbering) == [
        "2.: Ann",
        "3.: Bo",
        "4. end",
    ]


@pytest.mark.parametrize(
    ("number", "form", "written"),
    [
        (28, "lowerLetter", "bb"),
        (1994, "upperRoman", "MCMXCIV"),
        (3, "decimalZero", "03"),
        (112, "ordinal", "112th"),
        (22, "ordinal", "22nd"),
        (10, "chineseCounting", "十"),
        (25, "chineseCountingThousand", "二十五"),
        (105, "chineseCounting", "一百零五"),
        (110, "chineseCounting", "一百一十"),
        (12, "chineseLegalSimplified", "壹拾贰"),
        (3, "ideographTraditional", "丙"),
        (7, "decimalEnclosedCircle", "⑦"),
        (40, "decimalEnclosedCircle", "40"),
        (0, "lowerRoman", "0"),
        (5, "of-the-future", "5"),
    ],
)
def test_number_as_a_list_writes_it(number: int, form: str, written: str) -> None:
    assert list_number(number, form) == written


def run(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        (f"<m:f><m:num>{run('a+b')}</m:num><m:den>{run('2c')}</m:den></m:f>", r"\frac{a+b}{2c}"),
        (f"<m:sSup><m:e>{run('10')}</m:e><m:sup>{run('-6')}</m:sup></m:sSup>", "10^{-6}"),
        (
            f"<m:sSubSup><m:e>{run('x')}</m:e><m:sub>{run('i')}</m:sub><m:sup>{run('2')}</m:sup></m:sSubSup>",
            "x_{i}^{2}",
        ),
        (f"<m:rad><m:deg>{run('3')}</m:deg><m:e>{run('x')}</m:e></m:rad>", r"\sqrt[3]{x}"),
        (
            f'<m:nary><m:naryPr><m:chr m:val="∑"/></m:naryPr><m:sub>{run("i=1")}</m:sub><m:sup>{run("n")}</m:sup>'
            f"<m:e>{run('i')}</m:e></m:nary>",
            r"\sum_{i=1}^{n} i",
        ),
        (f"<m:d><m:e>{run('a')}</m:e></m:d>", r"\left(a\right)"),
        (f"<m:func><m:fName>{run('sin')}</m:fName><m:e>{run('x')}</m:e></m:func>", r"\sin x"),
        (
            f"<m:m><m:mr><m:e>{run('1')}</m:e><m:e>{run('0')}</m:e></m:mr><m:mr><m:e>{run('0')}</m:e><m:e>{run('1')}"
            "</m:e></m:mr></m:m>",
            r"\begin{matrix}1 & 0 \\ 0 & 1\end{matrix}",
        ),
        (run("5%"), r"5\%"),
    ],
)
def test_formula_is_latex(formula: str, expected: str) -> None:
    body = f"<w:p><w:r><w:t>It is </w:t></w:r><m:oMath>{formula}</m:oMath></w:p>"
    assert lines_of(body) == [f"It is ${expected}$"]
