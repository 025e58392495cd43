"""Turns that are refused, or told that nothing was found: what they leave in the store."""

from pathlib import Path

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done, Retrieved
from assistant.errors import AssistantError, ConversationError, EngineError, PromptTooLongError
from assistant.history.conversations import ConversationStore
from tests.assistant.chat.conftest import Shelf
from tests.fakes import ScriptedEngine


@pytest.mark.parametrize("question", ["", "  \n"])
def test_an_empty_question_is_refused_before_anything_is_kept(
    store: ConversationStore, question: str
) -> None:
    conversation = store.create()
    with pytest.raises(AssistantError, match="question is empty"):
        list(Chat(ScriptedEngine, store).ask(question, conversation_id=conversation))
    assert store.get(conversation).messages == ()


def test_a_question_longer_than_the_window_is_refused_before_anything_is_kept(
    store: ConversationStore,
) -> None:
    conversation = store.create()
    with pytest.raises(PromptTooLongError, match="window of 200"):
        list(Chat(ScriptedEngine, store).ask("word " * 300, conversation_id=conversation))
    assert store.get(conversation).messages == ()


@pytest.mark.parametrize("way", ["ask", "edit", "regenerate"])
def test_a_refused_question_leaves_the_conversation_as_it_was(store: ConversationStore, way: str) -> None:
    conversation = store.create()
    list(Chat(ScriptedEngine, store).ask("Hello?", conversation_id=conversation))
    before = store.get(conversation)

    def refuses() -> ScriptedEngine:
        raise EngineError("no model is here")

    chat = Chat(refuses, store)
    with pytest.raises(EngineError, match="no model is here"):
        if way == "ask":
            list(chat.ask("And now?", conversation_id=conversation))
        elif way == "edit":
            list(chat.edit(before.messages[0].id, "And now?"))
        else:
            list(chat.regenerate(before.messages[1].id))
    assert store.get(conversation).messages == before.messages
    assert len(store.all_messages(conversation)) == 2


def test_a_refused_first_question_leaves_no_conversation_in_the_list(store: ConversationStore) -> None:
    conversation = store.create()
    with pytest.raises(PromptTooLongError):
        list(Chat(ScriptedEngine, store).ask("word " * 300, conversation_id=conversation))
    assert store.get(conversation).title == "" and store.list() == []


def test_documents_without_a_document_are_refused_with_advice(tmp_path: Path) -> None:
    with (
        Shelf(tmp_path) as empty,
        pytest.raises(AssistantError, match=r"'default' holds no documents.*imprint index"),
    ):
        list(Chat(ScriptedEngine, knowledge=lambda name: empty).ask("Hello?", AnswerOptions("documents")))


def test_nothing_relevant_found_is_said_instead_of_invented(shelf: Shelf) -> None:
    engine, shelf.finds = ScriptedEngine("an invention"), False
    chat = Chat(lambda: engine, knowledge=lambda name: shelf)
    events = list(chat.ask("Who was Cleopatra's cook?", AnswerOptions("documents")))
    retrieved = next(event for event in events if isinstance(event, Retrieved))
    done = events[-1]
    assert retrieved.passages == () and retrieved.nothing_found
    assert isinstance(done, Done) and "nothing about this in the documents" in done.answer
    assert engine.prompts == []


def test_a_follow_up_without_passages_is_answered_from_the_conversation(
    store: ConversationStore, shelf: Shelf
) -> None:
    shelf.finds = False
    chat, conversation = Chat(ScriptedEngine, store, lambda name: shelf), store.create()
    store.add_message(conversation, "user", "My name is Ada.")
    store.add_message(conversation, "assistant", "Hello Ada.")
    done = list(chat.ask("What is my name?", AnswerOptions("documents"), conversation_id=conversation))[-1]
    assert isinstance(done, Done) and done.answer == "a short answer"


def test_an_unrelated_question_later_in_a_conversation_is_not_invented_either(
    store: ConversationStore, shelf: Shelf
) -> None:
    engine, shelf.finds = ScriptedEngine("an invention"), False
    chat, conversation = Chat(lambda: engine, store, lambda name: shelf), store.create()
    store.add_message(conversation, "user", "How many days of paid leave do I have?")
    store.add_message(conversation, "assistant", "You have 27 days.")
    asked = chat.ask(
        "What does a parking permit cost?", AnswerOptions("documents"), conversation_id=conversation
    )
    done = list(asked)[-1]
    assert isinstance(done, Done) and "nothing about this in the documents" in done.answer
    assert engine.prompts == []


def test_a_checkpoint_memory_needs_a_checkpoint() -> None:
    with pytest.raises(AssistantError, match="none is chosen"):
        AnswerOptions("both")
    with pytest.raises(AssistantError, match="'telepathy' is not known"):
        AnswerOptions("telepathy")  # type: ignore[arg-type]


def test_only_answers_are_regenerated_and_only_questions_edited(store: ConversationStore) -> None:
    chat, conversation = Chat(ScriptedEngine, store), store.create()
    list(chat.ask("Hello?", conversation_id=conversation))
    answer = store.get(conversation).messages[-1]
    with pytest.raises(ConversationError, match="is not a question"):
        list(chat.edit(answer.id, "x"))
