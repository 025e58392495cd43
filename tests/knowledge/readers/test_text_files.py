"""Plain text, Markdown, CSV and JSON, in any encoding."""

import json

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import Document, read_bytes

SIMPLIFIED = "灯笼重量为三点五公斤，由青铜和玻璃制成。这是一个关于人们如何使用灯笼的故事，我们在这里说明。"
TRADITIONAL = "燈籠重量為三點五公斤，由青銅和玻璃製成。這是一個關於人們如何使用燈籠的故事，我們在這裡說明。"
JAPANESE = "このランプの重さは三キロです。青銅とガラスで作られています。使い方を説明します。"
FRENCH = "Un éclairage très économique, conçu à Genève – « déjà vu » coûte 12 €."
RUSSIAN = "Лампа весит три килограмма и сделана из бронзы и стекла. Она светит всю ночь."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *(
            (SIMPLIFIED, encoding)
            for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk")
        ),
        *((TRADITIONAL, encoding) for encoding in ("utf-8", "utf-16", "big5", "gb18030")),
        *((JAPANESE, encoding) for encoding in ("utf-8", "utf-16-le", "shift_jis", "cp932", "euc_jp")),
        *((FRENCH, encoding) for encoding in ("utf-8", "cp1252", "utf-16")),
        *((RUSSIAN, encoding) for encoding in ("utf-8", "cp1251", "utf-16")),
        ("Just ASCII, nothing more.", "utf-16-le"),
        ("Just ASCII, nothing more.", "utf-32"),
    ],
)
def test_any_encoding(text: str, encoding: str) -> None:
    assert read_bytes("a.txt", (text + "\r\n").encode(encoding)).text == text


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "shift_jis", "cp1252"])
def test_mostly_ascii_with_a_few_words_of_another_language(encoding: str) -> None:
    words = {
        "gb18030": "灯笼的重量",
        "big5": "燈籠的重量",
        "shift_jis": "ランプの重さ",
        "cp1252": "façade, naïve, über",
    }
    text = "The lamp is described below, in the usual way.\n" * 20 + words[encoding]
    assert read_bytes("a.txt", text.encode(encoding)).text == text


def test_some_broken_bytes_do_not_change_the_encoding() -> None:
    data = SIMPLIFIED.encode() + b"\xff\xfe" + SIMPLIFIED.encode()
    assert read_bytes("a.txt", data).text == SIMPLIFIED + "\ufffd\ufffd" + SIMPLIFIED


def test_binary_under_a_text_name_is_refused() -> None:
    with pytest.raises(DocumentError, match="it is not text"):
        read_bytes("a.txt", bytes(range(256)) * 40)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.txt.csv"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_keep_their_column_names(name: str, delimiter: str) -> None:
    if name.endswith(".tsv") and delimiter != "\t":
        pytest.skip("a TSV is divided by tabs")
    rows = [["Lamp", "Watt", "Remark"], ["Aurora", "12", "a “good” lamp"], ["北极", "34", "两行"]]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)
    (section,) = read_bytes(name, text.encode()).sections
    assert section.kind == "table"
    assert section.text.split("\n") == [
        "Lamp: Aurora; Watt: 12; Remark: a “good” lamp",
        "Lamp: 北极; Watt: 34; Remark: 两行",
    ]


def test_csv_cells_with_line_ends_stay_one_row() -> None:
    assert read_bytes("a.csv", b'name,text\nlamp,"one\ntwo"\n').text == "name: lamp; text: one two"


def test_csv_without_header_keeps_all_rows() -> None:
    assert read_bytes("a.csv", b"1,2,3\n4,5,6\n").text == "1 | 2 | 3\n4 | 5 | 6"


def blocks(document: Document) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(section.kind, section.text, section.headings) for section in document.sections]


def test_json_records_are_rows_and_keys_are_headings() -> None:
    value = {
        "title": "Stock",
        "lamps": [{"name": "Aurora", "watt": 12, "rooms": ["hall", "loft"]}, {"name": "北极", "watt": 34.5}],
        "store": {"city": "Norwick", "story": "It was long ago. " * 20, "open": True, "fax": None},
    }
    document = read_bytes("a.json", json.dumps(value).encode("utf-8"))
    assert document.title == "Stock"
    assert blocks(document) == [
        ("table", "title: Stock", ()),
        ("table", "name: Aurora; watt: 12; rooms: hall, loft\nname: 北极; watt: 34.5", ("lamps",)),
        ("table", "city: Norwick; open: true", ("store",)),
        ("text", ("It was long ago. " * 20).strip(), ("store", "story")),
    ]


def test_json_lines_and_a_broken_one() -> None:
    document = read_bytes("a.jsonl", b'{"a": 1}\nnonsense\n{"a": 2}\n{"a": 3}\n')
    assert document.text == "a: 1\na: 2\na: 3"
    assert document.notes == ("1 lines are not valid JSON, the first is line 2",)
    assert read_bytes("a.json", b'{"a": 1}\n{"a": 2}\n').text == "a: 1\na: 2"


@pytest.mark.parametrize("data", [b"{", b"[1,", b"nonsense", b'{"a": 1,}'])
def test_broken_json_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentError, match="JSON"):
        read_bytes("a.json", data)


def test_json_with_huge_numbers_and_lone_surrogates() -> None:
    document = read_bytes("a.json", b'{"n": 1' + b"0" * 5000 + b', "s": "\\ud800x"}')
    document.text.encode("utf-8")
    assert "x" in document.text


def test_markdown_front_matter_setext_links_and_nested_fences() -> None:
    source = '---\ntitle: "Lamp book"\n---\nTop\n===\n\nSee [the *shop*](http://x.example/a_(b)).\n\n'
    source += "````md\n```py\n# no heading\n```\n````\n"
    document = read_bytes("a.md", source.encode())
    assert document.title == "Lamp book"
    assert blocks(document) == [
        ("text", "See the *shop*.", ("Top",)),
        ("code", "```py\n# no heading\n```", ("Top",)),
    ]


def test_restructured_text_headings() -> None:
    document = read_bytes("a.rst", b"====\nLamp\n====\n\nIt shines.\n\nParts\n-----\n\nFoot.\n")
    assert [line[1:] for line in blocks(document)] == [
        ("It shines.", ("Lamp",)),
        ("Foot.", ("Lamp", "Parts")),
    ]


def test_program_text_is_code() -> None:
    assert blocks(read_bytes("a.py", b"# no heading\n\ndef f():\n    return 1\n")) == [
        ("code", "# no heading\n\ndef f():\n    return 1", ())
    ]


def test_unclosed_fence_is_code_to_the_end() -> None:
    assert blocks(read_bytes("a.md", b"text\n\n```\n# x\n\n| a | b |\n|---|---|\n"))[1][:2] == (
        "code",
        "# x\n\n| a | b |\n|---|---|",
    )


def test_the_kind_is_told_by_content_before_the_name() -> None:
    assert read_bytes("a.txt", b"<!DOCTYPE html><html><body><p>Hello</p></body></html>").text == "Hello"
    with pytest.raises(DocumentError, match=r"named \.pdf and is not PDF inside"):
        read_bytes("a.pdf", b"just words")
