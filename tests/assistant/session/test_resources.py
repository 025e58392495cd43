"""The resources of the process that all tabs share."""

import importlib
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import streamlit as st

from assistant.lazy import IMPORT_LOCK
from assistant.session import resources
from assistant.settings import Settings
from assistant.workspace import Workspace
from knowledge.index.passage_store import PassageStore


def test_models_are_imported_under_the_lock_of_all_heavy_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else opens a model takes the same lock: transformers cannot be imported by two threads."""
    free: list[bool] = []

    def imported(name: str) -> None:
        thread = threading.Thread(target=lambda: free.append(IMPORT_LOCK.is_free()))
        thread.start()
        thread.join()

    monkeypatch.setattr(importlib, "import_module", imported)
    monkeypatch.setattr(resources, "_imported", threading.Event())
    resources.import_models()
    assert free == [False, False] and resources.models_are_imported()


@pytest.mark.parametrize(
    ("engine", "order"),
    [
        ("llama.cpp", ["engine", "imports", "knowledge"]),
        ("torch", ["imports", "engine", "imports", "knowledge"]),
    ],
)
def test_where_llama_cpp_answers_the_model_is_open_before_torch_is_imported(
    engine: str, order: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    did: list[str] = []

    opened = SimpleNamespace(
        settings=Settings(home=tmp_path, engine=engine),
        engine=lambda: did.append("engine"),
        knowledge=lambda: did.append("knowledge"),
    )
    monkeypatch.setattr(resources, "import_models", lambda: did.append("imports"))
    monkeypatch.setattr(resources, "_freeze_garbage_collector", lambda: None)
    resources._warm_up(cast(Workspace, opened))
    assert did == order


def test_looking_at_a_knowledge_base_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counts are kept until somebody writes: every page asks for them several times."""
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    monkeypatch.setattr(resources, "_warm_up", lambda opened: None)
    st.cache_resource.clear()
    for name in ("one", "two"):
        PassageStore(tmp_path / "knowledge" / f"{name}.sqlite3").close()
    before = resources.stamps()
    assert resources.knowledge_counts() == {"one": 0, "two": 0}
    assert resources.documents_of("two") == []
    assert resources.stamps() == before
    store = PassageStore(tmp_path / "knowledge" / "two.sqlite3")
    store.set_facts(embedding="another")
    assert resources.stamps() != before
    store.close()
    st.cache_resource.clear()
