"""The Settings page: what is changed there is kept in the home."""

import json
from pathlib import Path

import pytest

from assistant.workspace import Workspace
from tests.assistant.pages.driver import errors, page, press


def test_what_finds_passages_can_be_chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Workspace, "catalogue", lambda self: []
    )  # the base models are not what is chosen here
    test = page("settings")
    test.selectbox(key="reranker").set_value("cross-encoder/ms-marco-MiniLM-L6-v2")
    press(test, "save", -1)
    assert not errors(test)
    kept = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    assert kept == {"reranker": "cross-encoder/ms-marco-MiniLM-L6-v2"}


def test_the_engine_can_be_forced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "catalogue", lambda self: [])
    monkeypatch.setattr(Workspace, "preload", lambda self: None)
    test = page("settings")
    assert test.selectbox(key="engine").value == "auto"
    test.selectbox(key="engine").set_value("torch")
    press(test, "settings.model.open")
    assert not errors(test)
    kept = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    assert kept == {"engine": "torch"}
