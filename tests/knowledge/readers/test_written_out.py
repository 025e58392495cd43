"""What a program shows and does not store as text: numbers of lists, powers, formulas, ticks of older forms."""

import io
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from lxml import etree
from pptx import Presentation

from knowledge.readers.dispatch import load
from tests.knowledge.readers.samples import packed, saved

_A = "http://schemas.openxmlformats.org/drawingml/2006/main"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_NAMES = " ".join(
    f'xmlns:{name}="{_ODF}:{long}:1.0"'
    for name, long in (
        *(("office", "office"), ("text", "text"), ("style", "style")),
        *(("draw", "drawing"), ("table", "table")),
    )
)
_LEVELS = """
<text:list-style style:name="L"><text:list-level-style-number text:level="1" style:num-format="一, 二, 三, ..."
 style:num-prefix="第" style:num-suffix="条"/><text:list-level-style-number text:level="2" style:num-format="1"
 style:num-suffix=")"/></text:list-style>"""
_OUTLINE = """<text:outline-style style:name="Outline"><text:outline-level-style text:level="1" style:num-format="1"
 style:num-suffix="."/><text:outline-level-style text:level="2" style:num-format="1" text:display-levels="2"/>
</text:outline-style>"""
_BODY = """<text:h text:outline-level="1">Terms</text:h><text:list text:style-name="L"><text:list-item>
<text:p>pay</text:p><text:list><text:list-item><text:p>on time</text:p></text:list-item></text:list></text:list-item>
<text:list-item>
<text:p>move</text:p></text:list-item></text:list><text:p>Between.</text:p><text:list text:style-name="L"
 text:continue-numbering="true"><text:list-item><text:p>stop</text:p></text:list-item></text:list>
<text:h text:outline-level="2">Parts</text:h>"""


def text_of(data: bytes | str, name: str) -> str:
    parsed = load(data.encode() if isinstance(data, str) else data, name)
    return "\n".join(block.text for block in parsed.blocks)


@pytest.mark.parametrize(
    ("page", "lines"),
    [
        ("<ol><li>pay<li>move</ol>", ["1. pay", "2. move"]),
        ("<ol type=a start=3><li>pay<li value=7>move</ol>", ["c. pay", "g. move"]),
        ("<ol reversed><li>pay<li>move</ol>", ["2. pay", "1. move"]),
        ('<ol style="list-style-type: upper-roman"><li>pay<li>move</ol>', ["I. pay", "II. move"]),
        ('<ol style="list-style: none"><li>pay<li>move</ol>', ["- pay", "- move"]),
        ("<ol><li>pay<ul><li>in cash</ul><li>move</ol>", ["1. pay", "  - in cash", "2. move"]),
    ],
)
def test_items_of_a_page_carry_their_numbers(page: str, lines: list[str]) -> None:
    assert text_of(page, "a.html").split("\n") == lines


def test_numbered_paragraphs_of_a_slide_carry_their_numbers() -> None:
    slides = Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    frame = slide.placeholders[1].text_frame
    for text, kind, start in (
        ("pay", "alphaLcParenR", "2"),
        ("move", "alphaLcParenR", "2"),
        ("Done.", "", ""),
    ):
        paragraph = frame.paragraphs[0] if text == "pay" else frame.add_paragraph()
        paragraph.text = text
        if kind:
            mark = etree.SubElement(paragraph._p.get_or_add_pPr(), f"{{{_A}}}buAutoNum")
            mark.set("type", kind)
            mark.set("startAt", start)
    assert text_of(saved(slides), "a.pptx") == "b) pay\nc) move\nDone."


@pytest.mark.parametrize("flat", [True, False])
def test_lists_and_headings_of_opendocument_carry_their_numbers(flat: bool) -> None:
    content = f"<office:automatic-styles>{_LEVELS}</office:automatic-styles><office:body><office:text>{_BODY}"
    content += "</office:text></office:body>"
    styles = f"<office:styles>{_OUTLINE}</office:styles>"
    if flat:
        document = f'<?xml version="1.0"?><office:document {_NAMES}>{styles}{content}</office:document>'
        text = text_of(document, "a.fodt")
        assert text == text_of(document, "a.xml")
    else:
        members = {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {_NAMES}>{content}</office:document-content>",
            "styles.xml": f"<office:document-styles {_NAMES}>{styles}</office:document-styles>",
        }
        text = text_of(packed({name: member.encode() for name, member in members.items()}), "a.odt")
    assert text == "1. Terms\n第一条 pay\n  1) on time\n第二条 move\nBetween.\n第三条 stop\n1.1 Parts"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("10<sup>-6</sup> m<sup>2</sup> of H<sub>2</sub>O", "10⁻⁶ m² of H₂O"),
        ("the 1<sup>st</sup> of v<sub>max</sub>", "the 1st of vmax"),
        ("a<sup>x+1</sup>", "a^(x+1)"),
        ("so<sup>[3]</sup> it is", "so[3] it is"),
        ("3<sup>1</sup>/<sub>2</sub> cups", "3¹/₂ cups"),
    ],
)
def test_powers_and_indices_stay_so(html: str, text: str) -> None:
    assert text_of(f"<p>{html}</p>", "a.html") == text


def test_powers_of_a_word_document_stay_so() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("10")
    paragraph.add_run("-6").font.superscript = True
    paragraph.add_run(" of CO")
    paragraph.add_run("2").font.subscript = True
    assert text_of(saved(document), "a.docx") == "10⁻⁶ of CO₂"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("<mfrac><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mi>c</mi></mfrac>", r"$\frac{a+b}{c}$"),
        ("<msqrt><mi>x</mi></msqrt><mroot><mn>8</mn><mn>3</mn></mroot>", r"$\sqrt{x}\sqrt[3]{8}$"),
        ("<msup><mn>10</mn><mrow><mo>-</mo><mn>6</mn></mrow></msup>", "$10^{-6}$"),
        ("<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover><mi>x</mi>", r"$\sum_{i}^{n} x$"),
        ("<mover><mi>F</mi><mo>→</mo></mover>", r"$\vec{F}$"),
        (
            "<mtable><mtr><mtd><mi>a</mi></mtd><mtd><mi>b</mi></mtd></mtr></mtable>",
            r"$\begin{matrix}a & b\end{matrix}$",
        ),
        (
            '<semantics><mi>E</mi><annotation encoding="application/x-tex">E = mc^2</annotation></semantics>',
            "$E = mc^2$",
        ),
    ],
)
def test_a_formula_of_a_page_is_latex(formula: str, expected: str) -> None:
    assert text_of(f"<p>So <math>{formula}</math> holds.</p>", "a.html") == f"So {expected} holds."
    assert text_of(f"<h2>On <math>{formula}</math></h2>", "a.html") == f"On {expected}"


def test_a_formula_that_lies_beside_an_opendocument_text_is_in_it() -> None:
    link = 'xmlns:xlink="http://www.w3.org/1999/xlink" xlink:href="./Object 1"'
    body = f"<text:p>So <draw:frame><draw:object {link}/></draw:frame> holds.</text:p>"
    members = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": f"<office:document-content {_NAMES}><office:body><office:text>{body}</office:text></office:body>"
        "</office:document-content>",
        "Object 1/content.xml": '<math xmlns="http://www.w3.org/1998/Math/MathML"><mfrac><mi>a</mi><mi>b</mi></mfrac></math>',
    }
    text = text_of(packed({name: member.encode() for name, member in members.items()}), "a.odt")
    assert text == r"So $\frac{a}{b}$ holds."


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("<w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox>", "☒"),
        ("<w:checkBox><w:default w:val='1'/><w:checked w:val='0'/></w:checkBox>", "☐"),
        (
            "<w:ddList><w:result w:val='1'/><w:listEntry w:val='Red'/><w:listEntry w:val='Green'/></w:ddList>",
            "Green",
        ),
        ("<w:ddList><w:listEntry w:val='Red'/><w:listEntry w:val='Green'/></w:ddList>", "Red"),
    ],
)
def test_what_was_ticked_or_chosen_in_an_older_form_is_read(field: str, shown: str) -> None:
    document = docx.Document()
    run: Any = parse_xml(
        f'<w:r {nsdecls("w")}><w:fldChar w:fldCharType="begin"><w:ffData>{field}</w:ffData></w:fldChar></w:r>'
    )
    document.add_paragraph("Cover: ")._p.append(run)
    file = io.BytesIO()
    document.save(file)
    assert text_of(file.getvalue(), "a.docx") == f"Cover: {shown}"
