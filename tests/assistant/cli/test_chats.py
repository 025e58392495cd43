"""`imprint chats`: list, show, export, delete and restore, also what no page can show."""

import json
import sqlite3
from pathlib import Path

import pytest

from assistant.history.conversations import ConversationStore
from assistant.settings import Settings
from assistant.workspace import Workspace
from tests.assistant.cli.invoke import Run, document


@pytest.fixture
def store(home: Path) -> ConversationStore:
    return Workspace(Settings(home=home)).store


@pytest.fixture
def chat(store: ConversationStore) -> int:
    conversation = store.create()
    store.add_message(conversation, "user", "How heavy is the Skerrin?")
    answer = store.add_message(conversation, "assistant", "2 kg")
    store.correct(answer.id, "640 grams")
    return conversation


def test_what_is_there_is_listed_and_shown(run: Run, chat: int) -> None:
    (entry,) = document(run("chats", "list", "--json"))["chats"]
    assert (entry["id"], entry["title"], entry["messages"]) == (chat, "How heavy is the Skerrin?", 2)
    assert document(run("chats", "list", "--search", "heron", "--json")) == {"chats": []}
    assert "Skerrin" in run("chats", "list").stdout
    shown = document(run("chats", "show", chat, "--json"))
    assert [message["content"] for message in shown["messages"]] == ["How heavy is the Skerrin?", "2 kg"]
    assert "Corrected by you: 640 grams" in run("chats", "show", chat).stdout


def test_an_export_is_written_once_and_read_again(run: Run, chat: int, tmp_path: Path) -> None:
    out = tmp_path / "chat.json"
    assert document(run("chats", "export", chat, "--output", out, "--json"))["file"] == str(out)
    assert json.loads(run("chats", "export", chat).stdout)["title"] == "How heavy is the Skerrin?"
    assert run("chats", "export", chat, "--format", "md").stdout.startswith("# How heavy")
    again = run("chats", "export", chat, "--output", out)
    assert again.exit_code == 1 and "exists already" in again.stderr
    assert document(run("import", out, "--json"))["files"][0]["skipped"] == 1


def test_deleting_asks_and_can_be_undone(run: Run, store: ConversationStore, chat: int) -> None:
    for given in ("", "n\n"):
        refused = run("chats", "delete", chat, given=given)
        assert refused.exit_code == 1 and "Nothing was deleted" in refused.stderr
    assert run("chats", "delete", chat, 99, "--yes").exit_code == 1
    assert len(store.list()) == 1
    assert run("chats", "delete", chat, given="y\n").exit_code == 0
    assert store.list() == []
    assert document(run("chats", "list", "--deleted", "--json"))["chats"][0]["id"] == chat
    assert document(run("chats", "restore", chat, "--json")) == {"restored": [chat]}
    assert document(run("chats", "delete", chat, "--yes", "--json")) == {"deleted": [chat]}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE messages SET sources = '[[['",
        "UPDATE messages SET sources = '[1]'",
        "UPDATE messages SET content = x'ff00'",
        "UPDATE messages SET parent_id = id",
        "UPDATE conversations SET active_message = 99",
        "UPDATE conversations SET title = CAST(x'ff' AS TEXT)",
        "UPDATE messages SET content = CAST(x'ff' AS TEXT)",
        "UPDATE conversations SET updated = 9e999, created = 'soon'",
    ],
)
def test_a_damaged_conversation_is_one_sentence_and_can_be_deleted(
    run: Run, store: ConversationStore, chat: int, damage: str
) -> None:
    store.close()
    with sqlite3.connect(store.path) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(damage)
    database.close()
    assert [one["id"] for one in document(run("chats", "list", "--json"))["chats"]] == [chat]
    for command in (("list",), ("show", chat), ("export", chat), ("export", chat, "--format", "md")):
        result = run("chats", *command)
        assert "unexpected" not in result.stderr and result.exit_code in (0, 1)
    assert document(run("chats", "delete", chat, "--yes", "--json")) == {"deleted": [chat]}
    assert document(run("chats", "list", "--json")) == {"chats": []}


def test_several_conversations_become_one_file_to_train_from(run: Run, chat: int, tmp_path: Path) -> None:
    out = tmp_path / "chats.jsonl"
    told = document(run("chats", "export", "--all", "--format", "openai", "--output", out, "--json"))
    assert told == {"id": chat, "ids": [chat], "format": "openai", "file": str(out)}
    assert json.loads(out.read_text(encoding="utf-8"))["messages"][0]["role"] == "user"
    folder = tmp_path / "set"
    told = document(run("chats", "export", chat, "--format", "datasets", "--output", folder, "--json"))
    assert told["files"] == [str(folder / "dataset_info.json"), str(folder / "train.jsonl")]
    for words in (("export",), ("export", chat, chat + 1), ("export", chat, "--format", "datasets")):
        assert run("chats", *words).exit_code == 2


def test_conversations_are_archived_and_tagged(run: Run, store: ConversationStore, chat: int) -> None:
    assert document(run("chats", "archive", chat, "--json")) == {"archived": [chat]}
    assert document(run("chats", "list", "--not-archived", "--json")) == {"chats": []}
    assert document(run("chats", "list", "--archived", "--json"))["chats"][0]["archived"] is True
    assert document(run("chats", "archive", chat, "--undo", "--json")) == {"unarchived": [chat]}
    run("chats", "tag", chat, "--add", "clinic", "--add", "draft")
    kept = document(run("chats", "tag", chat, "--remove", "draft", "--json"))
    assert kept == {"id": chat, "tags": ["clinic"]}
    assert document(run("chats", "list", "--tag", "clinic", "--json"))["chats"][0]["tags"] == ["clinic"]
    assert run("chats", "tag", chat, "--add", " ").exit_code == 1
