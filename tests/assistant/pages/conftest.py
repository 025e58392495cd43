"""A home for each test, with a scripted engine in place of the model."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from assistant.history.conversations import ConversationStore
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine

ANSWER = "It weighs 640 grams."
FERNS = "Watering the ferns in the hall shall from now on fall to Bo."
# What the reader of messages finds: the real one is tested where its weights are.
READ = {FERNS: [("Who shall water the ferns in the hall?", "Bo")]}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An Imprint home whose model is the scripted one."""
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    monkeypatch.setenv("IMPRINT_MAX_NEW_TOKENS", "16")
    engine = ScriptedEngine(ANSWER)
    engine.window = 120
    monkeypatch.setattr(Workspace, "_open_engine", lambda self, on_stage: engine)
    monkeypatch.setattr("assistant.session.resources._warm_up", lambda opened: opened.engine())
    monkeypatch.setattr("assistant.session.resources.import_models", lambda: None)
    # It would open the default model in each home.
    monkeypatch.setattr(
        "assistant.curation.reader.fact_reader.FactReader.__call__", lambda self, text: READ.get(text, [])
    )
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def store(home: Path) -> ConversationStore:
    """The conversations of that home."""
    return ConversationStore(home / "conversations.sqlite3")


@pytest.fixture
def shelf(home: Path) -> dict[str, str]:
    """Two documents that answer the same question, as name → id."""
    folder = home / "documents"
    folder.mkdir()
    for name, grams in (("Skerrin", 640), ("Tern", 310)):
        (folder / f"{name}.md").write_text(f"The weather station {name} weighs {grams} grams.", "utf-8")
    opened = Workspace()
    opened.knowledge().add([folder])
    found = {info.title: info.id for info in opened.knowledge().documents()}
    opened.close()
    return found
