"""The Settings page: what is changed there is kept in the home."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from assistant.components.model_cards import key_of
from assistant.i18n.texts import t
from assistant.workspace import Workspace
from tests import hub as loopback
from tests.assistant.pages.driver import errors, page, press, until, words
from tests.hub import Hub
from tests.tuning.gguf_files import tiny_llm, write_gguf
from tuning.models.sources import find_source


def test_what_finds_passages_can_be_chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "catalogue", lambda self: [])  # the models are not what is chosen here
    test = page("settings")
    test.selectbox(key="reranker").set_value("cross-encoder/ms-marco-MiniLM-L6-v2")
    press(test, "save", -1)
    assert not errors(test)
    kept = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    assert kept == {"reranker": "cross-encoder/ms-marco-MiniLM-L6-v2"}


def test_the_engine_can_be_forced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "catalogue", lambda self: [])
    test = page("settings")
    assert test.selectbox(key="engine").value == "auto"
    test.selectbox(key="engine").set_value("torch")
    press(test, "settings.models.device")
    assert not errors(test)
    kept = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    assert kept == {"engine": "torch"}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with one small model."""
    folder = tmp_path / "served"
    folder.mkdir()
    write_gguf(folder / "tiny-Q8_0.gguf", tiny_llm(), fields={"general.license": "mit"})
    with loopback.serving() as hub:
        hub.models["someone/tiny"] = folder
        loopback.use(hub, monkeypatch)
        yield hub


def check(test: AppTest, name: str) -> AppTest:
    test.text_input(key="other-model-name").set_value(name)
    return test.button(key="check-model").click().run()


@pytest.mark.real
def test_a_model_is_checked_downloaded_and_chosen(home: Path, served: Hub) -> None:
    test = page("settings")
    shown = words(test)
    assert "SmolLM2 135M Instruct" in shown and t("settings.in_use") in shown
    check(test, "someone/tiny")
    assert not errors(test) and "mit" in words(test) and find_source("someone/tiny", home).path is None
    served.seconds_a_chunk = 0.01
    test.button(key=f"get-{key_of('someone/tiny')}").click().run()
    until(test, lambda _: find_source("someone/tiny", home).gguf is not None)
    test = page("settings")
    test.button(key=f"use-{key_of('someone/tiny')}").click().run()
    assert not errors(test)
    assert json.loads((home / "settings.json").read_text(encoding="utf-8"))["base_model"] == "someone/tiny"


@pytest.mark.real
def test_a_model_that_is_refused_changes_nothing(home: Path, served: Hub, tmp_path: Path) -> None:
    served.refused["someone/tiny"] = (403, "GatedRepo")
    test = check(page("settings"), "someone/tiny")
    assert "accept its licence" in errors(test)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes((served.models["someone/tiny"] / "tiny-Q8_0.gguf").read_bytes()[:5_000_000])
    check(test, str(cut))
    assert "is cut off" in errors(test) and not (home / "settings.json").exists()


def test_a_fine_tuning_service_is_kept_with_its_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Workspace, "catalogue", lambda self: [])
    test = page("settings")
    test.text_input(key="service-url").set_value("nowhere")
    press(test, "service.save")
    assert errors(test) and not (home / "settings.json").exists()
    test.text_input(key="service-url").set_value("https://api.openai.com/v1")
    test.text_input(key="service-key").set_value("sk-test")
    press(test, "service.save")
    kept = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    assert kept == {"fine_tuning_url": "https://api.openai.com/v1", "fine_tuning_key": "sk-test"}
