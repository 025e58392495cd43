"""Exports of chat programs: the open branch, the ratings, and what was spoken."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tuning.data.importers import import_file


def node(id: str, parent: str | None, role: str, content: str, **more: Any) -> dict[str, Any]:
    return {
        "id": id,
        "parentId": parent,
        "role": role,
        "content": content,
        "timestamp": 1780000000 + len(id),
        **more,
    }


NODES = [
    node("a", None, "user", "When does the bakery open?"),
    node("bb", "a", "assistant", "At eleven.", annotation={"rating": -1}),
    node(
        "ccc", "a", "assistant", '<details type="reasoning">hm</details>\nAt six.', annotation={"rating": 1}
    ),
    node("dddd", "ccc", "user", "Who bakes?"),
    node("eeeee", "dddd", "assistant", "Ylva."),
]


def open_webui(**history: Any) -> dict[str, Any]:
    tree = {"messages": {one["id"]: one for one in NODES}, "currentId": "eeeee", **history}
    return {"id": "c1", "title": "面包", "created_at": 1780000000, "chat": {"history": tree}}


def put(folder: Path, record: object) -> Path:
    path = folder / "export.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


def test_open_webui_gives_its_open_branch_and_what_was_liked(tmp_path: Path) -> None:
    result = import_file(put(tmp_path, [open_webui()]))
    (conversation,) = result.conversations

    assert (result.format, conversation.title, conversation.key) == ("open-webui", "面包", "open-webui:c1")
    assert [m["content"] for m in conversation.messages] == [
        "When does the bakery open?",
        "At six.",
        "Who bakes?",
        "Ylva.",
    ]
    assert [(e.question, e.answer, e.reason) for e in result.examples] == [
        ("When does the bakery open?", "At six.", "liked")
    ]
    assert conversation.record is not None
    assert [(m["content"], m["rating"]) for m in conversation.record["other_branches"]] == [
        ("At eleven.", -1)
    ]


@pytest.mark.parametrize("current", ["gone", None, 5])
def test_a_leaf_that_is_not_there_is_replaced_by_the_newest(tmp_path: Path, current: object) -> None:
    (conversation,) = import_file(put(tmp_path, [open_webui(currentId=current)])).conversations
    assert conversation.messages[-1]["content"] == "Ylva."


def test_a_ring_of_messages_ends(tmp_path: Path) -> None:
    ring = {one["id"]: one for one in [node("a", "bb", "user", "Q?"), node("bb", "a", "assistant", "A.")]}
    (conversation,) = import_file(put(tmp_path, [open_webui(messages=ring, currentId="bb")])).conversations
    assert [m["content"] for m in conversation.messages] == ["Q?", "A."]


def test_what_was_spoken_to_chatgpt_is_read(tmp_path: Path) -> None:
    def spoken(role: str, *parts: object, parent: str | None) -> dict[str, Any]:
        content = {"content_type": "multimodal_text", "parts": list(parts)}
        return {"message": {"author": {"role": role}, "content": content}, "parent": parent}

    heard = {"content_type": "audio_transcription", "text": "How hot is the kiln?"}
    empty = {"content_type": "audio_transcription", "text": ""}
    mapping = {
        "a": spoken("user", {"content_type": "audio_asset_pointer"}, heard, parent=None),
        "b": spoken("assistant", empty, parent="a"),
        "c": spoken(
            "assistant", {"content_type": "audio_transcription", "text": "1240 degrees."}, parent="b"
        ),
    }
    (example,) = import_file(
        put(tmp_path, [{"title": "Kiln", "mapping": mapping, "current_node": "c"}])
    ).examples
    assert (example.question, example.answer) == ("How hot is the kiln?", "1240 degrees.")


def test_a_broken_chat_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = put(tmp_path, [open_webui(), {"title": "Broken", "id": "x"}])
    result = import_file(path, goes_on=True)

    assert len(result.conversations) == 1
    assert "(record 2, 'Broken')" in result.left_out[0].reason


def test_records_that_are_no_chats_do_not_speak_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / "conversations.json"
    turn = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["When?"]}}
    reply = {"author": {"role": "assistant"}, "content": {"content_type": "text", "parts": ["At seven."]}}
    chat = {
        "title": "Kilns",
        "mapping": {
            "a": {"id": "a", "message": turn, "parent": None, "children": ["b"]},
            "b": {"id": "b", "message": reply, "parent": "a", "children": []},
        },
        "current_node": "b",
    }
    broken = [{"messages": []}, None, "text", 42, [], {"title": "x", "mapping": None}]
    path.write_text(json.dumps([*broken, chat, chat]), encoding="utf-8")
    result = import_file(path, goes_on=True)
    assert result.format == "chatgpt"
    assert [len(one.messages) for one in result.conversations] == [2, 2]
    assert result.left_out


@pytest.mark.parametrize("bad", [b"\xff", b"\xe4\xb8", b"\xed\xa0\xbd"])
def test_one_wrong_byte_costs_a_file_no_more_than_its_letter(tmp_path: Path, bad: bytes) -> None:
    path = tmp_path / "a.jsonl"
    text = '{"question": "渡轮几点开？X", "answer": "早上七点四十分，从四号码头离开。"}'
    path.write_bytes(text.encode().replace(b"X", bad))
    (chat,) = import_file(path, goes_on=True).conversations
    assert chat.messages[1]["content"] == "早上七点四十分，从四号码头离开。"
    assert chat.messages[0]["content"].startswith("渡轮几点开？")


def chatgpt(*turns: tuple[str, str, str]) -> dict[str, Any]:
    """One of ChatGPT's conversations: the id, the speaker and the text of each message."""
    ids = [None, *(id for id, _, _ in turns)]
    mapping = {
        id: {
            "message": {"author": {"role": role}, "content": {"content_type": "text", "parts": [text]}},
            "parent": parent,
        }
        for (id, role, text), parent in zip(turns, ids, strict=False)
    }
    return {"title": "Lind", "id": "c1", "mapping": mapping, "current_node": ids[-1]}


BOATS = chatgpt(
    ("1", "user", "How long?"),
    ("2", "assistant", "31 m."),
    ("3", "user", "Who built it?"),
    ("4", "assistant", "Olsen."),
)


@pytest.mark.parametrize("key", ["id", "message_id"])
@pytest.mark.parametrize(
    ("thumbs", "learned"),
    [
        ({"2": "thumbs_up", "4": "thumbs_down"}, ["31 m."]),
        ({"4": "thumbsDown"}, ["31 m."]),
        ({}, ["31 m.", "Olsen."]),
        ({"elsewhere": "thumbs_down"}, ["31 m.", "Olsen."]),
    ],
)
def test_the_thumbs_of_chatgpt_stand_in_a_file_of_their_own(
    tmp_path: Path, key: str, thumbs: dict[str, str], learned: list[str]
) -> None:
    feedback = [{key: id, "conversation_id": "c1", "rating": rating} for id, rating in thumbs.items()]
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conversations.json", json.dumps([BOATS]))
        archive.writestr("message_feedback.json", json.dumps(feedback))
    result = import_file(path)

    answers = [m["content"] for e in result.examples for m in e.messages if m["role"] == "assistant"]
    assert (answers, len(result.conversations), result.left_out) == (learned, 1, ())
    assert result.conversations[0].key == "chatgpt:c1"


@pytest.mark.parametrize("feedback", ["", "{}", "[5, null]", "[[[", '[{"id": 5, "rating": {}}]'])
def test_thumbs_that_cannot_be_read_say_nothing(tmp_path: Path, feedback: str) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conversations.json", json.dumps([BOATS]))
        archive.writestr("message_feedback.json", feedback)
    assert [e.answer for e in import_file(path).examples] == ["Olsen."]


def test_what_chatgpt_and_claude_read_off_a_tool_is_context(tmp_path: Path) -> None:
    browsed = chatgpt(
        ("1", "user", "Rain?"), ("2", "tool", "wet"), ("3", "assistant", "Yes."), ("4", "user", "Sure?"),
        ("5", "assistant", "Quite."),
    )  # fmt: skip
    searched = [{"type": "tool_use"}, {"type": "tool_result"}, {"type": "text", "text": "Yes."}]
    claude = {
        "uuid": "c2",
        "chat_messages": [
            {"sender": "human", "text": "Rain?"},
            {"sender": "assistant", "text": "This block is not supported.", "content": searched},
            {"sender": "human", "text": "Sure?"},
            {"sender": "assistant", "text": "Quite."},
        ],
    }
    for record in (browsed, claude):
        (example,) = import_file(put(tmp_path, [record])).examples
        assert [(m["content"], m.get("weight")) for m in example.messages[1::2]] == [
            ("Yes.", "0"),
            ("Quite.", None),
        ]
