"""A home with something of every kind, without any model."""

import json
from pathlib import Path

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from assistant.history.conversations import ConversationStore
from knowledge.base.knowledge_base import KnowledgeBase
from tests.knowledge.bases import add_upload
from tuning.checkpoints.manifest import Manifest
from tuning.checkpoints.registry import Registry

FAKE = DeterministicFakeEmbedding(size=8)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return filled(tmp_path / "home")


def filled(home: Path) -> Path:
    store = ConversationStore(home / "conversations.sqlite3")
    conversation = store.create("Birds 夜莺")
    store.add_message(conversation, "user", "How heavy is the Skerrin?")
    store.close()
    with KnowledgeBase(home, embeddings=FAKE) as base:
        add_upload(base, "tern.txt", b"The Tern weighs 310 grams.")

    def write(folder: Path) -> None:
        (folder / "adapter_model.safetensors").write_bytes(b"weights")

    Registry(home).save(Manifest("halden", "lora", "base", "0" * 64), write)
    settings = {"max_new_tokens": 99, "engine_key": "sk-secret", "engine_url": "http://me:pw@127.0.0.1:9/v1"}
    (home / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    (home / "prompts.json").write_text("[]", encoding="utf-8")
    (home / "questions").mkdir()
    (home / "questions" / "birds.jsonl").write_text('{"question": "q", "answers": ["a"]}\n', encoding="utf-8")
    (home / "evaluations" / "one").mkdir(parents=True)
    (home / "evaluations" / "one" / "rows.jsonl").write_text("{}\n", encoding="utf-8")
    (home / "models" / "small").mkdir(parents=True)
    (home / "models" / "small" / "model.safetensors").write_bytes(b"base")
    return home
