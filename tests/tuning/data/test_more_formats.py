"""ChatML, LangChain, LibreChat, Gemini, tables and folders of data sets, archives of many files, tools."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from langchain_core.load import dumpd
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, messages_to_dict

from tests.tuning.data.test_importers import RECORDS, A, Q, pairs_of, put
from tuning.data.examples import Example
from tuning.data.importers import import_file
from tuning.errors import ExampleError

TURNS = [{"role": "user", "content": Q}, {"role": "assistant", "content": A}]
MESSAGES = [SystemMessage("Be brief."), HumanMessage(Q), AIMessage(A)]
LIBRECHAT = {
    "conversationId": "9f", "title": "Kite", "options": {},
    "messages": [
        {"messageId": "1", "parentMessageId": "00000000-0000-0000-0000-000000000000", "sender": "User", "text": Q,
         "isCreatedByUser": True, "createdAt": "2026-01-02T03:04:05.000Z"},
        {"messageId": "2", "parentMessageId": "1", "sender": "GPT-4o", "text": "old", "isCreatedByUser": False,
         "createdAt": "2026-01-02T03:04:06.000Z"},
        {"messageId": "3", "parentMessageId": "1", "sender": "GPT-4o", "text": "", "isCreatedByUser": False,
         "content": [{"type": "text", "text": A}], "feedback": {"rating": "thumbsUp"},
         "createdAt": "2026-01-02T03:05:06.000Z"},
    ],
}  # fmt: skip
GEMINI = {
    "systemInstruction": {"role": "system", "parts": [{"text": "Be brief."}]},
    "contents": [
        {"role": "user", "parts": [{"text": Q}]},
        {"role": "model", "parts": [{"text": "let me see", "thought": True}, {"text": A}]},
    ],
}
AI_STUDIO = {"chunkedPrompt": {"chunks": [
    {"text": Q, "role": "user"}, {"text": "thinking", "role": "model", "isThought": True}, {"text": A, "role": "model"},
]}}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("openai", messages_to_dict(MESSAGES)),
        ("openai", dumpd(MESSAGES)),
        ("openai", {"messages": [one.model_dump() for one in MESSAGES]}),
        ("librechat", LIBRECHAT),
        ("gemini", GEMINI),
        ("gemini", AI_STUDIO),
        ("chatml", {"text": f"<|im_start|>user\n{Q}<|im_end|>\n<|im_start|>assistant\n{A}<|im_end|>\n"}),
    ],
)
def test_a_format_is_told_by_its_content(name: str, record: Any, tmp_path: Path) -> None:
    result = import_file(put(tmp_path, json.dumps(record)))
    assert result.format == name
    assert [(one.question, one.answer) for one in result.examples] == [(Q, A)]


def test_a_nested_export_of_librechat_keeps_branches_and_thumbs(tmp_path: Path) -> None:
    first, *others = (dict(one) for one in LIBRECHAT["messages"])  # type: ignore[attr-defined]
    nested = {**LIBRECHAT, "recursive": True, "messages": [{**first, "children": others}]}
    (conversation,) = import_file(put(tmp_path, json.dumps(nested))).conversations
    assert (conversation.title, conversation.key) == ("Kite", "librechat:9f")
    assert [one.reason for one in conversation.rated] == ["liked"]
    assert conversation.record is not None
    assert [one["content"] for one in conversation.record["other_branches"]] == ["old"]


def test_chatml_is_cut_into_chats_by_system_turns_and_blank_lines(tmp_path: Path) -> None:
    turn = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n{}<|im_end|>\n"
    first = "<|im_start|>system\nBe brief.<|im_end|>\n" + turn.format("a\n\nb", "1") + turn.format("c", "2")
    text = first + "\n" + turn.format("d", "3") + "<|im_start|>system\nX<|im_end|>\n" + turn.format("e", "4")
    result = import_file(put(tmp_path, text))
    assert [(one.question, one.answer) for one in result.examples] == [("c", "2"), ("d", "3"), ("e", "4")]
    assert [m["content"] for m in result.examples[0].messages] == ["Be brief.", "a\n\nb", "1", "c", "2"]
    assert [one.source for one in result.examples] == [f"file.bin, line {n}" for n in (1, 14, 18)]


def test_an_answer_that_rests_on_a_tool_is_context_alone(tmp_path: Path) -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "search"}}]}
    record = {
        "tools": [{"type": "function", "function": {"name": "search"}}],
        "messages": [
            {"role": "user", "content": "What is the weather?"}, call,
            {"role": "tool", "tool_call_id": "1", "content": "sun"},
            {"role": "assistant", "content": "It is sunny."}, *TURNS,
        ],
    }  # fmt: skip
    (example,) = import_file(put(tmp_path, json.dumps(record))).examples
    assert [(m["content"], m.get("weight")) for m in example.messages] == [
        ("What is the weather?", None), ("It is sunny.", "0"), (Q, None), (A, None),
    ]  # fmt: skip
    sharegpt = {
        "conversations": [
            {"from": "human", "value": "What is the weather?"}, {"from": "function_call", "value": "{}"},
            {"from": "observation", "value": "sun"}, {"from": "gpt", "value": "It is sunny."},
        ],
        "tools": "[]",
    }  # fmt: skip
    lines = "\n".join(json.dumps(one) for one in (sharegpt, RECORDS["sharegpt"]))
    result = import_file(put(tmp_path, lines))
    assert [one.answer for one in result.examples] == [A] and result.skipped == 1


@pytest.fixture
def table() -> pa.Table:
    chat = {"messages": TURNS, "weight": None}
    return pa.Table.from_pylist(
        [chat, {"messages": [{**TURNS[0], "content": "and?"}, TURNS[1]], "weight": 1}]
    )


def test_tables_are_read(table: pa.Table, tmp_path: Path) -> None:
    pq.write_table(table, tmp_path / "a.parquet")
    for name, open_ in (("b.arrow", pa.ipc.new_stream), ("c.arrow", pa.ipc.new_file)):
        with open_(tmp_path / name, table.schema) as writer:
            writer.write_table(table)
    for name in ("a.parquet", "b.arrow", "c.arrow"):
        result = import_file(tmp_path / name)
        assert result.format == "openai" and result.examples[1].source == f"{name}, line 2"
        assert [(one.question, one.answer) for one in result.examples] == [(Q, A), ("and?", A)]
    (tmp_path / "d.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(ExampleError, match=r"d\.parquet cannot be read as a table"):
        import_file(tmp_path / "d.parquet")


def test_of_a_data_sets_folder_what_is_to_train_on_is_read(table: pa.Table, tmp_path: Path) -> None:
    data = tmp_path / "set" / "data"
    data.mkdir(parents=True)
    pq.write_table(table, data / "train-00000-of-00001.parquet")
    pq.write_table(table.slice(0, 1), data / "test-00000-of-00001.parquet")
    (tmp_path / "set" / "dataset_info.json").write_text("{}")
    read = import_file(tmp_path / "set")
    assert len(read.examples) == 2
    assert [one.place for one in read.left_out] == ["test-00000-of-00001.parquet"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ExampleError, match="is a folder without chats"):
        import_file(tmp_path / "empty")


def test_an_archive_of_many_files_is_read_without_what_is_no_chat(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for number, record in enumerate((RECORDS["openai"], LIBRECHAT, RECORDS["alpaca"])):
            archive.writestr(f"chats/{number}.json", json.dumps(record))
        archive.writestr("user.json", '{"email": "a@b.c"}')
        archive.writestr("__MACOSX/._0.json", "x")
    path = put(tmp_path, held.getvalue(), "export.zip")
    assert pairs_of(path) == [(Q, A)] * 3
    assert [one.place for one in import_file(path, goes_on=True).left_out] == ["user.json"]


def test_half_an_emoji_harms_nothing(tmp_path: Path) -> None:
    record = {
        "contents": [
            {"role": "user", "parts": [{"text": "\ud83d"}]},
            {"role": "model", "parts": [{"text": A}]},
        ]
    }
    (example,) = import_file(put(tmp_path, json.dumps(record))).examples
    assert isinstance(example, Example) and example.question.encode("utf-8")
