"""A chat file costs no more than it may: size, records, values, columns, time; archives as their content."""

import gzip
import json
import zipfile
from pathlib import Path

import pytest

from tuning.data import file_chats, file_records, file_texts, reading_process
from tuning.data.imported import ImportedConversation
from tuning.data.importers import SMALL_BYTES, conversations_to_examples, import_file
from tuning.data.reading_process import read_chats_apart
from tuning.errors import ExampleError

CHAT = json.dumps({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]})


def packed(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", content)
    return path


def test_an_archive_that_unpacks_like_a_bomb_is_refused(tmp_path: Path) -> None:
    empty = b"[" + b"{}," * (8 << 20) + b"{}]"
    with pytest.raises(ExampleError, match=r"unpacks from .* as no chats do"):
        import_file(packed(tmp_path / "bomb.zip", empty))
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(empty))
    with pytest.raises(ExampleError, match=r"unpacks from .* as no chats do"):
        import_file(tmp_path / "bomb.gz")


def test_empty_records_are_refused_by_the_first_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "small.zip", b"[" + b"{}," * 700_000 + b"{}]")
    with pytest.raises(ExampleError, match="its first 1,000 records are of none"):
        import_file(path)
    read = []
    original = file_records.check_count
    monkeypatch.setattr(file_records, "check_count", lambda n, p: (read.append(n), original(n, p)))
    with pytest.raises(ExampleError, match="no known format"):
        file_chats.read_chats(path)
    assert len(read) <= 1_001


def test_a_packed_chat_is_read(tmp_path: Path) -> None:
    (tmp_path / "chats.jsonl.gz").write_bytes(gzip.compress(CHAT.encode()))
    assert len(import_file(tmp_path / "chats.jsonl.gz").examples) == 1
    (tmp_path / "cut.gz").write_bytes(gzip.compress(CHAT.encode())[:-9])
    with pytest.raises(ExampleError, match="cannot be unpacked"):
        import_file(tmp_path / "cut.gz")


@pytest.mark.parametrize(
    ("limit", "value", "text", "reason"),
    [
        ("MAX_RECORDS", 5, CHAT * 6, "more than 5 records"),
        ("MAX_RECORDS", 5, "question,answer\n" + "a,b\n" * 6, "more than 5 records"),
        ("MAX_VALUES", 50, CHAT * 20, "more than 50 values"),
        ("MAX_CELLS", 50, "question,answer" + ",x" * 9 + "\n" + "a,b\n" * 9, "11 columns and 9 rows"),
    ],
)
def test_each_limit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, text: str, reason: str
) -> None:
    monkeypatch.setattr(file_records, limit, value)
    path = tmp_path / "chats"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ExampleError, match=reason):
        import_file(path)


def test_a_file_over_the_limit_of_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(file_texts.MAX_BYTES + 1)  # sparse: takes no room
    with pytest.raises(ExampleError, match=r"257 MiB|256 MiB; at most 256 MiB"):
        import_file(path)


def test_one_chat_may_not_be_endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_chats, "MAX_CHARACTERS", 1 << 20)
    long = {"prompt": "q", "response": "x" * (2 << 20)}
    path = tmp_path / "chats"
    path.write_text(json.dumps(long) + "\n" + json.dumps({"prompt": "q", "response": "a"}), encoding="utf-8")
    result = file_chats.read_chats(path, goes_on=True)
    assert len(result.chats) == 1 and "more than 1 million characters" in result.left_out[0].reason


def test_many_messages_of_one_role_are_joined_in_time_linear_in_them() -> None:
    turns = [{"role": "user", "content": "x" * 20}] * 200_000 + [{"role": "assistant", "content": "a"}]
    (example,) = conversations_to_examples([ImportedConversation("", tuple(turns))])
    assert len(example.question) == 200_000 * 22 - 2


def test_a_chat_or_a_file_of_endlessly_many_messages_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = [{"role": "user", "content": "q"}] * 20_001
    path = tmp_path / "chats"
    path.write_text(CHAT + "\n" + json.dumps({"messages": turns}), encoding="utf-8")
    result = import_file(path, goes_on=True)
    assert len(result.conversations) == 1
    assert [one.reason for one in result.left_out] == ["the chat has more than 20,000 messages."]
    monkeypatch.setattr(file_chats, "MAX_FILE_MESSAGES", 5)
    path.write_text(CHAT * 3, encoding="utf-8")
    with pytest.raises(ExampleError, match="more than 5 messages"):
        import_file(path)


def test_a_large_file_is_read_apart_and_comes_back_the_same(tmp_path: Path) -> None:
    rated = {"messages": [{"role": "user", "content": "夜?"},
                          {"role": "assistant", "content": "n", "rating": -1, "correction": "莺"}]}  # fmt: skip
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join([json.dumps(rated), CHAT] * 2_000) + "\nbroken\n{broken\n", encoding="utf-8")
    assert path.stat().st_size > SMALL_BYTES
    assert read_chats_apart(path, goes_on=True) == file_chats.read_chats(path, goes_on=True)
    with pytest.raises(ExampleError, match=r"line 4001: not JSON"):
        import_file(path)


def test_reading_ends_at_its_deadline(tmp_path: Path) -> None:
    path = tmp_path / "chats.jsonl"
    path.write_text((CHAT + "\n") * 150_000, encoding="utf-8")
    with pytest.raises(ExampleError, match=r"took more than 0\.05 seconds"):
        read_chats_apart(path, seconds=0.05)


def test_a_reader_that_dies_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_process, "__name__", "tuning.data.no_such_module")
    with pytest.raises(ExampleError, match="ended before its time"):
        read_chats_apart(tmp_path / "chats.jsonl")


def test_broken_chats_are_left_out_and_named(tmp_path: Path) -> None:
    good = {"prompt": "q", "response": "a"}
    odd = [
        {"prompt": "q", "response": "a", "history": 5},
        {"content": "x"},
        7,
        {"prompt": "", "response": ""},
    ]
    lines = [json.dumps(good), *map(json.dumps, odd), '{"prompt": "q" "a"}', json.dumps(good)]
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    result = import_file(path, goes_on=True)
    assert len(result.conversations) == 2
    assert {one.place for one in result.left_out} == {f"chats.jsonl, line {n}" for n in range(2, 7)}
    with pytest.raises(ExampleError, match=r"chats\.jsonl, line"):
        import_file(path)


def test_a_label_that_confuses_is_left_out(tmp_path: Path) -> None:
    lines = [{"text": "a", "entities": [["x", {}, "PER"]]}, {"text": "Ada", "entities": [[0, 3, "PER"]]}]
    path = tmp_path / "chats.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert [one.place for one in import_file(path, goes_on=True).left_out] == ["chats.jsonl, line 1"]
    with pytest.raises(ExampleError, match="line 1: not shaped as"):
        import_file(path)
