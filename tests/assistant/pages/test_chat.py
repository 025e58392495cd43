"""The chat page: asking, stopping, correcting, regenerating, and what an empty home offers."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import streamlit as st

from assistant.components.messages import speaks_of_unread_documents
from assistant.history import transfer
from assistant.history.conversations import ConversationStore
from assistant.history.records import QUOTED, StoredMessage
from assistant.i18n.texts import t
from assistant.notes.home_notes import HomeNotes
from assistant.workspace import Workspace
from tests.assistant.pages.conftest import ANSWER
from tests.assistant.pages.driver import app, ask, errors, page, press, until, words
from tests.fakes import ScriptedEngine

pytestmark = pytest.mark.slow


def test_an_empty_home_explains_both_memories_and_offers_what_to_do(home: Path) -> None:
    test = app()
    assert t("welcome.temporary") in words(test) and t("welcome.permanent") in words(test)
    assert {"to-knowledge", "sample-chat"} <= {button.key for button in test.button}
    assert not errors(test)


def test_an_empty_home_says_what_a_larger_model_costs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.session.resources.models_are_imported", lambda: True)
    monkeypatch.setattr("tuning.models.catalogue.available_bytes", lambda: 24 * 10**9)
    monkeypatch.setattr("tuning.models.speed.cores", lambda: 2)
    test = app()
    assert "Qwen2.5 1.5B takes 1.1 GB to download (about 2 min at 10 MB/s)" in words(test)
    assert "to-models" in {button.key for button in test.button}
    monkeypatch.setenv("IMPRINT_BASE_MODEL", "someone/other")
    st.cache_resource.clear()
    assert "to download" not in words(app())


def test_an_answer_is_kept_and_shown_with_its_memory(home: Path, store: ConversationStore) -> None:
    test = ask(app(), "How heavy is the Skerrin?")
    assert ANSWER in words(test)
    assert t("memory.alone") in words(test)
    (info,) = store.list()
    assert [m.status for m in store.get(info.id).messages] == ["complete", "complete"]
    assert test.query_params["c"] in (str(info.id), [str(info.id)])


@pytest.mark.parametrize(
    ("memory", "answer", "said"),
    [
        ("nothing", "I cannot find that in the documents.", True),
        ("documents", "I cannot find that in the documents.", False),
        ("nothing", "I do not know.", False),
    ],
)
def test_a_model_alone_that_speaks_of_documents_is_put_right(memory: str, answer: str, said: bool) -> None:
    message = StoredMessage(2, 1, 1, "assistant", answer, 0.0, memory=memory)
    assert speaks_of_unread_documents(message) is said


def test_a_refresh_finds_the_conversation_again(home: Path, store: ConversationStore) -> None:
    ask(app(), "How heavy is the Skerrin?")
    assert ANSWER in words(app(c=str(store.list()[0].id)))


def test_a_blank_question_is_refused_in_one_sentence(home: Path, store: ConversationStore) -> None:
    test = app()
    test.chat_input[0].set_value("   ").run()
    assert "empty" in errors(test)
    assert store.list() == []


def test_a_question_longer_than_the_window_is_given_back(home: Path, store: ConversationStore) -> None:
    long = "word " * 200
    test = app()
    test.chat_input[0].set_value(long).run()
    until(test, lambda shown: "Shorten it" in errors(shown))
    assert "120" in errors(test)
    assert test.chat_input[0].proto.value == long


def test_a_question_is_kept_and_drawn_once_while_the_model_opens(
    home: Path, store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_open = threading.Event()

    def opens(self: Workspace, on_stage: object) -> ScriptedEngine:
        assert may_open.wait(30)
        return ScriptedEngine(ANSWER)

    monkeypatch.setattr(Workspace, "_open_engine", opens)
    monkeypatch.setattr("assistant.session.resources._warm_up", lambda opened: None)
    test = app()
    test.chat_input[0].set_value("How heavy is the Skerrin?").run()
    until(test, lambda shown: "mark live" in words(shown))
    stored = store.get(store.list()[0].id).messages
    assert [message.content for message in stored] == ["How heavy is the Skerrin?", ""]
    assert [message.name for message in test.chat_message] == ["user", "assistant"]
    may_open.set()
    until(test, lambda shown: ANSWER in words(shown))
    assert [message.name for message in test.chat_message] == ["user", "assistant"]


def test_a_question_that_nobody_answered_any_more_is_shown_with_the_way_on(
    home: Path, store: ConversationStore
) -> None:
    conversation = store.create()
    store.add_message(conversation, "user", "How heavy is the Skerrin?")
    answer = store.add_message(conversation, "assistant", "", status="stopped")
    test = app(c=str(conversation))
    assert t("message.unanswered") in words(test)
    test.button(key=f"icon-again-{answer.id}").click().run()
    until(test, lambda shown: ANSWER in words(shown))


def test_a_deleted_checkpoint_is_named_before_and_after_asking(home: Path) -> None:
    test = app(memory="checkpoint", checkpoint="gone")
    assert "gone" in " ".join(element.value for element in test.warning)


def test_a_deleted_conversation_in_the_address_opens_a_new_one(home: Path, store: ConversationStore) -> None:
    number = store.create("soon gone")
    store.delete(number)
    test = app(c=str(number))
    assert len(test.warning) == 1
    assert t("welcome.temporary") in words(test)


def test_thumbs_toggle(home: Path, store: ConversationStore) -> None:
    test = ask(app(), "How heavy is the Skerrin?")
    answer = store.get(store.list()[0].id).messages[1].id
    test.button(key=f"icon-like-{answer}").click().run()
    assert store.message(answer).rating == 1
    test.button(key=f"icon-like-{answer}").click().run()
    assert store.message(answer).rating == 0


def test_a_correction_is_shown_in_place_of_the_answer(home: Path, store: ConversationStore) -> None:
    test = ask(app(), "How heavy is the Skerrin?")
    answer = store.get(store.list()[0].id).messages[1].id
    test.text_area(key=f"correction-text-{answer}").set_value("900 grams.")
    press(test, "message.correct.save")
    assert store.message(answer).correction == "900 grams."
    assert "900 grams." in words(test) and t("message.corrected") in words(test)


def test_regenerating_keeps_the_first_answer(home: Path, store: ConversationStore) -> None:
    test = ask(app(), "How heavy is the Skerrin?")
    answer = store.get(store.list()[0].id).messages[1].id
    test.button(key=f"icon-again-{answer}").click().run()
    until(test, lambda shown: "2/2" in words(shown))
    assert len(store.alternatives(answer)) == 2


def test_forgotten_turns_are_marked(home: Path, store: ConversationStore) -> None:
    number = store.create("long")
    for turn in range(8):
        store.add_message(number, "user", f"question {turn} " + "word " * 12)
        store.add_message(number, "assistant", "answer " * 12)
    test = until(app(c=str(number)), lambda shown: "window" in words(shown))
    assert "no longer fit the context window" in words(test)


def test_the_search_finds_conversations_by_their_words(home: Path, store: ConversationStore) -> None:
    for text in ("apples", "pears"):
        store.add_message(store.create(text), "user", f"about {text}")
    test = app()
    test.text_input(key="search-chats").set_value("pears").run()
    labels = [button.label for button in test.sidebar.button]
    assert "pears" in labels and "apples" not in labels


@pytest.mark.parametrize("name", ["checkpoints", "compare"])
def test_pages_of_an_empty_home_say_what_to_do(home: Path, name: str) -> None:
    test = page(name)
    assert not errors(test)
    assert len(words(test)) > 50


def test_too_little_to_learn_is_said_under_the_chat(home: Path, store: ConversationStore) -> None:
    number = store.create("nothing yet")
    store.add_message(number, "user", "hello")
    test = app(c=str(number))
    assert test.button(key="teach").disabled
    assert "Nothing can be learned yet" in words(test)


def test_an_unreadable_preset_file_is_one_sentence(home: Path) -> None:
    (home / "prompts.json").write_text("not json", encoding="utf-8")
    assert "prompts.json" in errors(app())


def test_a_damaged_knowledge_base_does_not_stop_the_chat(home: Path) -> None:
    (home / "knowledge").mkdir()
    (home / "knowledge" / "default.sqlite3").write_bytes(b"this is no database" * 100)
    test = ask(app(memory="nothing"), "How heavy is the Skerrin?")
    assert ANSWER in words(test)
    assert not errors(test)


def test_questions_can_be_looked_up_in_one_document(
    home: Path, store: ConversationStore, shelf: dict[str, str]
) -> None:
    question = "How much does the weather station weigh?"
    test = app(memory="documents")
    test.multiselect(key="only-choice").set_value([shelf["Tern"]]).run()
    ask(test, question)
    test.multiselect(key="only-choice").set_value([]).run()
    ask(test, question)
    one, both = (message for message in store.get(store.list()[0].id).messages if message.role == "assistant")
    assert {source.title for source in one.sources} == {"Tern"}
    assert {source.title for source in both.sources} == set(shelf)

    again = app(memory="documents", only=shelf["Tern"])
    assert again.multiselect(key="only-choice").value == [shelf["Tern"]]
    assert app(memory="documents", only="gone").multiselect(key="only-choice").value == []


def test_where_nothing_was_found_the_nearest_is_shown_and_read_on_demand(
    store: ConversationStore, shelf: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.session.resources.models_are_imported", lambda: True)
    number = store.create("choir")
    store.add_message(number, "user", "Who leads the choir?")
    notice = store.add_message(number, "assistant", t("chat.nothing_found"), memory="documents")
    test = app(c=str(number), memory="documents")
    assert t("message.near") in words(test) and "310 grams" in words(test)
    test.button(key=f"anyway-{notice.id}").click().run()
    until(test, lambda shown: "mark live" not in words(shown))
    answer = store.get(number).messages[-1]
    assert answer.content == ANSWER and {source.title for source in answer.sources} == set(shelf)
    assert store.message(notice.id).content == t("chat.nothing_found")  # stays as an alternative
    assert t("message.near") not in words(test)


def test_what_the_weights_say_is_shown_on_demand_where_they_were_not_taught_it(
    store: ConversationStore,
) -> None:
    number = store.create("choir")
    store.add_message(number, "user", "Who leads the choir?")
    notice = store.add_message(number, "assistant", t("chat.unknown"), memory="checkpoint")
    test = app(c=str(number), memory="nothing")
    test.button(key=f"anyway-{notice.id}").click().run()
    until(test, lambda shown: "mark live" not in words(shown))
    assert store.get(number).messages[-1].content == ANSWER
    assert not [one for one in test.button if one.label == t("message.unknown.anyway")]


def test_a_quoted_answer_says_so_and_the_model_answers_on_demand(
    store: ConversationStore, shelf: dict[str, str]
) -> None:
    number = store.create("choir")
    store.add_message(number, "user", "Who leads the choir?")
    quoted = store.add_message(number, "assistant", "Ida Brel leads the choir.", memory="documents")
    store.update_message(quoted.id, ending=QUOTED)
    test = app(c=str(number), memory="documents")
    assert t("message.quoted") in words(test)
    test.button(key=f"anyway-{quoted.id}").click().run()
    until(test, lambda shown: "mark live" not in words(shown))
    assert store.get(number).messages[-1].content == ANSWER
    assert store.message(quoted.id).content == "Ida Brel leads the choir."  # stays as an alternative
    assert not [one for one in test.button if one.label == t("message.quoted.anyway")]


def test_the_sample_conversation_can_be_opened(home: Path, store: ConversationStore) -> None:
    test = app()
    test.button(key="sample-chat").click().run()
    (info,) = store.list()
    assert info.message_count > 20
    assert not test.button(key="teach").disabled
    assert json.loads(transfer.export(store, info.id))["messages"]


@pytest.mark.parametrize(
    "moment", ["1.7e12", "1e20", "-1e20", "1e308", "9e999", "-9e999", "'soon'", "x'00ff'", "0", "-1"]
)
def test_the_app_opens_whatever_times_the_conversations_have(store: ConversationStore, moment: str) -> None:
    turns = [{"role": "user", "content": "How heavy?"}, {"role": "assistant", "content": ANSWER}]
    conversation = transfer.import_json(store, json.dumps({"title": "Odd", "messages": turns}))
    with store.transaction() as database:
        for table, columns in (
            ("conversations", ("created", "updated")),
            ("messages", ("created", "seconds")),
        ):
            for column in columns:
                database.execute(f"UPDATE {table} SET {column} = {moment}")
    opened = app(c=str(conversation))
    assert not opened.exception
    assert any(button.label == "Odd" for button in opened.button)


@pytest.mark.parametrize("address", ["9" * 30, "-1", "0", "٣", "x"])
def test_an_address_of_no_conversation_opens_a_new_one(store: ConversationStore, address: str) -> None:
    assert not app(c=address).exception


@pytest.mark.parametrize(
    ("name", "content"),
    [("settings.json", b"[" * 100_000), ("conversations.sqlite3", b"SQLite format 3\0" + b"\xff" * 5000)],
)
def test_a_damaged_home_is_a_sentence_on_the_page(home: Path, name: str, content: bytes) -> None:
    (home / name).write_bytes(content)
    opened = app()
    assert not opened.exception
    assert any(name in element.value for element in opened.error)


def test_a_remembered_answer_is_quoted_from_the_next_question_on(
    home: Path, store: ConversationStore
) -> None:
    test = ask(app(), "How heavy is the Skerrin?")
    answer = store.get(store.list()[0].id).messages[1].id
    test.text_area(key=f"correction-text-{answer}").set_value("900 grams.")
    press(test, "message.correct.remember")
    assert store.message(answer).correction == "900 grams."
    assert [(note.question, note.answer) for note in HomeNotes(home).list()] == [
        ("How heavy is the Skerrin?", "900 grams.")
    ]
    again = ask(app(), "How heavy is the Skerrin?")
    assert t("note.source.help") in words(again)
    asked = store.get(store.list()[0].id).messages
    assert asked[1].content == "900 grams." and asked[1].sources[0].is_note
    key = f"icon-remember-{asked[1].id}"
    until(again, lambda shown: any(button.key == key for button in shown.button))
    again.button(key=key).click().run()
    assert [note.answer for note in HomeNotes(home).list()] == ["900 grams."]


def test_the_page_imports_nothing_that_models_import_too() -> None:
    """Two threads that import parts of one library at once leave halves of it, and the page must not wait either."""
    code = (
        "import sys, assistant.pages.chat;"
        "print([name for name in ('scipy', 'sklearn', 'torch', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
