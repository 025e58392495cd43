"""JSON and JSON Lines: records as rows, keys as headings."""

import json

import pytest

from knowledge.errors import DocumentError
from knowledge.ingest.document import read_bytes
from tests.knowledge.readers.sections import sections_of


def test_json_records_are_rows_and_keys_are_headings() -> None:
    value = {
        "title": "Stock",
        "lamps": [{"name": "Aurora", "watt": 12, "rooms": ["hall", "loft"]}, {"name": "北极", "watt": 34.5}],
        "store": {"city": "Norwick", "story": "It was long ago. " * 20, "open": True, "fax": None},
    }
    document = read_bytes("a.json", json.dumps(value).encode("utf-8"))
    assert document.title == "Stock"
    assert sections_of(document) == [
        ("table", "title: Stock", ()),
        ("table", "name: Aurora; watt: 12; rooms: hall, loft\nname: 北极; watt: 34.5", ("lamps",)),
        ("table", "city: Norwick; open: true", ("store",)),
        ("text", ("It was long ago. " * 20).strip(), ("store", "story")),
    ]


def test_records_in_records_stay_in_their_row() -> None:
    fleet = [{"name": "Lind", "size": {"length": 12, "beam": 4}}, {"name": "Aure", "size": {"length": 9}}]
    document = read_bytes("a.json", json.dumps(fleet).encode())
    assert document.text == "name: Lind; size.length: 12; size.beam: 4\nname: Aure; size.length: 9"


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
