"""Conversations as files: an exported one comes back with every branch."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.importing import import_conversations
from assistant.history.sources import Source
from assistant.history.transfer import export, import_json, new_conversation, parse_json
from tuning.data.importers import import_file

SAMPLE = Path(__file__).parents[3] / "assistant" / "sample"


def a_turn(store: ConversationStore, question: str, answer: str) -> tuple[int, int, int]:
    conversation = store.create()
    asked = store.add_message(conversation, "user", question)
    answered = store.add_message(conversation, "assistant", answer)
    return conversation, asked.id, answered.id


def test_a_failed_import_leaves_nothing_behind(store: ConversationStore) -> None:
    with pytest.raises(ConversationError, match=r"Message 2 .* no text"):
        import_json(store, '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant"}]}')
    assert store.list() == []


def test_an_import_that_fails_half_way_is_rolled_back(store: ConversationStore) -> None:
    good = parse_json('{"messages": [{"role": "user", "content": "a"}]}')
    unstorable = replace(good.messages[0], rating=2**70)
    with pytest.raises(ConversationError, match="number larger"):
        import_conversations(store, [good, replace(good, messages=[unstorable])])
    assert store.list() == []


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{", "not JSON"),
        ("[]", 'no list of "messages"'),
        (
            '{"messages": [{"role": "robot", "content": "a"}]}',
            "Message 1 .* no role of user, assistant, system",
        ),
        ('{"messages": [{"role": "user", "content": "a", "rating": 5}]}', "Message 1 is rated 5"),
        ('{"messages": [{"role": ["user"], "content": "a"}]}', "Message 1 .* no role"),
        ('{"messages": [{"role": "user", "content": "a", "checkpoint": ["b"]}]}', "no text as 'checkpoint'"),
        ('{"messages": [{"role": "user", "content": "a", "correction": 5}]}', "no text as 'correction'"),
        ('{"messages": [{"role": "user", "content": "a", "sources": "abc"}]}', "source that is no object"),
        ('{"messages": [], "other_branches": 5}', '"other_branches" .* no list'),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_exported_conversation_is_named(store: ConversationStore, text: str, match: str) -> None:
    with pytest.raises(ConversationError, match=match):
        import_json(store, text)


def test_an_exported_conversation_comes_back_with_every_branch(
    store: ConversationStore, tmp_path: Path
) -> None:
    conversation, question, first = a_turn(store, "Q?", "one")
    store.correct(first, "eins")
    store.rate(first, -1)
    follow_up = store.add_message(conversation, "user", "And then?")
    store.truncate_from(first)
    store.add_message(
        conversation, "assistant", "two", parent_id=question, sources=[Source(title="Book", page=3)]
    )
    elsewhere = ConversationStore(tmp_path / "elsewhere.sqlite3")
    copy = import_json(elsewhere, export(store, conversation))
    shown = elsewhere.get(copy)
    assert (shown.title, shown.created) == ("Q?", store.get(conversation).created)
    assert [message.content for message in shown.messages] == ["Q?", "two"]
    assert shown.messages[1].sources == (Source(title="Book", page=3),)
    others = {message.content: message for message in elsewhere.all_messages(copy)}
    assert (others["one"].correction, others["one"].rating, others["one"].alternatives) == ("eins", -1, 2)
    assert others[follow_up.content].parent_id == others["one"].id
    exported = json.loads(export(store, conversation))
    assert [message["role"] for message in exported["messages"]] == ["user", "assistant"]


def test_an_import_without_a_title_is_named_after_its_first_question(store: ConversationStore) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How heavy?"}]
    found = store.get(import_json(store, json.dumps({"messages": messages}), source="chat.json"))
    assert (found.title, found.source) == ("How heavy?", "chat.json")


def test_a_conversation_of_another_program_is_stored_with_its_source(
    store: ConversationStore, tmp_path: Path
) -> None:
    path = tmp_path / "chat.jsonl"
    messages = [{"role": "user", "content": "How heavy?"}, {"role": "assistant", "content": "2 kg."}]
    path.write_text(json.dumps({"messages": messages}) + "\n", encoding="utf-8")
    (conversation,) = import_file(path).conversations
    (kept,) = import_conversations(store, [new_conversation(conversation)])
    found = store.get(kept.id)
    assert [message.to_message() for message in found.messages] == messages
    assert found.source == conversation.source


def test_markdown_shows_corrections_sources_and_ratings(store: ConversationStore) -> None:
    conversation, _, answer = a_turn(store, "What is it?", "A bird.")
    store.correct(answer, "A heron.")
    store.rate(answer, -1)
    store.update_message(answer, sources=[Source(title="Book", page=3)])
    text = export(store, conversation, "md")
    for part in ("# What is it?", "A bird.", "**Corrected by you:** A heron.", "- Book, p. 3", "👎"):
        assert part in text
    with pytest.raises(ConversationError, match="'pdf' was given"):
        export(store, conversation, "pdf")


def test_markdown_loads_no_picture_of_another_host(store: ConversationStore) -> None:
    planted = "See ![plan](http://evil.example/p?d=1), [a][b] and <img src=http://evil.example/q>.\n\n[b]: x"
    conversation, _, answer = a_turn(store, f"# ![t](http://evil.example/t) {planted}", planted)
    store.correct(answer, planted)
    store.update_message(answer, sources=[Source(title="![s](http://evil.example/s)", page=3)])
    text = export(store, conversation, "md")
    shown = MarkdownIt("commonmark").render(text)
    assert "<img" not in shown and shown.count("evil.example/p") == 3  # as links to follow
    assert "2 < 3" in export(store, a_turn(store, "Is 2 < 3?", "Yes")[0], "md").replace("\\", "")


def test_the_sample_conversation_keeps_its_corrections(store: ConversationStore) -> None:
    sample = (SAMPLE / "conversation.json").read_text(encoding="utf-8")
    conversation = store.get(import_json(store, sample))
    assert conversation.messages[1].correction and conversation.messages[1].rating == -1


def test_how_an_answer_was_written_comes_back(store: ConversationStore, tmp_path: Path) -> None:
    conversation, _, answer = a_turn(store, "Story?", "Once upon")
    told = {
        "ending": "length", "thoughts": "A story, then.", "engine": "torch",
        "prompt_tokens": 12, "completion_tokens": 3, "seconds": 1.5, "seconds_to_first_token": 0.25,
    }  # fmt: skip
    store.update_message(answer, **told)  # type: ignore[arg-type]
    text = export(store, conversation)
    other = ConversationStore(tmp_path / "other.sqlite3")
    back = other.get(import_json(other, text)).messages[1]
    assert {name: getattr(back, name) for name in told} == told
