"""`imprint import`."""

import contextlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Run, document


@contextlib.contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Files of this process may not grow past this, as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_import_keeps_ratings_and_corrections(run: Run, home: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    messages = [
        {"role": "user", "content": "多重？"},
        {"role": "assistant", "content": "2 kg", "rating": -1, "correction": "640 克"},
    ]
    own.write_text(json.dumps({"title": "夜莺", "messages": messages}, ensure_ascii=False), encoding="utf-8")
    other = tmp_path / "other.jsonl"
    chat = {"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]}
    other.write_text(json.dumps(chat) + "\n", encoding="utf-8")
    files = document(run("import", own, other, "--json"))["files"]
    assert [entry["conversations"] for entry in files] == [1, 1]
    kept = Workspace(Settings(home=home)).store.get(files[0]["ids"][0])
    assert (kept.title, kept.messages[1].correction, kept.messages[1].rating) == ("夜莺", "640 克", -1)


def chatgpt(title: str, answer: str, **more: object) -> dict[str, Any]:
    def node(parent: str | None, role: str, text: str) -> dict[str, Any]:
        content = {"content_type": "text", "parts": [text]}
        return {"parent": parent, "children": [], "message": {"author": {"role": role}, "content": content}}

    mapping = {"q": node(None, "user", f"{title}?"), "r": node("q", "assistant", answer)}
    return {"title": title, "mapping": mapping, "current_node": "r", **more}


def put(folder: Path, *records: object) -> Path:
    path = folder / "conversations.json"
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


def test_half_an_emoji_keeps_no_chat_out_and_a_second_import_changes_nothing(
    run: Run, home: Path, tmp_path: Path
) -> None:
    path = put(tmp_path, chatgpt("One", "a"), chatgpt("Two", "b"), chatgpt("Three", "\ud83d half"))
    first, second = (document(run("import", path, "--json"))["files"][0] for _ in range(2))
    assert (first["imported"], first["skipped"], first["left_out"]) == (3, 0, [])
    assert (second["imported"], second["skipped"], second["ids"]) == (0, 3, first["ids"])
    assert len(Workspace(Settings(home=home)).store.list()) == 3
    assert "imported 0, updated 0, skipped 3, left out 0" in run("import", path).stdout


def test_a_broken_chat_is_named_and_the_others_are_kept(run: Run, tmp_path: Path) -> None:
    path = put(tmp_path, chatgpt("One", "a"), {"title": "Odd", "mapping": [1]}, chatgpt("Two", "b"))
    result = run("import", path)
    assert (result.exit_code, "imported 2" in result.stdout, "left out 1" in result.stdout) == (0, True, True)
    assert "conversations.json, line 1: not shaped as ChatGPT" in result.stderr
    assert "Error" not in result.stderr


def test_times_in_milliseconds_are_times(run: Run, home: Path, tmp_path: Path) -> None:
    path = put(tmp_path, chatgpt("One", "a", create_time=1.7e12), chatgpt("Two", "b", create_time=1e20))
    run("import", path)
    two, one = Workspace(Settings(home=home)).store.list()
    assert one.created == 1.7e9 < two.created


def test_of_several_files_one_that_fails_keeps_no_other_out(run: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("just words", encoding="utf-8")
    files = document(run("import", bad, put(tmp_path, chatgpt("One", "a")), "--json"), 1)["files"]
    assert "no known format" in files[0]["error"] and files[1]["imported"] == 1
    alone = run("import", bad)
    assert (alone.exit_code, alone.stdout) == (1, "") and "no known format" in alone.stderr


def test_a_file_that_cannot_be_kept_leaves_nothing(run: Run, home: Path, tmp_path: Path) -> None:
    store = Workspace(Settings(home=home)).store
    store.close()
    path = put(tmp_path, *(chatgpt(f"Chat {n}", "long " * 2000) for n in range(50)))
    with limited_file_size(store.path.stat().st_size + 20_000):
        result = run("import", path)
    assert result.exit_code == 1 and "Traceback" not in result.stderr
    assert "disk" in result.stderr and "Error" not in result.stderr
    assert store.list() == []
