"""A small file of every format that chats come in, invented, with what is awkward in real ones: see `formats`."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Q, A = "How heavy is the Skerrin? 多重？", "640 grams. 640 克。"
MORE = ("And the Tolva?", "1.2 kilograms.")
USER, ANSWER = {"role": "user", "content": Q}, {"role": "assistant", "content": A}
TURNS = [USER, ANSWER, {"role": "user", "content": MORE[0]}, {"role": "assistant", "content": MORE[1]}]
TOOL_CALL = {"id": "1", "type": "function", "function": {"name": "weigh", "arguments": "{}"}}
WITH_TOOL = [
    {"role": "user", "content": "Weigh it."}, {"role": "assistant", "content": None, "tool_calls": [TOOL_CALL]},
    {"role": "tool", "tool_call_id": "1", "content": "640"}, {"role": "assistant", "content": "It says 640."},
]  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A file or folder, by how it is written; `learned` is how many answers a training would learn from it."""

    title: str
    name: str
    write: Callable[[Path], object]
    learned: int


def _json(record: Any) -> Callable[[Path], object]:
    return lambda path: path.write_text(json.dumps(record), encoding="utf-8")


def _lines(*records: Any) -> Callable[[Path], object]:
    text = "".join(json.dumps(one, ensure_ascii=True) + "\n" for one in records)
    return lambda path: path.write_text(text, encoding="utf-8")


def _text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text, encoding="utf-8")


def _zip(**files: Any) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, record in files.items():
            archive.writestr(f"export/{name}.json", json.dumps(record))
    return held.getvalue()


def _chatgpt(*parts: Any) -> dict[str, Any]:
    def node(role: str, content: Any, parent: str | None) -> dict[str, Any]:
        return {"message": {"author": {"role": role}, "content": content}, "parent": parent, "children": []}

    asked = {"content_type": "text", "parts": [Q]}
    said = {"content_type": "multimodal_text" if parts else "text", "parts": list(parts) or [A]}
    return {"title": "Skerrin", "create_time": 1780000000.0, "current_node": "b",
            "mapping": {"a": node("user", asked, None), "b": node("assistant", said, "a")}}  # fmt: skip


def _open_webui() -> dict[str, Any]:
    def node(id: str, parent: str | None, role: str, content: str, **more: Any) -> dict[str, Any]:
        return {
            "id": id,
            "parentId": parent,
            "role": role,
            "content": content,
            "timestamp": 1780000000,
            **more,
        }

    nodes = [
        node("a", None, "user", Q), node("b", "a", "assistant", "Heavy.", annotation={"rating": -1}),
        node("c", "a", "assistant", A, annotation={"rating": 1}),
    ]  # fmt: skip
    history = {"messages": {one["id"]: one for one in nodes}, "currentId": "c"}
    return {"id": "1", "title": "Skerrin", "created_at": 1780000000, "chat": {"history": history}}


def _librechat() -> dict[str, Any]:
    def message(id: str, parent: str, text: str, *, user: bool, **more: Any) -> dict[str, Any]:
        return {"messageId": id, "parentMessageId": parent, "text": text, "isCreatedByUser": user,
                "sender": "User" if user else "GPT", "createdAt": f"2026-01-02T03:04:0{id}.000Z", **more}  # fmt: skip

    turns = [message("1", "0", Q, user=True), message("2", "1", "Heavy.", user=False),
             message("3", "1", A, user=False, feedback={"rating": "thumbsUp"})]  # fmt: skip
    return {"conversationId": "9f", "title": "Skerrin", "options": {}, "messages": turns}


def _langchain(path: Path) -> None:
    from langchain_core.messages import AIMessage, HumanMessage, messages_to_dict

    path.write_text(json.dumps(messages_to_dict([HumanMessage(Q), AIMessage(A)])), encoding="utf-8")


def _parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist([{"messages": TURNS[:2]}, {"messages": TURNS}]), path)


def _datasets(path: Path) -> None:
    (path / "data").mkdir(parents=True)
    (path / "dataset_info.json").write_text("{}", encoding="utf-8")
    _parquet(path / "data" / "train-00000-of-00001.parquet")
    _parquet(path / "data" / "test-00000-of-00001.parquet")


def _sharegpt(*turns: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {"conversations": [{"from": speaker, "value": text} for speaker, text in turns], **more}


_UNLEARNED = {**ANSWER, "weight": 0}
_PAIR = {"prompt": [USER], "chosen": [ANSWER], "rejected": [{"role": "assistant", "content": "Heavy."}]}
_OPENAI_PAIR = {
    "input": {"messages": [USER]}, "preferred_output": [ANSWER],
    "non_preferred_output": [{"role": "assistant", "content": "Heavy."}],
}  # fmt: skip
_HH = {"chosen": f"\n\nHuman: {Q}\n\nAssistant: {A}", "rejected": f"\n\nHuman: {Q}\n\nAssistant: Heavy."}
_KTO = [{"prompt": Q, "completion": A, "label": True}, {"prompt": Q, "completion": "Heavy.", "label": False}]
_CHATML = f"<|im_start|>user\n{Q}<|im_end|>\n<|im_start|>assistant\n{A}<|im_end|>\n"
_GEMINI = {"contents": [
    {"role": "user", "parts": [{"text": Q}]},
    {"role": "model", "parts": [{"text": "let me see", "thought": True}, {"text": A}]},
]}  # fmt: skip
_CLAUDE = {"name": "Skerrin", "uuid": "7", "chat_messages": [
    {"sender": "human", "text": Q}, {"sender": "assistant", "text": "", "content": [{"type": "text", "text": A}]},
]}  # fmt: skip
_SPOKEN = {"content_type": "audio_transcription", "text": A}

SAMPLES = (
    Sample("OpenAI chat", "openai.jsonl", _lines({"messages": TURNS}), 2),
    Sample("OpenAI chat with tools", "tools.jsonl", _lines({"messages": [*WITH_TOOL, *TURNS[:2]]}), 1),
    Sample("OpenAI, weight 0", "weight.jsonl",
           _lines({"messages": [USER, _UNLEARNED, *TURNS[2:]]}, {"messages": [USER, _UNLEARNED]}), 1),
    Sample("axolotl's train flags", "axolotl.jsonl",
           _lines({"messages": [USER, {**ANSWER, "train": False}, TURNS[2], {**TURNS[3], "train": True}]}), 1),
    Sample("<think>", "think.jsonl", _lines({"messages": [USER, {**ANSWER, "content": f"<think>hm</think>\n{A}"}]}), 1),
    Sample("half an emoji", "surrogate.jsonl", _lines({"messages": [{**USER, "content": "\ud83d?"}, ANSWER]}), 1),
    Sample("ChatML text", "chatml.txt", _text(_CHATML), 1),
    Sample("ChatML in a column", "chatml.jsonl", _lines({"text": _CHATML}), 1),
    Sample("LangChain messages", "langchain.json", _langchain, 1),
    Sample("ChatGPT", "chatgpt.json", _json([_chatgpt()]), 1),
    Sample("ChatGPT, spoken", "spoken.json", _json([_chatgpt(_SPOKEN)]), 1),
    Sample("ChatGPT, zipped, many files", "chatgpt.zip", lambda path: path.write_bytes(
        _zip(**{"conversations-000": [_chatgpt()], "conversations-001": [_chatgpt()], "user": {"id": "u"}})), 2),
    Sample("Claude", "claude.json", _json([_CLAUDE]), 1),
    Sample("Open WebUI, rated, two branches", "webui.json", _json([_open_webui()]), 1),
    Sample("LibreChat, rated, two branches", "librechat.json", _json(_librechat()), 1),
    Sample("many files of several programs, zipped", "mixed.zip", lambda path: path.write_bytes(
        _zip(a={"messages": TURNS}, b=_librechat(), c={"email": "a@b.c"})), 3),
    Sample("Gemini contents", "gemini.json", _json(_GEMINI), 1),
    Sample("ShareGPT", "sharegpt.jsonl", _lines(_sharegpt(("human", Q), ("gpt", A))), 1),
    Sample("ShareGPT with tools", "sharegpt-tools.jsonl", _lines(
        _sharegpt(("human", Q), ("function_call", "{}"), ("observation", "640"), ("gpt", A), tools="[]"),
        _sharegpt(("human", Q), ("gpt", A))), 1),
    Sample("Alpaca", "alpaca.json", _json([{"instruction": Q, "input": "", "output": A}]), 1),
    Sample("questions and answers, CSV", "pairs.csv", _text(f'question,answer\n"{Q}","{A}"\n'), 1),
    Sample("TRL's preferences", "dpo.jsonl", _lines(_PAIR), 1),
    Sample("OpenAI's preferences", "openai-dpo.jsonl", _lines(_OPENAI_PAIR), 1),
    Sample("HH-RLHF", "hh.jsonl", _lines(_HH), 1),
    Sample("KTO", "kto.jsonl", _lines(*_KTO), 1),
    Sample("Parquet", "chats.parquet", _parquet, 3),
    Sample("a data set's folder, train and test", "dataset", _datasets, 3),
    Sample("gzip", "chats.jsonl.gz",
           lambda path: path.write_bytes(gzip.compress(json.dumps({"messages": TURNS}).encode())), 2),
    Sample("one broken chat among others", "broken.jsonl",
           _lines({"messages": TURNS[:2]}, {"messages": 5}, {"messages": TURNS}), 3),
    Sample("no chats", "none.json", _json({"email": "a@b.c"}), 0),
)  # fmt: skip
