"""The resources of the process that all tabs share."""

import importlib
import threading

import pytest

from assistant.lazy import IMPORT_LOCK
from assistant.session import resources


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
