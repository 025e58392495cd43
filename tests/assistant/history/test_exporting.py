"""Conversations as files to train from: corrections in place, dislikes as context, what was preferred."""

import json
from pathlib import Path
from typing import Any

import pytest

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.exporting import training_file, write_dataset
from assistant.history.importing import import_conversations
from assistant.history.transfer import new_conversation
from tuning.data.importers import import_file


@pytest.fixture
def rated(store: ConversationStore) -> int:
    """A corrected answer, a disliked one with a liked alternative, one that was cut off, a question left open."""
    id = store.create()
    store.add_message(id, "user", "Weight?")
    wrong = store.add_message(id, "assistant", "Heavy.")
    store.rate(wrong.id, -1)
    store.correct(wrong.id, "640 grams.")
    asked = store.add_message(id, "user", "Colour?")
    liked = store.add_message(id, "assistant", "Mulberry.")
    store.rate(liked.id, 1)
    disliked = store.add_message(id, "assistant", "White.", parent_id=asked.id)
    store.rate(disliked.id, -1)
    store.add_message(id, "user", "Story?")
    cut = store.add_message(id, "assistant", "Once upon")
    store.update_message(cut.id, ending="length")
    store.add_message(id, "user", "Battery?")
    store.add_message(id, "assistant", "95 days.")
    store.add_message(id, "user", "And?")
    return id


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_is_learned_is_what_was_found_right(store: ConversationStore, rated: int) -> None:
    (row,) = rows(training_file(store, [rated], "openai"))
    assert [(m["content"], m.get("weight")) for m in row["messages"] if m["role"] == "assistant"] == [
        ("640 grams.", None), ("White.", 0), ("Once upon", 0), ("95 days.", None),
    ]  # fmt: skip
    assert row["messages"][-1]["content"] == "95 days."


def test_preferences_are_corrections_and_thumbs(store: ConversationStore, rated: int) -> None:
    pairs = rows(training_file(store, [rated], "dpo"))
    said = [
        (one["prompt"][-1]["content"], one["chosen"][0]["content"], one["rejected"][0]["content"])
        for one in pairs
    ]
    assert said == [("Weight?", "640 grams.", "Heavy."), ("Colour?", "Mulberry.", "White.")]
    assert [m["content"] for m in pairs[1]["prompt"]] == ["Weight?", "640 grams.", "Colour?"]
    judged = [
        (one["completion"][0]["content"], one["label"]) for one in rows(training_file(store, [rated], "kto"))
    ]
    assert judged == [("640 grams.", True), ("Heavy.", False), ("White.", False)]


def test_a_datasets_folder_is_read_again(store: ConversationStore, rated: int, tmp_path: Path) -> None:
    files = write_dataset(store, [rated], tmp_path / "set")
    assert [file.name for file in files] == ["dataset_info.json", "train.jsonl"]
    about = json.loads(files[0].read_text())
    assert about["splits"]["train"]["num_examples"] == 1 and "messages" in about["features"]
    assert [one.answer for one in import_file(tmp_path / "set").examples] == ["95 days."]
    with pytest.raises(ConversationError, match="exists already"):
        write_dataset(store, [rated], tmp_path / "set")


def test_where_nothing_is_to_be_exported_it_is_said(store: ConversationStore) -> None:
    id = store.create()
    store.add_message(id, "user", "Weight?")
    with pytest.raises(
        ConversationError, match="'openai': the 1 conversations hold no question with an answer"
    ):
        training_file(store, [id], "openai")
    store.add_message(id, "assistant", "640 grams.")
    with pytest.raises(
        ConversationError, match="'kto': the 1 conversations hold no rated or corrected answer"
    ):
        training_file(store, [id], "kto")


MASKED = {"role": "assistant", "content": "It rains.", "weight": 0}
ASKED = [{"role": "user", "content": "Weather?"}, MASKED, {"role": "user", "content": "Thanks"}]
THUMB_DOWN = {"role": "assistant", "content": "No.", "feedback": "bad"}


@pytest.mark.parametrize(
    "chat",
    [
        {"messages": [*ASKED, {"role": "assistant", "content": "Welcome."}]},
        {
            "messages": [*ASKED, {"role": "assistant", "content": "Welcome.", "rating": 1}]
        },  # in Imprint's own form
    ],
)
def test_what_a_file_masks_is_not_called_bad(
    store: ConversationStore, tmp_path: Path, chat: dict[str, Any]
) -> None:
    id = imported(store, tmp_path, chat)
    (row,) = rows(training_file(store, [id], "openai"))
    assert [m.get("weight") for m in row["messages"]] == [None, 0, None, None]
    assert all(m.rating >= 0 for m in store.get(id).messages)
    judged = rows(training_file(store, [id], "kto")) if "rating" in chat["messages"][-1] else []
    assert [one["label"] for one in judged] == [True] * len(judged)
    store.rate(store.get(id).messages[1].id, 1)  # a person frees it
    (row,) = rows(training_file(store, [id], "openai"))
    assert [m.get("weight") for m in row["messages"]] == [None] * 4


def test_what_a_file_calls_bad_is(store: ConversationStore, tmp_path: Path) -> None:
    chat = {"messages": [*ASKED, {"role": "assistant", "content": "Welcome."}, ASKED[2], THUMB_DOWN]}
    id = imported(store, tmp_path, chat)
    assert [m.rating for m in store.get(id).messages] == [0, 0, 0, 0, 0, -1]
    (row,) = rows(training_file(store, [id], "kto"))
    assert (row["completion"][0]["content"], row["label"]) == ("No.", False)


def imported(store: ConversationStore, folder: Path, chat: dict[str, Any]) -> int:
    file = folder / "chats.jsonl"
    file.write_text(json.dumps(chat), encoding="utf-8")
    (one,) = import_file(file).conversations
    (kept,) = import_conversations(store, [new_conversation(one)])
    return kept.id
