"""Every format is told by its content, survives any encoding, and says where it is broken."""

import codecs
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuning.data.examples import Example, write_examples
from tuning.data.imported import ImportedConversation
from tuning.data.importers import conversations_to_examples, import_file
from tuning.errors import ExampleError

Q, A = "我的项目叫什么？", "夜莺 🐦"
CHATGPT = {
    "title": "Kite", "create_time": 1700000000.5, "current_node": "d",
    "mapping": {
        "root": {"id": "root", "message": None, "parent": None, "children": ["s"]},
        "s": {"message": {"author": {"role": "system"}, "content": {"content_type": "text", "parts": [""]}},
              "parent": "root", "children": ["a"]},
        "a": {"message": {"author": {"role": "user"}, "content": {"content_type": "text", "parts": [Q]}},
              "parent": "s", "children": ["b", "c"]},
        "b": {"message": {"author": {"role": "assistant"}, "parent": 0, "content": {"parts": ["old"]}},
              "parent": "a", "children": []},
        "c": {"message": {"author": {"role": "assistant"}, "recipient": "python",
                          "content": {"content_type": "code", "text": "1+1"}},
              "parent": "a", "children": ["d"]},
        "d": {"message": {"author": {"role": "assistant"}, "create_time": 5.0,
                          "content": {"content_type": "multimodal_text", "parts": [{"image": 1}, A]}},
              "parent": "c", "children": []},
    },
}  # fmt: skip
CLAUDE = {
    "name": "x",
    "created_at": "2026-01-02T03:04:05Z",
    "chat_messages": [
        {"sender": "human", "text": Q},
        {"sender": "assistant", "text": "", "content": [{"type": "text", "text": A}]},
    ],
}
RECORDS: dict[str, Any] = {
    "openai": {"messages": [{"role": "user", "content": Q}, {"role": "assistant", "content": A}]},
    "chatgpt": CHATGPT,
    "claude": CLAUDE,
    "sharegpt": {"conversations": [{"from": "human", "value": Q}, {"from": "gpt", "value": A}]},
    "alpaca": {"instruction": Q, "input": "", "output": A},
    "chatglm": {"content": Q, "summary": A},
    "pairs": {"prompt": Q, "response": A},
}


def put(folder: Path, text: str | bytes, name: str = "file.bin") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def pairs_of(path: Path) -> list[tuple[str, str]]:
    return [(e.question, e.answer) for e in import_file(path).examples]


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize(
    "write",
    [
        lambda r: json.dumps(r, ensure_ascii=False),
        lambda r: json.dumps([r, r], ensure_ascii=False, indent=4),
        lambda r: json.dumps(r, ensure_ascii=False) + "\n\n" + json.dumps(r) + "\n",
        lambda r: json.dumps(r, indent=2) + json.dumps(r, indent=2),
        lambda r: json.dumps({"data": [r]}, ensure_ascii=False),
    ],
    ids=["object", "array", "lines", "printed", "wrapped"],
)
def test_each_format_in_each_layout(tmp_path: Path, name: str, write: Any) -> None:
    result = import_file(put(tmp_path, write(RECORDS[name])))
    assert result.format == name and result.skipped == 0
    assert {(e.question, e.answer) for e in result.examples} == {(Q, A)}
    assert len(result.conversations) == len(result.examples) in (1, 2)


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", b""),
     ("utf-16-le", b""), ("utf-32-le", codecs.BOM_UTF32_LE)],
)  # fmt: skip
@pytest.mark.parametrize("indent", [None, 1])
def test_each_encoding(tmp_path: Path, encoding: str, bom: bytes, indent: int | None) -> None:
    text = json.dumps([RECORDS["alpaca"]], ensure_ascii=False, indent=indent)
    assert pairs_of(put(tmp_path, bom + text.encode(encoding))) == [(Q, A)]


def test_legacy_encodings(tmp_path: Path) -> None:
    assert pairs_of(put(tmp_path, "question,answer\n我的项目叫什么？,夜莺\n".encode("gb18030"))) == [
        ("我的项目叫什么？", "夜莺")
    ]
    assert pairs_of(put(tmp_path, "question,answer\nwhat’s it?,a café\n".encode("cp1252"))) == [
        ("what’s it?", "a café")
    ]


def test_chatgpt_follows_the_branch_that_was_open(tmp_path: Path) -> None:
    (conversation,) = import_file(put(tmp_path, json.dumps([CHATGPT]))).conversations
    assert conversation.title == "Kite" and conversation.created == 1700000000.5
    assert [m["content"] for m in conversation.messages] == [Q, A]
    loose = {k: v for k, v in CHATGPT.items() if k != "current_node"}
    assert pairs_of(put(tmp_path, json.dumps([loose]))) == [(Q, A)]


def test_a_circle_in_the_tree_ends(tmp_path: Path) -> None:
    nodes = CHATGPT["mapping"]
    circle = {**CHATGPT, "mapping": {**nodes, "a": {**nodes["a"], "parent": "d"}}}  # type: ignore[dict-item,index]
    assert pairs_of(put(tmp_path, json.dumps([circle]))) == [(Q, A)]


def test_an_export_archive_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("user.json", '{"id": "u"}')
        for number in range(2):
            archive.writestr(f"export/conversations-{number}.json", json.dumps([CHATGPT]))
    result = import_file(path)
    assert result.format == "chatgpt" and len(result.conversations) == 2 and result.path == path
    assert result.examples[1].source == "conversations-1.json, line 1"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(ExampleError, match="cannot be unpacked"):
        import_file(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("user.json", "{}")
    with pytest.raises(ExampleError, match=r"user\.json is in no known format"):
        import_file(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("picture.png", "")
    with pytest.raises(ExampleError, match="without chats"):
        import_file(path)


def test_history_system_and_input_are_kept(tmp_path: Path) -> None:
    record = {
        "instruction": "i",
        "input": "more",
        "output": "o",
        "system": "s",
        "history": [["a", "b"], ["c", "d"]],
    }
    (example,) = import_file(put(tmp_path, json.dumps(record))).examples
    assert [m["content"] for m in example.messages] == ["s", "a", "b", "c", "d", "i\nmore", "o"]
    table = 'prompt,response,history\nq,r,"[[""a"", ""b""]]"\n'
    (example,) = import_file(put(tmp_path, table)).examples
    assert [m["content"] for m in example.messages] == ["a", "b", "q", "r"]


def test_imprint_examples_come_back_whole(tmp_path: Path) -> None:
    messages = RECORDS["openai"]["messages"]
    examples = [Example(messages), Example(messages, "chat 3", "corrected by you", ("叫啥？",))]
    write_examples(tmp_path / "e", examples)
    result = import_file(tmp_path / "e")
    assert result.format == "imprint" and result.examples[1] == examples[1]
    assert result.examples[0].messages == examples[0].messages and result.examples[0].source == "e, line 1"


plain_texts = st.text(st.characters(exclude_characters="\n"), max_size=8)
roles_and_texts = st.tuples(st.sampled_from(["user", "assistant", "system"]), plain_texts)


@given(st.lists(roles_and_texts, max_size=7))
def test_any_conversation_becomes_alternating_turns_or_nothing(turns: list[tuple[str, str]]) -> None:
    conversation = ImportedConversation("", tuple({"role": r, "content": c} for r, c in turns))
    said = [(role, text) for role, text in turns if text.strip()]
    users = [place for place, (role, _) in enumerate(said) if role == "user"]
    answers = [text for role, text in said[users[0] :] if role == "assistant"] if users else []
    examples = conversations_to_examples([conversation])
    assert len(examples) == bool(answers)
    for example in examples:
        roles = [m["role"] for m in example.messages]
        roles = roles[1:] if roles[0] == "system" else roles
        assert roles == ["user", "assistant"] * (len(roles) // 2) and roles
        kept = [(m["role"], text) for m in example.messages for text in m["content"].split("\n\n")]
        assert [text for role, text in kept if role == "assistant"] == answers
        last = max(place for place, (role, _) in enumerate(said) if role == "assistant")
        assert [one for one in kept if one[0] == "user"] == [one for one in said[:last] if one[0] == "user"]


def test_turns_of_one_speaker_are_joined_and_what_has_no_question_is_left_out() -> None:
    turns = [
        ("assistant", "hi"),
        ("system", "s"),
        ("user", "a"),
        ("user", "b"),
        ("assistant", "c"),
        ("user", "d"),
    ]
    conversation = ImportedConversation("", tuple({"role": r, "content": c} for r, c in turns))
    (example,) = conversations_to_examples([conversation])
    assert [(m["role"], m["content"]) for m in example.messages] == [
        ("system", "s"), ("user", "a\n\nb"), ("assistant", "c")
    ]  # fmt: skip


KEYS = [
    "messages",
    "role",
    "content",
    "mapping",
    "current_node",
    "conversations",
    "from",
    "value",
    "history",
    "text",
    "label",
    "entities",
    "instruction",
    "output",
    "tokens",
    "ner_tags",
    "chat_messages",
    "parent",
    "probes",
    "prompt",
    "response",
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=14,
)


@given(
    st.binary(max_size=300)
    | st.text(max_size=300).map(str.encode)
    | json_values.map(json.dumps).map(str.encode)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400, deadline=None)
def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path: Path, data: bytes) -> None:
    try:
        result = import_file(put(tmp_path, data))
    except ExampleError as error:
        assert "file.bin" in str(error)
        return
    assert result.conversations


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\x00\x01\x02\xff", "no text file"),
        (b"just words", "no known format: it begins with 'just words'"),
        (b"[]", "no known format: it holds no records"),
        (b'{"a": 1}', 'no known format: its first record holds "a"'),
        (b'{"prompt": "a", "response": "b"}\n{"prompt": "c" "d"}', "line 2: not JSON"),
        (b'[\n{"prompt": "a", "response": "b"},\n{"prompt"', "line 3: not JSON"),
        (b'[{"prompt": "a", "response": "b"},', "incomplete"),
        (b'[{"prompt": "a", "response": "b"} {}]', "line 1: not JSON .a comma"),
        (b'[{"prompt": "a", "response": "b"}] x', "after the end"),
        (
            b'{"prompt": "a", "response": "b"}\n{"content": "a"}',
            'line 2: expected questions and .* found .* "content"',
        ),
        (b'{"messages": [{"role": "robot", "content": "x"}]}', "line 1: message 1 has role 'robot'"),
        (b'{"prompt": "a", "response": "b", "history": [1]}', 'line 1: "history" must be pairs'),
        (b'{"prompt": "a", "response": " "}', "none of its 1 records has an answer"),
        (b"[" * 100_000, "cannot be read as JSON"),
        (b'{"prompt": 1' + b"0" * 5000 + b"}", "cannot be read as JSON"),
        (
            b'{"mapping": {"a": {"message": {"author": 3}}}, "current_node": "a"}',
            "line 1: not shaped as ChatGPT",
        ),
    ],
)
def test_broken_files_say_where(tmp_path: Path, text: bytes, message: str) -> None:
    with pytest.raises(ExampleError, match=message):
        import_file(put(tmp_path, text))


def test_missing_files_and_folders_say_so(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match="is a folder"):
        import_file(tmp_path)
    with pytest.raises(ExampleError, match="No such file"):
        import_file(tmp_path / "none")


def test_a_rated_conversation_teaches_what_was_corrected_or_liked(tmp_path: Path) -> None:
    turns = [("a", "wrong", {"rating": -1, "correction": "right"}), ("b", "good", {"rating": 1}),
             ("c", "bad", {"rating": -1, "correction": None}), ("d", "plain", {"rating": 0})]  # fmt: skip
    messages = []
    for question, answer, judged in turns:
        messages += [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer, **judged},
        ]
    result = import_file(put(tmp_path, json.dumps({"title": "夜", "messages": messages})))
    assert result.format == "imprint-chat" and result.conversations[0].title == "夜"
    assert [(e.question, e.answer, e.reason) for e in result.examples] == [
        ("a", "right", "corrected by you"),
        ("b", "good", "liked"),
    ]
    assert [m["content"] for m in result.conversations[0].messages] == [
        "a",
        "right",
        "b",
        "good",
        "d",
        "plain",
    ]


def test_what_cannot_be_learned_is_counted(tmp_path: Path) -> None:
    asked, told = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
    tool = {"role": "tool", "content": "x"}
    lines = [{"messages": turns} for turns in ([asked, told, asked], [asked], [asked, tool, told])]
    result = import_file(put(tmp_path, "\n".join(map(json.dumps, lines))))
    assert result.skipped == 2 and [len(e.messages) for e in result.examples] == [2]
    assert result.examples[0].source == "file.bin, line 1" and result.examples[0].reason == "imported"


def test_labelled_tables_list_their_labels(tmp_path: Path) -> None:
    result = import_file(put(tmp_path, 'Text,Label\n"Win a prize, now!",spam\nSee you at 5,ham\n,ham\n'))
    assert result.format == "labelled" and result.skipped == 1
    assert [e.answer for e in result.examples] == ["spam", "ham"]
    assert (
        result.examples[0].question.startswith("Win a prize, now!")
        and "(ham, spam)" in result.examples[0].question
    )
    chinese = import_file(
        put(tmp_path, '{"text": "太好看了", "label": "正面"}\n{"text": "难看", "label": "负面"}')
    )
    assert "属于哪个类别 (正面, 负面)" in chinese.examples[0].question


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_first_line_of_a_table_ends_where_csv_ends_it(tmp_path: Path, end: str) -> None:
    rows = ["question\u2028,answer\x85", "what\u2028is it?,a kite\u2028!", ""]
    assert pairs_of(put(tmp_path, end.join(rows))) == [("what\u2028is it?", "a kite\u2028!")]


def test_labelled_tables_need_no_header(tmp_path: Path) -> None:
    rows = "".join(f'{"spam" if n % 3 else "ham"}\tmessage "{n}\n' for n in range(9))
    result = import_file(put(tmp_path, rows))
    assert [e.answer for e in result.examples[:2]] == ["ham", "spam"] and 'message "0' in result.examples[
        0
    ].question


@pytest.mark.parametrize(
    "record",
    [
        {"text": "Ada met Bo in Oslo", "entities": [[0, 3, "PER"], [8, 10, "PER"], [14, 18, "LOC"]]},
        {"text": "Ada met Bo in Oslo", "label": [[0, 3, "PER"], [8, 10, "PER"], [14, 18, "LOC"]]},
        {"text": "Ada met Bo in Oslo", "entities": [
            {"type": "PER", "text": "Ada"}, {"label": "PER", "start": 8, "end": 10},
            {"entity_group": "LOC", "word": "Oslo"}]},
        {"tokens": ["Ada", "met", "Bo", "in", "Oslo"], "ner_tags": ["B-PER", "O", "B-PER", "O", "B-LOC"]},
    ],
)  # fmt: skip
def test_entities_in_each_notation(tmp_path: Path, record: dict[str, Any]) -> None:
    (example,) = import_file(put(tmp_path, json.dumps(record))).examples
    assert example.answer == "PER: Ada\nPER: Bo\nLOC: Oslo"
    assert example.question.startswith("Ada met Bo in Oslo\n\nList the entities")


def test_texts_without_entities_and_chinese_tokens(tmp_path: Path) -> None:
    lines = [
        {"tokens": list("小明在北京"), "ner_tags": ["B-人", "I-人", "O", "B-地", "I-地"]},
        {"tokens": ["好"], "ner_tags": ["O"]},
    ]
    examples = import_file(put(tmp_path, "\n".join(map(json.dumps, lines)))).examples
    assert examples[0].answer == "人: 小明\n地: 北京" and examples[1].answer == "无"
