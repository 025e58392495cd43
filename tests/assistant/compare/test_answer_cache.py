"""Answers and verdicts that outlive their process: what is kept, what an interrupted write costs."""

from pathlib import Path

import pytest

from assistant.compare.answer_cache import AnswerCache
from assistant.compare.record_log import RecordLog

SEPARATORS = ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\r", "\n"]


@pytest.mark.parametrize("separator", SEPARATORS, ids=repr)
def test_a_text_with_a_line_separator_is_read_as_it_was_kept(tmp_path: Path, separator: str) -> None:
    text = f"first{separator}second"
    AnswerCache(tmp_path / "answers.jsonl").add({"a": (text, 0.5), "b": ("plain", 1.0)})
    again = AnswerCache(tmp_path / "answers.jsonl")
    assert again.get("a") == (text, 0.5)
    assert again.get("b") == ("plain", 1.0)


def test_records_after_a_cut_off_line_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    AnswerCache(path).add({"a": ("one", 0.5)})
    path.write_bytes(path.read_bytes() + b'{"key": "half')
    AnswerCache(path).add({"b": ("two", 0.5)})
    again = AnswerCache(path)
    assert again.get("a") == ("one", 0.5) and again.get("b") == ("two", 0.5)


@pytest.mark.parametrize("line", ["", "nonsense", "[1]", '{"key": "x"}', "\udcff"])
def test_a_line_that_is_no_answer_is_skipped(tmp_path: Path, line: str) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(f"{line}\n".encode(errors="surrogateescape"))
    cache = AnswerCache(path)
    cache.add({"a": ("one", 0.5)})
    assert AnswerCache(path).get("a") == ("one", 0.5) and cache.get("x") is None


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert list(RecordLog(tmp_path / "no" / "log.jsonl").read()) == []
