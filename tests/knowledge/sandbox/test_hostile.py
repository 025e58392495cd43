"""Files made to do harm and files merely broken: bounded, refused in one sentence, the next one is read."""

import io
import os
import random
import socket
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import docx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz_documents import attempt, damage
from knowledge.errors import DocumentError
from knowledge.ingest.document import read_bytes
from knowledge.readers.dispatch import LOADERS
from knowledge.readers.opendocument_text import NAMES
from knowledge.sandbox.client import Sandbox, SandboxLimits
from tests.knowledge.readers.pdf_maker import PdfPage, assemble, pdf
from tests.knowledge.readers.samples import epub_file, packed, saved

pytestmark = pytest.mark.slow

DOCX = "word/document.xml"


@pytest.fixture(scope="module")
def strict() -> Iterator[Sandbox]:
    with Sandbox(SandboxLimits(bytes=2**20, seconds=15.0, memory=512 * 2**20)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def trap() -> Iterator[socket.socket]:
    """A listening socket on this machine that nobody should connect to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


def address(trap: socket.socket) -> str:
    return f"http://127.0.0.1:{trap.getsockname()[1]}/stolen"


def assert_nobody_called(trap: socket.socket) -> None:
    """A connection is queued by the kernel as soon as it is made, before anyone accepts it."""
    with pytest.raises(BlockingIOError):
        trap.accept()


def word(body: str, doctype: str = "") -> bytes:
    xml = (
        f'<?xml version="1.0"?>{doctype}<w:document '
        'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body><w:p><w:r><w:t>{body}</w:t></w:r></w:p></w:body></w:document>"
    )
    return packed({DOCX: xml.encode()})


def opendocument(body: str, doctype: str = "") -> bytes:
    names = " ".join(f'xmlns:{short}="{uri}"' for short, uri in NAMES.items())
    xml = (
        f'<?xml version="1.0"?>{doctype}<office:document-content {names}><office:body><office:text>{body}'
        "</office:text></office:body></office:document-content>"
    )
    return packed({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": xml.encode()})


@pytest.mark.parametrize("kind", sorted(LOADERS))
def test_an_empty_file_is_refused(kind: str) -> None:
    with pytest.raises(DocumentError, match="the file is empty"):
        read_bytes(f"a{LOADERS[kind].suffixes[0]}", b"")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", ["pdf", "docx", "epub"])
def test_a_truncated_file_is_read_or_refused(kind: str, part: float) -> None:
    file = docx.Document()
    file.add_paragraph("Some text.")
    whole = {
        "pdf": pdf(PdfPage().text(60, 60, "Some text.")),
        "docx": saved(file),
        "epub": epub_file({"a.xhtml": "<p>Some text.</p>"}),
    }[kind]
    try:
        assert "Some text." in read_bytes(f"a.{kind}", whole[: int(len(whole) * part)]).text
    except DocumentError as error:
        assert "damaged" in str(error)


def test_a_page_tree_that_bites_its_tail(strict: Sandbox) -> None:
    tree = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 4 /Kids [3 0 R 2 0 R] >>",
        b"<< /Type /Pages /Count 2 /Kids [2 0 R 3 0 R] /Parent 2 0 R >>",
    ]
    with pytest.raises(DocumentError, match="damaged: no page of it can be opened"):
        read_bytes("a.pdf", assemble(tree, 1), sandbox=strict)


def test_a_form_that_draws_itself_ends(strict: Sandbox) -> None:
    form = b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] "
    form += b"/Resources << /XObject << /F 4 0 R >> >> /Length 12 >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /Resources << /XObject << /F 4 0 R >> >> /Contents 5 0 R >>",
        form + b"\nstream\n/F Do /F Do \nendstream",
        b"<< /Length 12 >>\nstream\n/F Do /F Do \nendstream",
    ]
    with pytest.raises(DocumentError, match=r"broke its parser|was stopped"):
        read_bytes("a.pdf", assemble(objects, 1), sandbox=strict)


def test_a_pdf_that_claims_a_billion_pages(strict: Sandbox) -> None:
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1000000000 /Kids [] >>"]
    with pytest.raises(DocumentError, match="damaged or cut off"):
        read_bytes("a.pdf", assemble(objects, 1), sandbox=strict)


def test_entities_that_multiply_are_not_expanded(strict: Sandbox) -> None:
    entities = '<!ENTITY a "lol">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True)
    )
    with pytest.raises(DocumentError, match="is not valid XML"):
        read_bytes("a.docx", word("&j;", f"<!DOCTYPE x [{entities}]>"), sandbox=strict)


@pytest.mark.parametrize("entity", ["file:///etc/passwd", "TRAP"])
def test_entities_of_other_files_are_left_alone(entity: str, strict: Sandbox, trap: socket.socket) -> None:
    doctype = f'<!DOCTYPE x [<!ENTITY a SYSTEM "{entity.replace("TRAP", address(trap))}">]>'
    assert read_bytes("a.docx", word("before &a; after", doctype), sandbox=strict).text.startswith("before")
    page = f'<?xml version="1.0"?>{doctype}<html><p>before &a; after</p></html>'
    assert "root:" not in read_bytes("a.xhtml", page.encode(), sandbox=strict).text
    assert_nobody_called(trap)


def test_nothing_named_in_a_page_is_fetched(strict: Sandbox, trap: socket.socket) -> None:
    url = address(trap)
    page = f'<html><head><link rel=stylesheet href="{url}"><base href="{url}"></head><body><p>Text.</p>'
    page += f'<img src="{url}">'
    page += f'<iframe src="{url}"></iframe><script src="{url}"></script></body></html>'
    assert read_bytes("a.html", page.encode(), sandbox=strict).text == "Text."
    assert read_bytes("a.md", f"![x]({url})\n\nText.".encode(), sandbox=strict).text == "x\n\nText."
    assert_nobody_called(trap)


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.pptx", "a.epub"])
def test_a_zip_bomb_is_not_unpacked(name: str, strict: Sandbox) -> None:
    member = {"a.docx": DOCX, "a.xlsx": "xl/workbook.xml", "a.pptx": "ppt/presentation.xml"}
    bomb = packed({member.get(name, "META-INF/container.xml"): bytes(40 * 2**20)})
    with pytest.raises(DocumentError, match=r"unpacks from \d+ KiB to 40 MiB"):
        read_bytes(name, bomb, sandbox=strict)


def test_a_member_that_lies_about_its_size(strict: Sandbox) -> None:
    bomb = packed({DOCX: bytes(50 * 2**20)})
    lying = bomb.replace((50 * 2**20).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    with pytest.raises(DocumentError, match="cannot be unpacked"):
        read_bytes("a.docx", lying, sandbox=strict)


def test_a_sheet_that_merges_everything_is_bounded() -> None:
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as file:
        types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        file.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/></Types>',
        )
        file.writestr("xl/workbook.xml", _workbook())
        relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{relation}" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        file.writestr("xl/worksheets/sheet1.xml", _merged_sheet())
    with Sandbox(SandboxLimits(seconds=10)) as sandbox, pytest.raises(DocumentError, match="merges"):
        read_bytes("a.xlsx", book.getvalue(), sandbox=sandbox)


def _workbook() -> str:
    namespaces = (
        'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    )
    return f'<workbook {namespaces}><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>'


def _merged_sheet() -> str:
    cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>all</t></is></c></row>'
    return (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f'<sheetData>{cell}</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells></worksheet>'
    )


def test_a_file_that_takes_too_long_is_stopped_and_the_next_one_is_read() -> None:
    slow = "<html><body>" + "<table><tr><td>x" * 1500
    with Sandbox(SandboxLimits(seconds=1.5)) as sandbox:
        with pytest.raises(DocumentError, match=r"more than 1\.5 seconds, so it was stopped"):
            read_bytes("slow.csv", b"a,b\n" + b"1,2\n" * 6_000_000, sandbox=sandbox)
        assert read_bytes("b.txt", b"fine", sandbox=sandbox).text == "fine"
    with Sandbox(SandboxLimits(seconds=1)) as sandbox:
        with pytest.raises(DocumentError, match=r"was stopped|nested too deeply"):
            read_bytes("nested.html", slow.encode() * 100, sandbox=sandbox)
        assert read_bytes("b.txt", b"fine", sandbox=sandbox).text == "fine"


def test_a_file_that_eats_memory_is_stopped_and_the_next_one_is_read() -> None:
    with Sandbox(SandboxLimits(memory=300 * 2**20, bytes=2**30)) as sandbox:
        with pytest.raises(DocumentError, match="memory"):
            read_bytes("a.json", b"[" + b"[]," * 20_000_000 + b"[]]", sandbox=sandbox)
        assert read_bytes("b.txt", b"fine", sandbox=sandbox).text == "fine"


def test_a_parser_that_dies_fails_its_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox() as sandbox:
        read_bytes("a.txt", b"fine", sandbox=sandbox)
        process = sandbox._process
        assert process is not None
        listen = process._wait

        def killed_meanwhile(deadline: float, what: str, seconds: float) -> bytes | None:
            process._popen.kill()  # it has the file by now, and has not answered
            return listen(deadline, what, seconds)

        monkeypatch.setattr(process, "_wait", killed_meanwhile)
        with pytest.raises(DocumentError, match=r"broke its parser \(signal 9\)"):
            read_bytes("a.csv", b"a,b\n" + b"1,2\n" * 6_000_000, sandbox=sandbox)
        assert read_bytes("b.txt", b"fine", sandbox=sandbox).text == "fine"


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"[" * 3_000 + b"]" * 3_000]
)
def test_deep_json_is_refused(data: bytes, strict: Sandbox) -> None:
    with pytest.raises(DocumentError, match="nested too deeply"):
        read_bytes("a.json", data, sandbox=strict)


def test_a_name_that_climbs_out_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "a" / "b" / "c"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)  # where a new parsing process starts
    evil = packed({"../../evil.txt": b"x", DOCX: b"<a/>"})
    with Sandbox() as sandbox:
        document = read_bytes("../../etc/../evil\x00.txt", b"text", sandbox=sandbox)
        assert document.source == "evil\x00.txt"
        with pytest.raises(DocumentError, match="no text was found"):
            read_bytes("a.docx", evil, sandbox=sandbox)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_parser_can_neither_write_nor_call_nor_start_anything(tmp_path: Path) -> None:
    from knowledge.sandbox import parser_process

    for event, arguments in (
        ("open", (str(tmp_path / "x"), "w", os.O_WRONLY | os.O_CREAT)),
        ("open", (str(tmp_path / "x"), None, os.O_RDWR)),
        ("socket.connect", ()),
        ("socket.getaddrinfo", ()),
        ("subprocess.Popen", ()),
        ("os.system", ()),
        ("os.remove", ()),
    ):
        with pytest.raises(PermissionError, match="a parser may not"):
            parser_process._forbid(event, arguments)
    parser_process._forbid("open", (str(tmp_path / "x"), "r", os.O_RDONLY))


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("a.txt", "a\n\n"),
        ("a.txt", "word "),
        ("a.txt", "x"),
        ("a.txt", ". "),
        ("a.txt", "。"),
        ("a.txt", ".)"),
        ("a.txt", "\n  "),
        ("a.md", "[a]("),
        ("a.md", "**a"),
        ("a.md", "<!--"),
        ("a.md", "# a\n"),
        ("a.md", "|-"),
        ("a.html", "<!---->"),
        ("a.html", "<b>"),
        ("a.html", "<td>"),
        ("a.csv", '"'),
        ("a.csv", ","),
        ("a.json", "["),
    ],
)
def test_a_piece_repeated_a_hundred_thousand_times_is_quick(name: str, piece: str, strict: Sandbox) -> None:
    started = time.process_time()
    assert attempt(name, (piece * 100_000).encode(), strict) in (
        "read",
        "refused",
    )  # within the sandbox's limit
    assert time.process_time() - started < 10  # of this process, which cuts it into passages


WHOLE = {
    "a.pdf": pdf(
        PdfPage().text(60, 60, "Title", 20).grid([60, 100, 200], [100, 120, 140]).text(65, 114, "x")
    ),
    "a.docx": word("Some words."),
    "a.epub": epub_file({"a.xhtml": "<h1>x</h1><table><tr><td rowspan=2>a<td>b</table>"}),
    "a.html": b"<html><body><h1>a</h1><ul><li>b<table><tr><td rowspan=3 colspan=2>c<td>d</table></ul><pre>e",
    "a.md": b"---\ntitle: x\n---\n# a\n\n| b | c |\n|---|---|\n| d |\n\n```\ne\n```\nf\n===\n",
    "a.csv": b'a;b\n"1";2\n',
    "a.json": b'{"a": [{"b": 1}, {"c": [1, "x"]}], "d": {"e": "f"}}',
    "a.txt": "灯笼重量为三点五公斤。".encode("gb18030"),
    "a.eml": b"Subject: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nc\n--b\n"
    b"Content-Disposition: attachment; filename=d.csv\n\n1;2\n--b--\n",
    "a.odt": opendocument(
        "<text:h>a</text:h><table:table><table:table-row><table:table-cell/></table:table-row>"
    ),
    "a.rtf": b"{\\rtf1\\ansi{\\fonttbl{\\f0 A;}}a \\'e9\\u26448?\\par b\\cell c\\cell\\row}",
    "a.ipynb": b'{"cells": [{"cell_type": "code", "source": ["a"], "outputs": [{"text": "b", "data": {}}]}]}',
    "a.srt": b"1\n00:00:01,000 --> 00:00:04,000\na\n\n2\n00:00:05,000 --> 00:00:06,000\nb\n",
    "a.tex": rb"\title{a}\section{b}\begin{tabular}{l}c & d \\ \multicolumn{2}{c}{e}\end{tabular} \'e \emph{f {g}}",
    "a.xml": b'<a b="c"><d>e</d><f><g>h</g></f><f><g>i</g></f><p>j <k>l</k></p></a>',
    "a.py": b"import a\n\n@b\ndef c():\n    pass\n\nclass D:\n    def e(self): ...\n",
}


def test_entities_of_xml_and_opendocument_are_left_alone(strict: Sandbox, trap: socket.socket) -> None:
    laughs = '<!ENTITY a0 "lol">'
    laughs += "".join(f'<!ENTITY a{n} "' + 10 * f"&a{n - 1};" + '">' for n in range(1, 10))
    stolen = f'<!ENTITY a9 SYSTEM "file:///etc/passwd"><!ENTITY % b SYSTEM "{address(trap)}"> %b;'
    for inside in (laughs, stolen):
        doctype = f"<!DOCTYPE x [{inside}]>"
        for name, data in (
            ("a.xml", f"<?xml version='1.0'?>{doctype}<x>&a9;</x>".encode()),
            ("a.odt", opendocument("<text:p>&a9;</text:p>", doctype)),
        ):
            with pytest.raises(DocumentError):
                read_bytes(name, data, sandbox=strict)
    assert_nobody_called(trap)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (
            "a.eml",
            b"".join(
                b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(9_000)
            ),
        ),
        ("a.eml", b"Subject: a\nContent-Type: multipart/mixed; boundary=b\n" + b"\n--b\n\nx" * 60_000),
        ("a.rtf", b"{\\rtf1" + b"{\\field{\\*\\fldinst{HYPERLINK " * 20_000),
        ("a.tex", b"\\section{" * 60_000),
        ("a.tex", b"\\begin{verbatim}" * 40_000),
        ("a.xml", b"<a>" * 200_000),
        ("a.srt", b"00:00:01,000 --> 00:00:02,000\n" * 30_000),
        ("a.c", b"int " * 200_000),
        ("a.html", b"<div class=menu>" * 2_000 + b"x" * 100_000),
        ("a.ipynb", b'{"cells": ' + b"[" * 100_000),
        (
            "a.odt",
            opendocument(
                '<table:table><table:table-row table:number-rows-repeated="9999999"><table:table-cell '
                'table:number-columns-repeated="9999"><text:p>x</text:p></table:table-cell></table:table-row></table:table>'
            ),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_nested_or_repeated_without_end_is_bounded(name: str, data: bytes, strict: Sandbox) -> None:
    assert attempt(name, data, strict) in ("read", "refused")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(sorted(WHOLE)), seed=st.integers(0, 2**32))
def test_damaged_files_are_read_or_refused(name: str, seed: int, strict: Sandbox) -> None:
    assert attempt(name, damage(WHOLE[name], random.Random(seed)), strict) in ("read", "refused")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(LOADERS)),
    data=st.binary(min_size=1, max_size=400) | st.text(min_size=1).map(str.encode),
)
def test_any_bytes_under_any_name_are_read_or_refused(kind: str, data: bytes, strict: Sandbox) -> None:
    assert attempt(f"a{LOADERS[kind].suffixes[0]}", data, strict) in ("read", "refused")
