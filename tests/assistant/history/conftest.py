"""A conversations file of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.history.conversations import ConversationStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "conversations.sqlite3"


@pytest.fixture
def store(file: Path) -> Iterator[ConversationStore]:
    store = ConversationStore(file)
    yield store
    store.close()
