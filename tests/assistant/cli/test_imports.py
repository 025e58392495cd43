"""`imprint import`."""

import json
from pathlib import Path

from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Run, document


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
