"""Polled files are parsed once as long as they stay as they are, and no more of them are kept than needed."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from tuning.jobs import records
from tuning.jobs.records import EventReader, RecordCache


def put(path: Path, **record: object) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is parsed."""
    texts: list[str] = []

    def loads(text: str) -> object:
        texts.append(text)
        return json.loads(text)

    monkeypatch.setattr(records, "json", SimpleNamespace(loads=loads))
    return texts


def test_a_record_is_parsed_again_only_where_it_changed(tmp_path: Path, parsed: list[str]) -> None:
    cache, path = RecordCache(), put(tmp_path / "job.json", step=1)
    first = cache.read(path)
    first["step"] = 7  # the caller's own copy
    assert cache.read(path) == {"step": 1} and len(parsed) == 1
    os.utime(path, ns=(5, 5))
    put(path, step=2)
    assert cache.read(path) == {"step": 2} and len(parsed) == 2


def test_only_so_many_records_are_kept_and_the_oldest_goes_first(tmp_path: Path, parsed: list[str]) -> None:
    cache = RecordCache(limit=2)
    a, b, c = (put(tmp_path / f"{name}.json", name=name) for name in "abc")
    for path in (a, b, a, c):  # a was read after b
        cache.read(path)
    assert len(cache) == 2 and len(parsed) == 3
    assert cache.read(a) == {"name": "a"} and len(parsed) == 3
    assert cache.read(b) == {"name": "b"} and len(parsed) == 4


def test_what_was_removed_is_not_kept(tmp_path: Path) -> None:
    cache = RecordCache()
    gone, stays = put(tmp_path / "one" / "job.json", a=1), put(tmp_path / "two" / "job.json", a=2)
    also = put(tmp_path / "one" / "config.json", a=3)
    for path in (gone, stays, also):
        cache.read(path)
    gone.unlink()
    assert cache.read(gone) == {} and len(cache) == 2
    cache.forget(also.parent)
    assert len(cache) == 1 and cache.read(stays) == {"a": 2}


@pytest.mark.parametrize("text", ["{torn", "[1]", ""])
def test_what_is_no_object_is_empty(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.json").write_text(text, encoding="utf-8")
    assert RecordCache().read(tmp_path / "job.json") == {}


def test_events_are_read_on_from_where_the_last_call_ended(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.after(0) == []
    path.write_bytes('{"text": "a\u2028b\u0085c"}\n{"torn\n{"whole": 1}\n{"unfin'.encode())
    assert reader.after(0) == [{"text": "a\u2028b\u0085c"}, {"whole": 1}]
    with path.open("ab") as file:
        file.write(b'ished": 2}\n')
    assert reader.after(2) == [{"unfinished": 2}]
