"""The pages' logic, drawn by Streamlit's own test driver over a scripted engine."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from assistant.components import formatting, html_blocks
from assistant.history import transfer
from assistant.history.conversations import ConversationStore
from assistant.workspace import Workspace
from tests.fakes import ScriptedEngine

ROOT = Path(__file__).parents[3]
TIMEOUT_SECONDS = 30


ANSWER = "It weighs 640 grams."
TURNS = [{"role": "user", "content": "How heavy?"}, {"role": "assistant", "content": ANSWER}]


class SmallWindow(ScriptedEngine):
    """Its window is soon full."""

    window = 120


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An Imprint home whose model is the scripted one."""
    monkeypatch.setenv("IMPRINT_HOME", str(tmp_path))
    monkeypatch.setenv("IMPRINT_MAX_NEW_TOKENS", "16")
    monkeypatch.setattr(Workspace, "_open_engine", lambda self, on_stage: SmallWindow(ANSWER))
    monkeypatch.setattr("assistant.session.resources._warm_up", lambda opened: opened.engine())
    monkeypatch.setattr("assistant.session.resources.import_models", lambda: None)
    st.cache_resource.clear()
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture
def store(home: Path) -> ConversationStore:
    """The conversations of that home."""
    return ConversationStore(home / "conversations.sqlite3")


def app(**address: str) -> AppTest:
    """The app as a tab that was just opened."""
    test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=TIMEOUT_SECONDS)
    for name, value in address.items():
        test.query_params[name] = value
    return test.run()


def page(name: str) -> AppTest:
    """One page alone."""
    script = f"""
import streamlit as st
from assistant.pages import {name}, look, session
look.dress()
session.speak()
with session.told():
    {name}.draw()
"""
    return AppTest.from_string(script, default_timeout=TIMEOUT_SECONDS).run()


def until(test: AppTest, holds: Callable[[AppTest], bool]) -> AppTest:
    """Run the page until something is on it."""
    for _ in range(50):
        if holds(test):
            return test
        time.sleep(0.1)
        test.run()
    raise AssertionError(f"it never came to be; the page says {words(test)!r}")


def words(test: AppTest) -> str:
    """All that the page says in markdown and HTML."""
    return "\n".join(str(element.value) for kind in ("markdown", "html") for element in test.get(kind))


def errors(test: AppTest) -> str:
    assert not test.exception
    return "\n".join(element.value for element in test.error)


def ask(test: AppTest, question: str) -> AppTest:
    test.chat_input[0].set_value(question).run()
    return until(test, lambda shown: "mark live" not in words(shown))


def test_an_empty_home_explains_both_memories_and_offers_what_to_do(home: Path) -> None:
    test = app()
    assert "Temporary" in words(test) and "Permanent" in words(test)
    assert {"to-knowledge", "sample-chat"} <= {button.key for button in test.button}
    assert not errors(test)


def test_an_answer_is_kept_and_shown_with_its_memory(home: Path, store: ConversationStore) -> None:
    test = ask(app(), "How heavy is the Skerrin?")
    assert ANSWER in words(test)
    assert "Model alone" in words(test)
    (info,) = store.list()
    assert [m.status for m in store.get(info.id).messages] == ["complete", "complete"]
    assert test.query_params["c"] in (str(info.id), [str(info.id)])


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


def test_a_deleted_checkpoint_is_named_before_and_after_asking(home: Path) -> None:
    test = app(memory="checkpoint", checkpoint="gone")
    assert "gone" in " ".join(element.value for element in test.warning)


def test_a_deleted_conversation_in_the_address_opens_a_new_one(home: Path, store: ConversationStore) -> None:
    number = store.create("soon gone")
    store.delete(number)
    test = app(c=str(number))
    assert len(test.warning) == 1
    assert "Temporary" in words(test)


def test_thumbs_toggle(home: Path, store: ConversationStore) -> None:
    test = ask(app(), "How heavy is the Skerrin?")
    answer = store.get(store.list()[0].id).messages[1].id
    test.button(key=f"like-{answer}").click().run()
    assert store.message(answer).rating == 1
    test.button(key=f"like-{answer}").click().run()
    assert store.message(answer).rating == 0


def test_a_correction_is_shown_in_place_of_the_answer(home: Path, store: ConversationStore) -> None:
    test = ask(app(), "How heavy is the Skerrin?")
    answer = store.get(store.list()[0].id).messages[1].id
    test.text_area(key=f"correction-text-{answer}").set_value("900 grams.")
    next(button for button in test.button if button.label == "Keep the correction").click().run()
    assert store.message(answer).correction == "900 grams."
    assert "900 grams." in words(test) and "Corrected by you" in words(test)


def test_regenerating_keeps_the_first_answer(home: Path, store: ConversationStore) -> None:
    test = ask(app(), "How heavy is the Skerrin?")
    answer = store.get(store.list()[0].id).messages[1].id
    test.button(key=f"again-{answer}").click().run()
    until(test, lambda shown: "2/2" in words(shown))
    assert len(store.alternatives(answer)) == 2


def test_forgotten_turns_are_marked(home: Path, store: ConversationStore) -> None:
    number = store.create("long")
    for turn in range(8):
        store.add_message(number, "user", f"question {turn} " + "word " * 12)
        store.add_message(number, "assistant", "answer " * 12)
    test = until(app(c=str(number)), lambda shown: "window" in words(shown))
    assert "no longer fit the window" in words(test)


def test_the_search_finds_conversations_by_their_words(home: Path, store: ConversationStore) -> None:
    for text in ("apples", "pears"):
        store.add_message(store.create(text), "user", f"about {text}")
    test = app()
    test.text_input(key="search-chats").set_value("pears").run()
    labels = [button.label for button in test.sidebar.button]
    assert "pears" in labels and "apples" not in labels


@pytest.mark.parametrize("name", ["tune", "compare"])
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


def test_the_search_can_be_kept_to_some_documents(home: Path, shelf: dict[str, str]) -> None:
    test = page("knowledge")
    test.text_input(key="search-passages").set_value("How much does the weather station weigh?").run()
    assert "640 grams" in words(test) and "310 grams" in words(test)
    test.multiselect(key="search-only-default").set_value([shelf["Tern"]]).run()
    assert "310 grams" in words(test) and "640 grams" not in words(test)
    test.text_input(key="search-passages").set_value("Who wrote Hamlet?").run()
    assert "Nothing in this document" in test.info[0].value


def test_what_finds_passages_can_be_chosen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Workspace, "catalogue", lambda self: []
    )  # the base models are not what is chosen here
    test = page("settings")
    test.selectbox(key="reranker").set_value("cross-encoder/ms-marco-MiniLM-L6-v2")
    [button for button in test.button if button.label == "Save"][-1].click().run()
    assert not errors(test)
    kept = json.loads((home / "settings.json").read_text(encoding="utf-8"))
    assert kept == {"reranker": "cross-encoder/ms-marco-MiniLM-L6-v2"}


def test_marks_are_escaped() -> None:
    assert "<script>" not in html_blocks.mark("<script>alert(1)</script>")
    assert "<b>" not in html_blocks.passage("<b>bold</b>", "x")


@pytest.mark.parametrize(
    ("text", "question", "marked"),
    [
        ("The battery lasts 95 days.", "How long does the battery last?", ["battery", "lasts"]),
        ("电池可以使用九天。", "电池能用多久？", ["电池"]),
        ("Nothing here.", "the and of", []),
    ],
)
def test_words_of_the_question_are_marked(text: str, question: str, marked: list[str]) -> None:
    found = [part.split("</mark>")[0] for part in html_blocks.highlighted(text, question).split("<mark>")[1:]]
    assert found == marked


def test_figures_read_like_a_person_says_them() -> None:
    assert [formatting.seconds(value) for value in (0.84, 12.2, 400.0, 7200.0, None)] == [
        "0.8 s",
        "12 s",
        "7 min",
        "2 h 0 min",
        "–",
    ]
    assert [formatting.size(value) for value in (900, 812_000, 1_400_000_000)] == [
        "900 B",
        "812 KB",
        "1.4 GB",
    ]


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
    conversation = transfer.import_json(store, json.dumps({"title": "Odd", "messages": TURNS}))
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
