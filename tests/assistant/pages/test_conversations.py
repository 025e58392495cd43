"""Conversations in the list: deleting and bringing back, pins, titles told apart, and what each keeps for itself."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from assistant.components.chat_export import FORMATS
from assistant.components.sidebar import FEW
from assistant.history.conversations import ConversationStore
from assistant.i18n.texts import t
from assistant.workspace import Workspace
from tests.assistant.pages.driver import app, ask, errors, press, until, words
from tuning.data.importers import import_file

pytestmark = pytest.mark.slow


def filled(store: ConversationStore, title: str, text: str = "hello") -> int:
    number = store.create(title)
    store.add_message(number, "user", text)
    return number


def test_deleting_asks_first_and_can_be_undone(store: ConversationStore) -> None:
    number = filled(store, "The clinic")
    test = app(c=str(number))
    test.button(key="delete-chat").click().run()
    assert t("chats.delete.ask", title="The clinic") in words(test)
    assert len(store.list()) == 1
    test.button(key="delete-sure").click().run()
    assert store.list() == []
    assert t("chats.deleted", count=1, title="The clinic") in words(test)
    test.button(key="undo-delete").click().run()
    assert [info.id for info in store.list()] == [number]
    assert "undo-delete" not in {button.key for button in test.button}


def test_an_undo_is_offered_until_the_next_question(store: ConversationStore) -> None:
    test = app(c=str(filled(store, "The clinic")))
    test.button(key="delete-chat").click().run()
    test.button(key="delete-sure").click().run()
    assert "undo-delete" in {button.key for button in test.button}
    ask(test, "How heavy is the Skerrin?")
    assert "undo-delete" not in {button.key for button in test.button}


def test_deleted_conversations_can_be_brought_back_later(store: ConversationStore) -> None:
    store.delete(filled(store, "Long gone"))
    test = app()
    test.button(key="icon-manage-chats").click().run()
    assert "Long gone" in test.dataframe[-1].value["title"].tolist()
    assert test.button(key="restore-many").disabled  # nothing is selected


def test_conversations_of_one_title_are_told_apart(store: ConversationStore) -> None:
    for number, title in enumerate(("Same", "Same", "Other")):
        one = filled(store, title)
        with store.transaction() as database:
            database.execute("UPDATE conversations SET updated = ? WHERE id = ?", (1e9 + number * 3600, one))
    labels = [b.label for b in app().sidebar.button if b.key and b.key.startswith("open-")]
    assert len(set(labels)) == 3
    same = [label for label in labels if "Same" in label]
    assert all(
        label.endswith("Same") for label in same
    )  # a title is cut at its end: what tells them apart leads
    assert "Other" in labels  # nothing is added to a title that stands alone


def test_of_many_conversations_a_click_shows_more(store: ConversationStore) -> None:
    for number in range(FEW + 3):
        filled(store, f"Number {number}")
    test = app()
    listed = [button.key for button in test.sidebar.button if (button.key or "").startswith("open-")]
    assert len(listed) == FEW
    test.button(key="more-chats").click().run()
    listed = [button.key for button in test.sidebar.button if (button.key or "").startswith("open-")]
    assert len(listed) == FEW + 3
    assert "more-chats" not in {button.key for button in test.button}


def test_a_pinned_conversation_stays_on_top(store: ConversationStore) -> None:
    first, second = filled(store, "First"), filled(store, "Second")
    test = app(c=str(first))
    assert [info.id for info in store.list()] == [second, first]
    test.button(key="pin-chat").click().run()
    assert [info.id for info in store.list()] == [first, second]
    assert t("chats.pinned") in words(test)


def test_an_archived_conversation_leaves_the_list_and_comes_back(store: ConversationStore) -> None:
    number = filled(store, "The clinic")
    test = app(c=str(number))
    assert "chats-shown" not in {pills.key for pills in test.get("button_group")}
    test.button(key="archive-chat").click().run()
    assert f"open-{number}" not in {button.key for button in test.sidebar.button}
    test.button_group(key="chats-shown").set_value("").run()
    assert f"open-{number}" in {button.key for button in test.sidebar.button}
    test.button(key="archive-chat").click().run()
    assert f"open-{number}" in {button.key for button in test.sidebar.button}
    assert not store.get(number).archived


def test_tags_are_given_in_the_menu_and_narrow_the_list(store: ConversationStore) -> None:
    number, other = filled(store, "The clinic"), filled(store, "The workshop")
    store.labels.set_tags(other, ["bicycles"])
    test = app(c=str(number))
    test.multiselect(key=f"tags-{number}").set_value(["pets"]).run()
    assert store.get(number).tags == ("pets",)
    test.button_group(key="chats-shown").set_value("pets").run()
    opened = {button.key for button in test.sidebar.button}
    assert f"open-{number}" in opened and f"open-{other}" not in opened


def test_a_search_shows_where_it_matched(store: ConversationStore) -> None:
    filled(store, "Fruit", "We grow pears behind the house.")
    test = app()
    test.text_input(key="search-chats").set_value("pears").run()
    assert "We grow <mark>pears</mark> behind" in words(test)


def test_a_conversation_goes_on_with_its_own_memory_and_files(store: ConversationStore, home: Path) -> None:
    opened = Workspace()
    for name in ("clinic", "workshop"):
        folder = home / name
        folder.mkdir()
        (folder / "hours.md").write_text(f"The {name} opens at nine.", "utf-8")
        opened.knowledge(name).add([folder])
    opened.close()

    test = ask(app(memory="documents", kb="clinic"), "When does the clinic open?")
    clinic = store.list()[0].id
    test.button(key="new-chat").click().run()
    test.selectbox(key="kb-choice").set_value("workshop").run()
    ask(test, "When does the workshop open?")
    workshop = store.list()[0].id

    for number, name in ((clinic, "clinic"), (workshop, "workshop")):
        test.button(key=f"open-{number}").click().run()
        assert test.selectbox(key="kb-choice").value == name
        alone = app(c=str(number))  # a new tab knows it too
        assert alone.selectbox(key="kb-choice").value == name

    until(test, lambda shown: "mark live" not in words(shown))
    test.selectbox(key="kb-choice").set_value("clinic").run()  # a choice is kept without a question
    assert store.get(workshop).choices["kb"] == "clinic"
    assert (
        app(c=str(workshop), memory="documents", kb="workshop").selectbox(key="kb-choice").value == "workshop"
    )


def test_a_conversation_without_kept_choices_goes_by_its_last_answer(store: ConversationStore) -> None:
    number = filled(store, "Before")
    store.add_message(number, "assistant", "Yes.", memory="checkpoint", checkpoint="old")
    test = app(c=str(number))
    assert "old" in " ".join(element.value for element in test.warning)


def test_a_typed_question_is_drawn_as_it_was_typed(store: ConversationStore) -> None:
    typed = "# not a heading\n1974.\n  two  spaces & <b>no tag</b>"
    page = words(app(c=str(filled(store, "Typed", typed))))
    assert "# not a heading\n1974.\n  two  spaces &amp; &lt;b&gt;no tag&lt;/b&gt;" in page


def test_the_menu_closes_after_renaming(store: ConversationStore) -> None:
    number = filled(store, "Old name")
    test = app(c=str(number))
    test.text_input(key=f"title-{number}").set_value("New name")
    press(test, "chats.rename.save")
    assert store.get(number).title == "New name"
    assert test.session_state["popover-closed-conversation-menu"] == 1  # a new key is a closed popover


def test_every_message_can_be_copied(store: ConversationStore) -> None:
    number = filled(store, "Copied", 'say "hello" & <b>')
    store.add_message(number, "assistant", "*Hello*, twice.")
    page = words(app(c=str(number)))
    assert 'data-text="say &quot;hello&quot; &amp; &lt;b&gt;"' in page
    assert 'data-text="*Hello*, twice."' in page


def test_an_answer_that_was_cut_can_go_on(store: ConversationStore) -> None:
    number = filled(store, "Cut")
    answer = store.add_message(number, "assistant", "It begins")
    store.update_message(answer.id, ending="length")
    test = app(c=str(number))
    test.button(key=f"continue-{answer.id}").click().run()
    until(test, lambda shown: "mark live" not in words(shown))
    asked, said = store.get(number).messages[-2:]
    assert asked.content == t("message.continue.question") and said.status == "complete"
    assert f"continue-{answer.id}" not in {button.key for button in test.button}


def test_conversations_are_imported_on_the_page(store: ConversationStore) -> None:
    test = app()
    test.button(key="icon-manage-chats").click().run()
    lines = '{"messages": [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Yes."}]}'
    files = [("mine.jsonl", lines.encode(), ""), ("odd.jsonl", b"not a chat", "")]
    test.file_uploader(key="chat-files-0").set_value(files)
    test.button(key="icon-manage-chats").click().run()  # the driver forgets a dialog after each run
    test.button(key="import-chats").click().run()
    assert [info.source for info in store.list()] == ["mine.jsonl"]
    assert test.session_state["chats-imported"][0] == t(
        "chats.imported", name="mine.jsonl", new=1, updated=0, skipped=0, left_out=0
    )
    assert "odd.jsonl" in test.session_state["chats-imported"][1]


def test_chats_are_written_as_files_to_train_from(store: ConversationStore, tmp_path: Path) -> None:
    number = store.create("Weights")
    store.add_message(number, "user", "How heavy is the Skerrin?")
    store.correct(store.add_message(number, "assistant", "2 kg.").id, "640 grams.")
    store.add_message(number, "user", "夜莺的电池可以用多久？")
    store.add_message(number, "assistant", "九十五天。")
    filled(store, "No answer")
    test = app(c=str(number))
    assert test.selectbox(key="training-format-one").options == [
        t(f"chats.training.{one}") for one in FORMATS
    ]
    learned: dict[str, list[tuple[str, str]]] = {}
    for form in ("openai", "sharegpt", "alpaca"):
        test.selectbox(key="training-format-one").set_value(form).run()
        test.button(key="training-write-one").click().run()
        assert not errors(test)
        file = tmp_path / f"{form}.jsonl"
        file.write_bytes(test.session_state["training-file-one"][2])
        read = [m for one in import_file(file).examples for m in one.messages]
        learned[form] = [(message["role"], message["content"]) for message in read]
    whole = [
        ("user", "How heavy is the Skerrin?"), ("assistant", "640 grams."),
        ("user", "夜莺的电池可以用多久？"), ("assistant", "九十五天。"),
    ]  # fmt: skip
    assert all(turn in learned[form] for form in learned for turn in whole)
    test.selectbox(key="training-format-one").set_value("datasets").run()
    test.button(key="training-write-one").click().run()
    archive = zipfile.ZipFile(io.BytesIO(test.session_state["training-file-one"][2]))
    assert archive.namelist() == ["dataset_info.json", "train.jsonl"]
    test.selectbox(key="training-format-one").set_value("dpo").run()
    test.button(key="training-write-one").click().run()
    assert json.loads(test.session_state["training-file-one"][2])["rejected"][0]["content"] == "2 kg."


def test_all_chats_are_one_file_and_what_holds_nothing_is_told(store: ConversationStore) -> None:
    for number in range(2):
        answered = filled(store, f"Chat {number}")
        store.add_message(answered, "assistant", f"answer {number}")
    test = app()
    test.button(key="icon-manage-chats").click().run()
    test.button(key="training-write-all").click()
    test.button(key="icon-manage-chats").click().run()
    assert test.session_state["training-file-all"][2].count(b"\n") == 2
    test.selectbox(key="training-format-all").set_value("kto")
    test.button(key="training-write-all").click()
    test.button(key="icon-manage-chats").click().run()
    assert "training-file-all" not in test.session_state
