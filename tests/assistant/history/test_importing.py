"""Importing twice changes nothing, what grew only grows, and nothing that was written here is lost."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.importing import Imported, import_conversations
from assistant.history.transfer import export, new_conversation, parse_json
from tuning.data.importers import import_file


def chat(*texts: str, **more: object) -> str:
    turns = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts)]
    return json.dumps({"messages": turns, **more})


def claude(id: str, *texts: str) -> dict[str, object]:
    turns = [{"sender": ("human", "assistant")[n % 2], "text": text} for n, text in enumerate(texts)]
    return {"uuid": id, "name": "Kite", "created_at": "2026-01-02T03:04:05Z", "chat_messages": turns}


@pytest.fixture
def imported(store: ConversationStore, tmp_path: Path) -> Callable[[object], list[Imported]]:
    """Import a file of other programs' chats."""

    def run(records: object) -> list[Imported]:
        path = tmp_path / "chats.json"
        path.write_text(json.dumps(records), encoding="utf-8")
        found = import_file(path, goes_on=True).conversations
        return import_conversations(store, [new_conversation(one) for one in found])

    return run


def contents(store: ConversationStore, conversation_id: int) -> list[str]:
    return [message.content for message in store.get(conversation_id).messages]


def test_a_file_imported_twice_is_there_once(
    store: ConversationStore, imported: Callable[[object], list[Imported]]
) -> None:
    chats = [claude("a", "q", "r"), claude("b", "q", "r")]
    assert [one.status for one in imported(chats)] == ["imported", "imported"]
    before = store.list()
    assert [one.status for one in imported(chats)] == ["skipped", "skipped"]
    assert store.list() == before


def test_a_chat_that_went_on_grows_and_keeps_what_was_judged_here(
    store: ConversationStore, imported: Callable[[object], list[Imported]]
) -> None:
    (first,) = imported([claude("a", "q", "r")])
    answer = store.get(first.id).messages[1]
    store.correct(answer.id, "R!")
    assert imported([claude("a", "q", "r", "q2", "r2")]) == [Imported(first.id, "updated")]
    assert contents(store, first.id) == ["q", "r", "q2", "r2"]
    assert store.message(answer.id).correction == "R!"


def test_a_branch_that_was_made_here_stays_in_view(
    store: ConversationStore, imported: Callable[[object], list[Imported]]
) -> None:
    (first,) = imported([claude("a", "q", "r")])
    store.add_message(first.id, "user", "my own question")
    assert imported([claude("a", "q", "r", "q2", "r2")])[0].status == "updated"
    assert contents(store, first.id) == ["q", "r", "my own question"]
    assert "r2" in [message.content for message in store.all_messages(first.id)]


def test_what_was_deleted_here_is_imported_anew(
    store: ConversationStore, imported: Callable[[object], list[Imported]]
) -> None:
    (first,) = imported([claude("a", "q", "r")])
    store.delete(first.id)
    assert imported([claude("a", "q", "r")])[0].status == "imported"


def test_without_an_id_the_content_tells(store: ConversationStore) -> None:
    same, other = parse_json(chat("q", "r")), parse_json(chat("q", "r", title="Another"))
    found = [one.status for one in import_conversations(store, [same, other, same])]
    assert found == ["imported", "imported", "skipped"]


def test_an_export_of_this_very_store_changes_nothing(store: ConversationStore, tmp_path: Path) -> None:
    conversation = store.create()
    asked = store.add_message(conversation, "user", "q")
    for answer in ("r", "r", "other"):  # regenerated: two of them are the same
        store.truncate_from(store.add_message(conversation, "assistant", answer, parent_id=asked.id).id)
        store.add_message(conversation, "assistant", f"{answer} again", parent_id=asked.id)
    exported = parse_json(export(store, conversation))
    assert import_conversations(store, [exported]) == [Imported(conversation, "skipped")]
    elsewhere = ConversationStore(tmp_path / "elsewhere.sqlite3")
    (copy,) = import_conversations(elsewhere, [exported])
    assert [import_conversations(elsewhere, [exported])[0] for _ in range(2)] == [
        Imported(copy.id, "skipped")
    ] * 2
    store.rate(asked.id + 1, -1)
    judged = parse_json(export(store, conversation))
    assert import_conversations(elsewhere, [judged]) == [Imported(copy.id, "updated")]


def test_halves_of_characters_and_nul_are_replaced(store: ConversationStore) -> None:
    text = chat("\ud83d half", "a\x00b", title="\udc00")
    (kept,) = import_conversations(store, [parse_json(text)])
    assert contents(store, kept.id) == ["\ufffd half", "a\ufffdb"]
    assert store.get(kept.id).title == "\ufffd"
    store.rename(kept.id, "\ud83d")
    store.correct(store.get(kept.id).messages[1].id, "\ud83d")
    store.add_message(kept.id, "user", "\ud83d")
    assert "\ufffd" in store.get(kept.id).messages[-1].content


@pytest.mark.parametrize(
    "moment", [1e20, -1, 0, 1e308, float("nan"), float("inf"), True, "soon", [1], 10**400]
)
def test_an_impossible_moment_is_now(store: ConversationStore, moment: object) -> None:
    (kept,) = import_conversations(store, [parse_json(chat("q", "r", created=moment))])
    newer = store.create("Newer")
    assert 0 <= store.get(newer).created - store.get(kept.id).created < 3600


@pytest.mark.parametrize("unit", [1, 1e3, 1e6, 1e9])
def test_a_moment_counts_in_its_unit(store: ConversationStore, unit: float) -> None:
    (kept,) = import_conversations(store, [parse_json(chat("q", "r", created=1.7e9 * unit))])
    assert store.get(kept.id).created == 1.7e9


def test_a_full_disk_keeps_nothing_of_the_file_and_says_so(store: ConversationStore) -> None:
    pages = store._database.read("PRAGMA page_count")[0][0]
    store._database.read(f"PRAGMA max_page_count = {pages + 4}")
    many = [parse_json(chat(f"q{n}", "r" * 5000)) for n in range(100)]
    with pytest.raises(ConversationError, match=r"the disk is full\. Free some space"):
        import_conversations(store, many)
    assert store.list() == []
    store._database.read("PRAGMA max_page_count = 100000")
    assert len(import_conversations(store, many)) == 100
