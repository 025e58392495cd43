"""The fine-tuning panel: what was prepared is still there when it is opened again, and why it cannot start is said."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from assistant.history.conversations import ConversationStore
from tests.assistant.pages.driver import app, words

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


def edit(test: AppTest, number: int, changes: dict[str, Any]) -> None:
    """What the browser sends when cells of the table were changed."""
    draft = test.session_state[f"draft-conversation-{number}"]
    for row, changed in changes.get("edited_rows", {}).items():
        for name, value in changed.items():
            draft.rows[row] = type(draft.rows[row])(**{**vars(draft.rows[row]), name: value})


def test_the_panel_keeps_table_and_name(store: ConversationStore, home: Path) -> None:
    number = taught(store)
    test = opened(app(c=str(number)))
    assert [row.learn for row in test.session_state[f"draft-conversation-{number}"].rows] == [True, False]
    test.text_input(key="checkpoint-name").set_value("my-facts")
    test.button_group(key="strength").set_value("strong")
    opened(test)
    edit(test, number, {"edited_rows": {1: {"learn": True, "answer": "A tool."}}})
    test.run()  # the panel is closed
    opened(test)
    assert test.text_input(key="checkpoint-name").value == "my-facts"
    assert test.button_group(key="strength").value == "strong"
    shown = test.session_state[f"draft-conversation-{number}"].shown
    assert [(row.learn, row.answer) for row in shown] == [(True, "640 grams."), (True, "A tool.")]


def test_what_was_said_since_is_added_to_the_draft(store: ConversationStore) -> None:
    number = taught(store)
    test = opened(app(c=str(number)))
    store.add_message(number, "user", "Our office moved to Oslo.")
    opened(test)
    rows = test.session_state[f"draft-conversation-{number}"].rows
    assert [row.answer for row in rows] == ["640 grams.", "A machine that turns work.", "To Oslo."]


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
