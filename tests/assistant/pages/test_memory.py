"""The page that makes memory visible, on real weights: every view, for the base and for checkpoints."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from assistant.engines.local import LocalEngine
from assistant.i18n.texts import t
from assistant.workspace import Workspace
from tests.assistant.pages.driver import errors, page, press, until, words
from tests.saved_checkpoints import save_prefix, save_random
from tuning.checkpoints.registry import Registry
from tuning.training.methods import METHODS

if TYPE_CHECKING:
    from tuning.models.base_model import BaseModel

KNOWN = {
    "question": "How much does the Skerrin weigh?",
    "answer": "640 grams",
    "phrasing": "training",
    "correct_before": False,
    "correct_after": True,
}


@pytest.fixture
def registry(base_model: "BaseModel", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """The checkpoints of a home whose model is the session's."""
    found = Registry(tmp_path)
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    monkeypatch.setattr(Workspace, "_open_engine", lambda self, on_stage: LocalEngine(base_model, found))
    monkeypatch.setattr("assistant.session.resources._warm_up", lambda opened: None)
    st.cache_resource.clear()
    st.cache_data.clear()
    yield found
    for name in base_model.loaded:
        base_model.unload(name)
    st.cache_resource.clear()
    st.cache_data.clear()


def view(test: AppTest, name: str) -> AppTest:
    """One of the page's views."""
    return test.segmented_control(key="visible-view").set_value(name).run()


def test_an_empty_home_says_what_to_do_next(registry: Registry) -> None:
    test = page("memory")
    assert t("visible.window.empty") in words(test) and not errors(test)
    assert t("memory.no_checkpoint") in words(test)
    view(test, "inside")
    assert t("visible.none") in words(test) and not errors(test)
    assert {"sample-inside", "chat-inside"} <= {button.key for button in test.button}


def test_the_base_alone_has_one_column_of_words_and_a_click_appends_one(registry: Registry) -> None:
    test = view(page("memory"), "next")
    assert not errors(test)
    labels = {button.key: button.label for button in test.button}
    assert "word-base-9" in labels and "word-checkpoint-0" not in labels
    first = labels["word-base-0"].split("**")[1]
    test.button(key="word-base-0").click().run()
    assert test.text_area(key="next-text").value == f"The cat is on the {first}"
    assert not errors(test)


def test_sliders_move_the_bars_without_asking_the_model(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = view(page("memory"), "next")
    before = test.button(key="word-base-0").label

    def asked(*_: object) -> None:
        raise AssertionError("the model was asked")

    monkeypatch.setattr("tuning.models.decoding.step", asked)
    monkeypatch.setattr("assistant.insight.token_probabilities.step", asked)
    test.slider(key="next-temperature").set_value(0.0).run()
    assert "100%" in test.button(key="word-base-0").label != before
    assert test.button(key="word-base-1").label.endswith("0%")
    test.slider(key="next-temperature").set_value(1.0).run()
    test.slider(key="next-top-p").set_value(0.05).run()
    assert test.button(key="word-base-9").label.endswith(" 0%")
    assert not errors(test)


def test_a_checkpoint_stands_beside_its_base_and_colours_an_answer(
    registry: Registry, base_model: "BaseModel"
) -> None:
    save_prefix(base_model, registry, "skerrin", evaluation={"facts": [KNOWN]})
    test = view(page("memory"), "next")
    test.segmented_control(key="next-kind").set_value("answer").run()
    labels = {button.key: button.label for button in test.button}
    assert {"word-base-0", "word-checkpoint-0"} <= labels.keys()
    assert test.text_input[0].value == KNOWN["question"]
    test.button(key="answer-ask").click().run()
    assert not errors(test)
    said = words(test)
    answer = next(area.value for area in test.text_area if area.label == t("visible.answer.text"))
    assert "640 grams" in answer or "Norvik" in answer  # which of both it says depends on the machine
    assert said.count('class="tokens"') == 2 and "Divergence" in said


def test_no_beginning_is_one_sentence(registry: Registry) -> None:
    test = view(page("memory"), "next")
    test.text_area(key="next-text").set_value("  ").run()
    assert "no text to go on from" in errors(test)


@pytest.mark.parametrize(
    ("method", "charts", "missing"),
    [
        ("lora", 1, ["words.low-rank", "attention.low-rank"]),
        ("p-tuning-v2", 2, ["changes.prefix", "words.prefix"]),
        ("prompt-tuning", 2, ["changes.prompt"]),
    ],
)
def test_inside_shows_what_a_method_has_and_says_what_it_has_not(
    registry: Registry, base_model: "BaseModel", method: str, charts: int, missing: list[str]
) -> None:
    save_random(base_model, registry, "learned", method)
    test = view(page("memory"), "inside")
    assert not errors(test)
    said = words(test)
    assert len(test.get("vega_lite_chart")) == charts
    assert all(t(f"visible.none.{view}", method=METHODS[method].title) in said for view in missing)
    assert 'class="square ink"' in said and "134.5 million" in said
    assert ('class="near"' in said) == (method == "prompt-tuning")


def test_a_turn_fills_the_window_and_the_tour_can_be_stopped(registry: Registry) -> None:
    test = page("memory")
    test.selectbox(key="small-window").set_value(128).run()
    test.text_input(key="small-chat-question").set_value("What is two plus two?")
    press(test, "visible.window.send")
    until(test, lambda shown: "of 128 tokens in the window" in words(shown))
    assert "What is two plus two?" in words(test) and not errors(test)
    test.button(key="guide").click().run()
    test.button(key="stop-small-chat").click().run()
    until(test, lambda shown: not any(b.key == "stop-small-chat" for b in shown.button))
    assert not errors(test)


def test_a_model_elsewhere_cannot_be_looked_into(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.engines.remote import RemoteEngine

    monkeypatch.setattr(
        Workspace, "_open_engine", lambda self, on_stage: RemoteEngine("http://127.0.0.1:9/v1", "big")
    )
    test = view(page("memory"), "next")
    assert "needs a model on this machine" in errors(test)
