"""The first hour of a newcomer: the steps, the tour, what is refused and given back, what is not kept."""

import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st

from assistant.engines.base import Engine
from assistant.engines.stage import OnStage
from assistant.errors import ConversationError, EngineError
from assistant.history.conversations import ConversationStore
from assistant.i18n.texts import t
from assistant.session import open_conversation, resources
from assistant.settings import load_settings, save_settings
from assistant.workspace import Workspace
from tests.assistant.pages.conftest import ANSWER
from tests.assistant.pages.driver import app, ask, errors, page, press, until, words
from tuning.models.capability import ENGLISH_ALONE

pytestmark = pytest.mark.slow


def keys(test: object) -> set[str]:
    return {str(button.key) for button in test.button}  # type: ignore[attr-defined]


def test_an_empty_home_shows_three_steps_and_the_first_answer_is_one_click_away(home: Path) -> None:
    test = app()
    assert all(t(f"first.{name}") in words(test) for name in ("ask", "documents", "keep"))
    until(test, lambda shown: t("budget.free") in words(shown))
    counted = f"{t('budget.question')} <b>"
    assert counted not in words(test)  # nothing was asked, so nothing of it fills the window
    test.button(key="first-question-1").click().run()
    until(test, lambda shown: ANSWER in words(shown) and counted in words(shown))


@pytest.mark.parametrize("model", sorted(ENGLISH_ALONE))
def test_a_model_that_hardly_knows_chinese_is_given_something_to_read(home: Path, model: str) -> None:
    save_settings(load_settings(), base_model=model, language="zh")
    assert "first-sample" in keys(app()) and "first-question-1" not in keys(app())


def test_a_declined_tour_is_not_offered_again(home: Path) -> None:
    test = app()
    assert "tour-start" in keys(test)
    test.button(key="tour-skip").click().run()
    assert load_settings().tour_seen
    st.cache_resource.clear()  # another start of the app
    assert "tour-start" not in keys(app())


def test_the_tour_asks_the_model_with_and_without_the_sentence(home: Path) -> None:
    test = app()
    test.button(key="tour-start").click().run()
    assert "How much does the Skerrin weigh?" in words(test)
    runs = test.session_state["tour-run"]
    assert all(answer.wait(20) for answer in runs.answers)
    assert [answer.text for answer in runs.answers] == [ANSWER, ANSWER]
    assert "The Skerrin weighs 640 grams." in str(runs.answers[1].passages)


def test_a_question_that_meets_a_running_answer_is_given_back(home: Path, store: ConversationStore) -> None:
    number = store.create("two tabs")
    store.add_message(number, "user", "one")
    store.add_message(number, "assistant", "two")
    test = app(c=str(number))
    ends = threading.Event()

    def another_tab(stop: threading.Event) -> object:
        ends.wait(20)
        yield from ()

    resources.answering().start(number, "three", another_tab)  # type: ignore[arg-type]
    test.chat_input[0].set_value("What is lost?").run()
    assert t("chat.busy") in errors(test)
    assert test.chat_input[0].proto.value == "What is lost?"
    ends.set()
    assert [one.content for one in store.get(number).messages] == ["one", "two"]


def test_back_shows_what_the_address_says(
    home: Path, store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = store.create("the first")
    store.add_message(first, "user", "apples")
    test = ask(app(), "pears")
    test.query_params.update({"c": str(first), "memory": "nothing"})
    went = SimpleNamespace(is_history_navigation=True)
    monkeypatch.setattr(open_conversation, "get_script_run_ctx", lambda: went)
    test.run()
    assert "apples" in words(test) and "pears" not in words(test)


def test_a_temporary_chat_is_in_no_list_and_gone_when_it_is_left(
    home: Path, store: ConversationStore
) -> None:
    test = app()
    test.button(key="icon-temporary-chat").click().run()
    assert t("chat.temporary.note") in words(test)
    ask(test, "Do not keep this")
    number = int(test.session_state["conversation"])
    assert store.list() == [] and len(store.get(number).messages) == 2
    test.button(key="new-chat").click().run()
    with pytest.raises(ConversationError, match="no conversation"):
        store.get(number)


def test_a_model_that_does_not_open_has_a_way_back(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_settings(load_settings(), base_model="someone/gone")

    opened, gone = Workspace._open_engine, threading.Event()
    gone.set()

    def opens(self: Workspace, on_stage: OnStage) -> Engine:
        if gone.is_set():
            raise EngineError("The model 'someone/gone' in somewhere cannot be opened: gone")
        return opened(self, on_stage)

    monkeypatch.setattr(Workspace, "_open_engine", opens)
    monkeypatch.setattr("assistant.session.resources._warm_up", Workspace.preload)
    test = until(app(), lambda shown: "use-default-model" in keys(shown))
    gone.clear()
    test.button(key="use-default-model").click().run()
    assert load_settings().base_model == "smollm2-135m-instruct"
    assert not errors(test)


def test_a_saved_question_is_filled_in_and_stands_in_the_field(home: Path) -> None:
    test = app()
    test.text_input(key="library-name").set_value("Summary")
    test.text_area(key="library-text").set_value("Summarise {{what}} for {{whom}}.")
    test.button(key="library-save").click().run()
    test.text_area(key="blank-Summary-what").set_value("the manual")
    test.text_area(key="blank-Summary-whom").set_value("children")
    press(test, "library.use")
    assert test.chat_input[0].proto.value == "Summarise the manual for children."


def test_chinese_pages_offer_the_chinese_sample(
    home: Path, store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_LANGUAGE", "zh")
    test = app()
    test.button(key="sample-chat").click().run()
    assert [info.title for info in store.list()] == ["认识云浦单车工坊"]
    assert not test.button(key="teach").disabled


def test_nothing_to_compare_yet_leads_on_instead_of_failing(home: Path) -> None:
    test = page("compare")
    assert not errors(test) and not test.warning
    assert t("compare.nothing") in words(test)
    assert test.session_state["arm-choice-one"] == ["base"]


def test_the_home_is_measured_and_downloaded_as_one_archive(home: Path, store: ConversationStore) -> None:
    gone = store.create("to be emptied")
    store.delete(gone)
    test = page("settings_storage")
    assert t("disk.conversations") in words(test)
    test.button(key="empty-bin").click().run()
    assert store.deleted() == []


def test_an_answer_without_a_source_says_so_before_anything_else(
    home: Path, store: ConversationStore
) -> None:
    number = store.create("football")
    store.add_message(number, "user", "Who won?")
    store.add_message(number, "assistant", "Brazil won.", memory="documents")
    said = words(app(c=str(number)))
    assert t("message.no_source.badge") in said and 'class="mark documents"' not in said
    assert said.index(t("message.no_source")) > 0
    lines = [one.value for one in app(c=str(number)).markdown]
    assert "Brazil won." in lines


def test_the_sample_is_not_spoken_of_where_it_is_not_offered(home: Path) -> None:
    assert t("first.keep.text") in words(app())
    (home / "own.md").write_text("The clinic opens at nine.", "utf-8")
    with closing(Workspace()) as opened:
        opened.knowledge().add([home / "own.md"])
    said = words(app())
    assert t("first.keep.own") in said and t("first.keep.text") not in said


def test_a_model_that_hardly_speaks_the_language_offers_to_read_instead(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMPRINT_LANGUAGE", "zh")
    test = app()
    assert "first-question-1" not in keys(test)
    assert {"first-sample", "first-models"} <= keys(test)
    assert "几乎不懂中文" in words(test)


def test_an_attached_file_is_a_chip_and_goes_with_one_question(home: Path, store: ConversationStore) -> None:
    test = app()
    test.file_uploader(key="attach-0").set_value(("invoice.txt", b"It cost 49 euros.", "text/plain")).run()
    until(test, lambda shown: "detach-0" in keys(shown))
    assert f"{t('budget.attached')} <b>4</b>" in words(test)
    ask(test, "What did it cost?")
    assert "detach-0" not in keys(test)
    assert '<div class="attached">' in words(test) and t("attach.badge") in words(test)
    assert store.get(store.list()[0].id).messages[1].sources[0].title == "invoice.txt"


def test_an_attached_file_that_does_not_fit_is_refused_and_another_left_out(home: Path) -> None:
    test = app()
    test.file_uploader(key="attach-0").set_value(("long.txt", b"word " * 400, "text/plain")).run()
    assert "'long.txt' with 400 tokens" in errors(test)
    assert "detach-0" not in keys(test)
    test.file_uploader(key="attach-0").set_value(("short.txt", b"A word.", "text/plain")).run()
    until(test, lambda shown: "detach-0" in keys(shown))
    test.button(key="detach-0").click().run()
    assert "detach-0" not in keys(test)
