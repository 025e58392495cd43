"""A passage as JSON: the keys that conversations and `imprint ask --json` hold."""

import json
from pathlib import Path

import pytest

from assistant.errors import ConversationError
from assistant.history.conversations import ConversationStore
from assistant.history.sources import Source
from assistant.history.transfer import export, import_json

WHOLE = {
    "number": 2,
    "text": "The Skerrin weighs 640 grams.",
    "source": "/documents/skerrin.pdf",
    "title": "Skerrin",
    "page": 3,
    "headings": ["Data", "Weight"],
    "start": 120,
    "end": 149,
    "score": 0.82,
    "passage_id": "a1",
    "document_id": "b2",
    "also": ["copy.pdf"],
    "quoted": "It weighs 640 grams.",
}


def test_json_keeps_its_keys_and_values() -> None:
    assert Source.from_dict(WHOLE).to_dict() == WHOLE
    assert Source.from_dict(json.loads(json.dumps(WHOLE))).headings == ("Data", "Weight")


def test_what_another_program_wrote_is_read_as_far_as_it_goes() -> None:
    source = Source.from_dict({"title": "Book", "page": None, "headings": None, "colour": "blue"})
    assert source == Source(title="Book")
    assert source.name == "Book"
    odd = {
        "title": ["Book"],
        "page": True,
        "score": "high",
        "headings": "abc",
        "also": [1, "b"],
        "number": 2.0,
    }
    assert Source.from_dict(odd) == Source(number=2, also=("b",))


def test_sources_survive_an_export_and_an_import(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path / "conversations.sqlite3")
    conversation = store.create()
    store.add_message(conversation, "user", "How heavy?")
    store.add_message(conversation, "assistant", "640 grams", sources=[Source.from_dict(WHOLE)])
    elsewhere = ConversationStore(tmp_path / "elsewhere.sqlite3")
    copy = import_json(elsewhere, export(store, conversation))
    assert elsewhere.get(copy).messages[-1].sources == (Source.from_dict(WHOLE),)


def test_a_conversation_whose_source_is_no_object_is_refused(tmp_path: Path) -> None:
    store = ConversationStore(tmp_path / "conversations.sqlite3")
    text = json.dumps({"messages": [{"role": "assistant", "content": "640 grams", "sources": ["a.pdf"]}]})
    with pytest.raises(ConversationError, match=r"Message 1 .* a source that is no object"):
        import_json(store, text)
