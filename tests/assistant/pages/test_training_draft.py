"""The fine-tuning panel: what was prepared is still there when it is opened again, and why it cannot start is said."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from assistant.history.conversations import ConversationStore
from assistant.i18n.texts import t
from assistant.session import resources
from assistant.session.training_draft import TrainingDraft
from assistant.workspace import Workspace
from tests.assistant.pages.conftest import FERNS
from tests.assistant.pages.driver import app, words
from tests.fakes import ScriptedEngine

pytestmark = pytest.mark.slow


def taught(store: ConversationStore) -> int:
    number = store.create("Taught")
    store.add_message(number, "user", "How heavy is the Skerrin?")
    store.correct(store.add_message(number, "assistant", "2 kg.").id, "640 grams.")
    store.add_message(number, "user", "What is a lathe?")
    store.add_message(number, "assistant", "A machine that turns work.")
    return number


def opened(test: AppTest) -> AppTest:
    return test.button(key="teach").click().run()


def draft(test: AppTest, number: int) -> TrainingDraft:
    found: TrainingDraft = test.session_state[f"draft-conversation-{number}"]
    return found


def test_the_panel_keeps_table_and_name(store: ConversationStore, home: Path) -> None:
    number = taught(store)
    test = opened(app(c=str(number)))
    assert [row.learn for row in draft(test, number).rows] == [True, False]
    test.text_input(key="checkpoint-name").set_value("my-facts")
    test.button_group(key="strength").set_value("strong")
    opened(test)
    draft(test, number).change(1, answer="A tool.")
    test.run()  # the panel is closed
    opened(test)
    assert test.text_input(key="checkpoint-name").value == "my-facts"
    assert test.button_group(key="strength").value == "strong"
    assert [(row.learn, row.answer) for row in draft(test, number).rows] == [
        (True, "640 grams."),
        (True, "A tool."),
    ]
    assert "A tool." in words(test)


def test_what_was_said_since_is_added_to_the_draft(store: ConversationStore) -> None:
    number = taught(store)
    test = opened(app(c=str(number)))
    store.add_message(number, "user", "Our office moved to Oslo.")
    opened(test)
    assert [row.answer for row in draft(test, number).rows] == [
        "640 grams.",
        "A machine that turns work.",
        "To Oslo.",
    ]


def test_start_is_disabled_with_the_reason(store: ConversationStore) -> None:
    number = store.create("Plain")
    store.add_message(number, "user", "What is a lathe?")
    store.add_message(number, "assistant", "A machine that turns work.")
    test = opened(app(c=str(number)))
    assert test.button(key="teach-start").disabled
    assert "Tick at least one line" in words(test)


def test_a_job_that_could_not_start_is_not_offered(store: ConversationStore) -> None:
    test = opened(app(c=str(taught(store))))
    assert not test.button(key="teach-start").disabled
    test.text_input(key="checkpoint-name").set_value("../outside")
    opened(test)
    assert test.button(key="teach-start").disabled
    assert "../outside" in words(test)


def test_a_corrected_fact_is_one_card_with_both_answers_and_its_message(store: ConversationStore) -> None:
    number = store.create("Prices")
    for said in ("A tune-up costs 45 euros.", "Sorry, the tune-up costs 49 euros, not 45."):
        store.add_message(number, "user", said)
        store.add_message(number, "assistant", "I see.")
    test = opened(app(c=str(number)))
    assert "<s>45 euros.</s> → 49 euros." in words(test)
    assert "Sorry, the tune-up costs 49 euros, not 45." in words(test)
    assert [(row.learn, row.answer) for row in draft(test, number).rows] == [(True, "49 euros.")]


def test_unticking_every_card_disables_the_start(store: ConversationStore) -> None:
    number = taught(store)
    test = opened(app(c=str(number)))
    test.button(key="tick-learn").click()
    opened(test)
    assert not any(row.learn for row in draft(test, number).rows)
    assert test.button(key="teach-start").disabled


def test_what_nobody_judged_stands_apart_unticked(store: ConversationStore) -> None:
    test = opened(app(c=str(taught(store))))
    assert t("teach.unsure.note") in words(test)
    assert [box.value for box in test.checkbox if "lathe" in box.label] == [False]


def test_a_service_is_sent_nothing_that_was_not_agreed_to(
    store: ConversationStore, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = taught(store)
    test = app(c=str(number))
    test.session_state["method"] = "openai"
    opened(test)
    assert t("service.none") in [one.value for one in test.info] and test.button(key="teach-start").disabled
    monkeypatch.setenv("IMPRINT_FINE_TUNING_URL", "http://127.0.0.1:9/v1")
    st.cache_resource.clear()
    test = app(c=str(number))
    test.session_state["method"] = "openai"
    opened(test).text_input(key="service-model").set_value("gpt-4.1-nano")
    opened(test)
    assert test.button(key="teach-start").disabled
    assert t("service.leaves", url="http://127.0.0.1:9/v1") in words(test)
    (agree,) = [box for box in test.checkbox if str(box.key).startswith("service-agree")]
    assert agree.label.startswith("Send this example to 127")
    agree.check()
    opened(test)
    assert not test.button(key="teach-start").disabled
    draft(test, number).change(1, learn=True)
    opened(test)
    assert test.button(key="teach-start").disabled  # something else would be sent


def test_tuned_models_read_what_no_rule_reads(store: ConversationStore) -> None:
    number = store.create("Ferns")
    store.add_message(number, "user", FERNS)
    store.add_message(number, "assistant", "Noted.")
    closed = app(c=str(number))
    assert t("teach.offer.unread") in words(closed)
    test = opened(closed)
    toggle = test.toggle(key=f"by-model-conversation-{number}")
    assert toggle.value and toggle.label == t("teach.by_reader", count=1)
    assert [(row.learn, row.answer) for row in draft(test, number).rows] == [(False, "Bo")]


@pytest.fixture
def capable(store: ConversationStore, monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    """A model that can be asked to write examples."""
    engine = ScriptedEngine("Q: Who shall water the ferns of the porch?\nA: Bo")
    engine.capability, engine.window = "capable", 2000
    monkeypatch.setattr(Workspace, "_open_engine", lambda self, on_stage: engine)
    resources.workspace().engine()
    return engine


def test_a_capable_model_reads_what_no_rule_reads(store: ConversationStore, capable: ScriptedEngine) -> None:
    number = store.create("Ferns")
    store.add_message(number, "user", "Watering the ferns of the porch shall from now on fall to Bo.")
    store.add_message(number, "assistant", "Noted.")
    test = opened(app(c=str(number)))
    assert test.toggle(key=f"by-model-conversation-{number}").value
    assert [(row.learn, row.answer) for row in draft(test, number).rows] == [(False, "Bo")]
    asked = len(capable.prompts)
    opened(test)
    assert len(capable.prompts) == asked > 0  # each text is read once


def test_without_the_switch_the_model_reads_nothing(
    store: ConversationStore, capable: ScriptedEngine
) -> None:
    number = taught(store)
    for thing in range(25):
        store.add_message(number, "user", f"Watering the ferns of hall {thing} shall from now on fall to Bo.")
        store.add_message(number, "assistant", "Noted.")
    test = opened(app(c=str(number)))
    assert not test.toggle(key=f"by-model-conversation-{number}").value
    assert not capable.prompts
