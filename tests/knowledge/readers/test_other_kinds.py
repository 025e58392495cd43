"""Notebooks, RTF, subtitles, LaTeX, XML and program text."""

import json

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.sections import sections_of


def test_notebook_is_text_code_and_what_it_printed() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Kiln curve\n", "Held at 1240 degrees."]},
        {
            "cell_type": "code",
            "execution_count": 2,
            "source": "print(peak)",
            "outputs": [
                {"output_type": "stream", "text": ["peak 1240\n"]},
                {
                    "output_type": "display_data",
                    "data": {"image/png": "iVBORw0KGgo", "text/plain": "<Figure>"},
                },
                {
                    "output_type": "execute_result",
                    "data": {"text/html": "<table><tr><th>a<th>b<tr><td>1<td>2</table>"},
                },
                {"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": ["\u001b[31m"]},
            ],
        },
        {"cell_type": "raw", "source": ""},
    ]
    document = read_bytes("kiln.ipynb", json.dumps({"cells": cells, "nbformat": 4}).encode())
    assert document.title == "Kiln curve"
    assert [(section.kind, section.text) for section in document.sections] == [
        ("text", "Held at 1240 degrees."),
        *(("code", text) for text in ("print(peak)", "peak 1240", "<Figure>")),
        ("table", "a: 1; b: 2"),
        ("code", "KeyError: 'x'"),
    ]
    shown = {"output_type": "stream", "text": ["\r 10%", "\r100%\n", "\u001b[1mdone\u001b[0m\n"]}
    cells = [{"cell_type": "code", "source": "run()", "outputs": [shown]}]
    misnamed = read_bytes("kiln.json", json.dumps({"cells": cells, "nbformat": 4}).encode())
    assert [section.text for section in misnamed.sections] == ["run()", "100%\ndone"]
    with pytest.raises(DocumentError, match="holds no cells"):
        read_bytes("a.ipynb", b"{}")


RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\title The kiln}}\pard Held at \b 1240\b0  degr\'e9s.\par "
    rb"\u26448?\u26009? ready.\par\trowd\cellx1\cellx2 Town\cell Boats\cell\row\trowd Arvik"
    rb"\cell 7\cell\row\pard end.\par}"
)


def test_rtf_has_its_paragraphs_tables_and_title() -> None:
    document = read_bytes("a.rtf", RTF)
    assert document.title == "The kiln"
    assert document.text.split("\n\n") == [
        "Held at 1240 degrés.",
        "材料 ready.",
        "Town: Arvik; Boats: 7",
        "end.",
    ]
    assert read_bytes("misnamed.doc", RTF).title == "The kiln"


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        (  # a table in a cell; the rows are described behind their cells
            rb"\pard\intbl Name\cell Detail\cell\trowd\cellx100\cellx900\row\intbl Arvik\cell\pard\intbl\itap2 Boat"
            rb"\nestcell Length\nestcell{\*\nesttableprops\trowd\cellx3\cellx5\nestrow}{\nonesttables\par}Lind\nestcell"
            rb" 12 m\nestcell{\*\nesttableprops\trowd\cellx3\cellx5\nestrow}\pard\intbl and more\cell\row\pard end",
            ["Name: Arvik; Detail: (Boat: Lind; Length: 12 m) and more", "end"],
        ),
        (  # a wide cell instead of merged ones
            rb"\trowd\cellx2000\cellx6010 Town\cell 2025\cell\row\trowd\cellx2000\cellx4000\cellx6000\cell Boats\cell"
            rb" Nets\cell\row\trowd\cellx2000\cellx4000\cellx6000 Arvik\cell 7\cell 9\cell\row",
            ["Town: Arvik; 2025 / Boats: 7; 2025 / Nets: 9"],
        ),
        (  # a row that is marked as one of names, a cell of two paragraphs, and a sign that divides cells elsewhere
            rb"\trowd\trhdr\cellx1\cellx900\intbl A\par B\cell C|D\cell\row\trowd\cellx1\cellx900 x\cell y\cell\row",
            ["A B: x; C|D: y"],
        ),
        (
            rb"One{\footnote\pard A note.} two.{\*\annotation\pard Sure?}\par{\listtext\pard\'b7\tab}red\par"
            rb"{\pntext 2.\tab}ash\par{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt\pard boxed\par}}{\shprslt no}}"
            rb"{\pict\bin4 }}}{}end",
            ["One two.", "A note.", "Comment: Sure?", "- red", "2. ash", "end", "boxed"],
        ),
        (rb"\trowd\cellx1\cellx900 A\cell B\cell never closed", ["A: B", "never closed"]),
    ],
)
def test_rtf_tables_and_what_stands_beside_the_text(source: bytes, texts: list[str]) -> None:
    document = read_bytes("a.rtf", b"{\\rtf1\\ansi " + source + b"}")
    assert document.text.split("\n\n") == texts


def test_subtitles_keep_their_times_and_say_rolling_lines_once() -> None:
    srt = "1\n00:00:01,000 --> 00:00:04,000\n<i>The ferry</i>\nleaves at seven.\n\n2\n"
    srt += "01:02:03,500 --> 01:02:05,000\n- No!\n"
    assert read_bytes("a.srt", srt.encode()).text.split("\n") == [
        "0:01 The ferry leaves at seven.",
        "1:02:03 - No!",
    ]
    vtt = (
        "WEBVTT - Ferries\n\nNOTE hidden\n\nintro\n00:01.000 --> 00:04.000 align:start\n<v Ann>Hello &amp; welcome.\n\n"
        "00:04.000 --> 00:06.000\nHello &amp; welcome.\nIt rains.\n"
    )
    document = read_bytes("a.vtt", vtt.encode())
    assert document.title == "Ferries"
    assert document.text.split("\n") == ["0:01 Ann: Hello & welcome.", "0:04 Hello & welcome. It rains."]
    with pytest.raises(DocumentError, match="no line with a time"):
        read_bytes("a.srt", b"nothing")


LATEX = r"""\documentclass{article} % a comment with \section{no}
\title{On \emph{kilns}}
\begin{document}\maketitle
\section{Heat \& clay}\label{s}
The kiln~is held at $t=\frac{a}{b}$ for 9\,hours, says M\"uller\footnote{Twice.}.

\begin{itemize}\item red \textbf{clay} \item[ash] grey\end{itemize}
\begin{tabular}{lr}\toprule Town & Boats \\ \midrule Arvik & 7 \\ Brenn & 5\%\\ \end{tabular}
\begin{verbatim}
x = 1 % kept? yes
\end{verbatim}
\subsection*{After}
\begin{equation} E = mc^2 \end{equation}
\end{document} never"""


def test_latex_has_sections_lists_tables_and_formulas() -> None:
    document = read_bytes("a.tex", LATEX.encode())
    assert document.title == "On kilns"
    assert sections_of(document) == [
        (
            "text",
            "The kiln is held at $t=\\frac{a}{b}$ for 9 hours, says Müller (Twice.).\n\n- red clay\n- ash: grey",
            ("Heat & clay",),
        ),
        ("table", "Town: Arvik; Boats: 7\nTown: Brenn; Boats: 5%", ("Heat & clay",)),
        ("code", "x = 1 % kept? yes", ("Heat & clay",)),
        ("text", "\\begin{equation} E = mc^2 \\end{equation}", ("Heat & clay", "After")),
    ]


def test_xml_records_are_rows_and_marked_text_is_a_paragraph() -> None:
    xml = """<?xml version="1.0"?><guide year="2026"><title>Ports</title>
    <ports><port id="1"><name>Arvik</name><boats>7</boats></port>
    <port id="2"><name>Brenn</name><boats>5</boats></port></ports>
    <chapter><title>Rules</title><p>Ships <b>may</b> land.</p><!-- no --><p>Boats may not.</p></chapter></guide>"""
    document = read_bytes("a.xml", xml.encode())
    assert document.title == "Ports"
    assert "id: 1; name: Arvik; boats: 7\nid: 2; name: Brenn; boats: 5" in document.text
    assert "Ships may land." in document.text and "no" not in document.text.split()
    assert any(section.headings[-1:] == ("Rules",) for section in document.sections)


@pytest.mark.parametrize(
    ("xml", "text"),
    [
        (  # a table of DocBook with merged cells
            "<article><para>See.</para><table><title>Fleet</title><tgroup cols='3'><colspec colname='a'/>"
            "<colspec colname='b'/><colspec colname='c'/><thead><row><entry morerows='1'>Town</entry>"
            "<entry namest='b' nameend='c'>2025</entry></row><row><entry>Boats</entry><entry>Nets</entry></row></thead>"
            "<tbody><row><entry>Arvik</entry><entry>7</entry><entry>9</entry></row></tbody></tgroup></table></article>",
            "Town: Arvik; 2025 / Boats: 7; 2025 / Nets: 9",
        ),
        (  # HTML written as text
            "<rss><channel><item><title>Late</title><description>&lt;p&gt;At &lt;b&gt;7:40&lt;/b&gt;&lt;/p&gt;"
            "</description></item></channel></rss>",
            "title: Late; description: At 7:40",
        ),
        ("<r><code>&lt;b&gt;x&lt;/b&gt;</code></r>", "code: <b>x</b>"),
    ],
)
def test_tables_of_xml_and_text_that_is_html(xml: str, text: str) -> None:
    assert text in read_bytes("a.xml", xml.encode()).text.split("\n\n")


def test_code_is_divided_at_its_definitions() -> None:
    code = '''import os

# Lights it.
@cached
def light(lamp):
    return lamp


class Lamp:
    """A lamp."""
    def dim(self):
        pass
'''
    document = read_bytes("a.py", code.encode())
    assert sections_of(document) == [
        ("code", "import os", ()),
        ("code", "# Lights it.\n@cached\ndef light(lamp):\n    return lamp", ("def light(lamp)",)),
        ("code", 'class Lamp:\n    """A lamp."""', ("class Lamp",)),
        ("code", "    def dim(self):\n        pass", ("class Lamp", "def dim(self)")),
    ]


@pytest.mark.parametrize(
    ("name", "code", "headings"),
    [
        (
            "a.js",
            "export const a = (x) => x\nfunction b() {}\n",
            ["export const a = (x) => x", "function b() {}"],
        ),
        ("a.go", "func A(x int) int {\n}\ntype B struct {\n}\n", ["func A(x int) int", "type B struct"]),
        ("a.rs", "pub fn a() {\n}\nimpl B {\n}\n", ["pub fn a()", "impl B"]),
        ("a.c", "int a(int x)\n{\n}\nstatic void b(void) {\n}\n", ["int a(int x)", "static void b(void)"]),
        (
            "a.sql",
            "CREATE TABLE a (x int);\nCREATE VIEW b AS SELECT 1;\n",
            ["CREATE TABLE a (x int);", "CREATE VIEW b AS SELECT 1;"],
        ),
        ("a.toml", "[a]\nx = 1\n[b]\ny = 2\n", ["[a]", "[b]"]),
    ],
)
def test_definitions_of_other_languages(name: str, code: str, headings: list[str]) -> None:
    document = read_bytes(name, code.encode())
    assert [section.headings[0] for section in document.sections] == headings
    assert all(line in document.text for line in code.splitlines())


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        (
            "a.srt",
            "1\n00:00:01,000 --> 00:00:04,000\nFirst line\n\nsecond line\n\n2\n00:00:05,000 --> 00:00:06,000\n1984\n",
            ["0:01 First line second line", "0:05 1984"],
        ),
        (  # a cue without words
            "a.srt",
            "1\n00:00:01,000 --> 00:00:02,000\n\n2\n00:00:03,000 --> 00:00:04,000\nHello\n",
            ["0:03 Hello"],
        ),
        ("a.srt", "1\n00:00:01,000 --> 00:00:04,000\n<b>5 < 6 & 7 > 3</b>\n", ["0:01 5 < 6 & 7 > 3"]),
        (
            "a.vtt",
            "WEBVTT\n\nSTYLE\n::cue { color: red }\n\n00:01.000 --> 00:02.000\n<c.y>Hello</c> <00:01.500>now\n\nNOTE\n",
            ["0:01 Hello now"],
        ),
    ],
)
def test_subtitles_lose_their_styles_and_no_words(name: str, text: str, lines: list[str]) -> None:
    assert read_bytes(name, text.encode()).text.split("\n") == lines


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (
            {"text/plain": "<IPython.core.display.Markdown object>", "text/markdown": "**Peak** 1240"},
            "Peak 1240",
        ),
        ({"text/plain": "<IPython.core.display.HTML object>", "text/html": "<p>Peak 1240</p>"}, "Peak 1240"),
        ({"text/plain": "<IPython.core.display.Math object>", "text/latex": "$x^2$"}, "$x^2$"),
        ({"text/plain": "<IPython.core.display.JSON object>", "application/json": {"a": 1}}, '{"a": 1}'),
        ({"text/plain": "x**2", "text/latex": "$x^2$"}, "x**2"),
    ],
)
def test_what_a_cell_of_a_notebook_shows_is_read(shown: dict[str, object], text: str) -> None:
    cell = {"cell_type": "code", "source": "", "outputs": [{"output_type": "display_data", "data": shown}]}
    assert read_bytes("a.ipynb", json.dumps({"cells": [cell], "nbformat": 4}).encode()).text == text
