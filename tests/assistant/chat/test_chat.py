"""One turn: what is asked, sent, streamed and kept."""

import threading
from pathlib import Path
from typing import Any

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Budgeted, Done, Retrieved, Token, TurnStarted
from assistant.errors import ConversationError, EngineError
from assistant.history.conversations import ConversationStore
from tests.assistant.chat.conftest import SKERRIN, Shelf
from tests.fakes import ScriptedEngine


def test_events_come_in_the_order_of_the_turn(store: ConversationStore, shelf: Shelf) -> None:
    engine = ScriptedEngine("640 grams")
    chat = Chat(lambda: engine, store, lambda name: shelf)
    conversation = store.create()
    events = list(
        chat.ask("What weighs the Skerrin?", AnswerOptions("documents"), conversation_id=conversation)
    )
    assert [type(event) for event in events] == [TurnStarted, Retrieved, Budgeted, Token, Token, Done]
    done = events[-1]
    assert isinstance(done, Done)
    assert done.answer == "640 grams" == "".join(e.text for e in events if isinstance(e, Token))
    assert done.sources[0].text == SKERRIN and done.sources[0].number == 1
    assert 0 < done.seconds_to_first_token <= done.seconds
    assert SKERRIN in engine.prompts[0][-1]["content"]


def test_what_was_answered_is_kept_with_its_sources_and_figures(
    store: ConversationStore, shelf: Shelf
) -> None:
    chat = Chat(lambda: ScriptedEngine("640 grams"), store, lambda name: shelf)
    conversation = store.create()
    list(
        chat.ask(
            "What weighs the Skerrin?",
            AnswerOptions("both", checkpoint="halden"),
            conversation_id=conversation,
        )
    )
    question, answer = store.get(conversation).messages
    assert (question.role, question.content) == ("user", "What weighs the Skerrin?")
    assert (answer.content, answer.status, answer.memory) == ("640 grams", "complete", "both")
    assert answer.checkpoint == "halden"
    assert Path(answer.sources[0].source).name == "a.md"
    assert answer.prompt_tokens and answer.completion_tokens == 2 and answer.seconds is not None


def test_an_answer_is_in_the_store_while_it_streams(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.chat.stored_turn._SAVE_EVERY_SECONDS", 0.0)
    conversation = store.create()
    events = Chat(ScriptedEngine, store).ask("Hello?", conversation_id=conversation)
    while not isinstance(next(events), Token):
        pass
    streaming = store.get(conversation).messages[-1]
    assert (streaming.content, streaming.status) == ("a", "streaming")


def test_leaving_early_keeps_what_there_is_as_stopped(store: ConversationStore) -> None:
    conversation = store.create()
    events = Chat(ScriptedEngine, store).ask("Hello?", conversation_id=conversation)
    while not isinstance(next(events), Token):
        pass
    events.close()  # type: ignore[attr-defined]
    answer = store.get(conversation).messages[-1]
    assert (answer.content, answer.status) == ("a", "stopped")


def test_the_stop_button_ends_the_answer_and_says_so(store: ConversationStore) -> None:
    engine, stop = ScriptedEngine("one two three four"), threading.Event()
    engine.before_piece = lambda number: stop.set() if number == 1 else None
    conversation = store.create()
    done = list(Chat(lambda: engine, store).ask("Count.", conversation_id=conversation, stop=stop))[-1]
    assert isinstance(done, Done) and done.stopped
    assert store.get(conversation).messages[-1].status == "stopped"
    assert store.get(conversation).messages[-1].content == "one two"


def test_a_failure_keeps_the_question_and_marks_the_answer_failed(store: ConversationStore) -> None:
    engine = ScriptedEngine()

    def fail(number: int) -> None:
        if number == 1:
            raise EngineError("the model went away")

    engine.before_piece = fail
    conversation = store.create()
    with pytest.raises(EngineError, match="went away"):
        list(Chat(lambda: engine, store).ask("Hello?", conversation_id=conversation))
    question, answer = store.get(conversation).messages
    assert question.content == "Hello?"
    assert (answer.content, answer.status) == ("a", "failed")


def test_earlier_turns_are_sent_as_corrected_and_failed_ones_are_not(store: ConversationStore) -> None:
    engine = ScriptedEngine()
    chat, conversation = Chat(lambda: engine, store), store.create()
    list(chat.ask("First?", conversation_id=conversation))
    store.correct(store.get(conversation).messages[-1].id, "what it should be")
    store.add_message(conversation, "user", "Second?")
    store.add_message(conversation, "assistant", "brok", status="failed")
    list(chat.ask("Third?", conversation_id=conversation))
    assert [message["content"] for message in engine.prompts[-1]] == [
        "First?",
        "what it should be",
        "Third?",
    ]


def test_a_follow_up_is_looked_up_with_its_conversation(store: ConversationStore, shelf: Shelf) -> None:
    chat, conversation = Chat(ScriptedEngine, store, lambda name: shelf), store.create()
    list(chat.ask("What is the Skerrin?", AnswerOptions("documents"), conversation_id=conversation))
    list(chat.ask("And how heavy is it?", AnswerOptions("documents"), conversation_id=conversation))
    assert shelf.asked[1][1][0] == {"role": "user", "content": "What is the Skerrin?"}


def test_regenerating_keeps_the_old_answer_beside_the_new(store: ConversationStore) -> None:
    answers = iter(["first", "second"])
    engine = ScriptedEngine(lambda _: next(answers))
    chat, conversation = Chat(lambda: engine, store), store.create()
    list(chat.ask("Hello?", conversation_id=conversation))
    old = store.get(conversation).messages[-1]
    list(chat.regenerate(old.id))
    question, answer = store.get(conversation).messages
    assert (question.content, answer.content, answer.alternatives) == ("Hello?", "second", 2)
    assert store.message(old.id).content == "first"
    assert engine.prompts[0] == engine.prompts[1]


def test_editing_a_question_answers_it_anew_and_keeps_the_old_branch(store: ConversationStore) -> None:
    engine = ScriptedEngine()
    chat, conversation = Chat(lambda: engine, store), store.create()
    list(chat.ask("One?", conversation_id=conversation))
    list(chat.ask("Two?", conversation_id=conversation))
    first = store.get(conversation).messages[0]
    list(chat.edit(first.id, "Uno?"))
    assert [message.content for message in store.get(conversation).messages] == ["Uno?", "a short answer"]
    assert len(store.all_messages(conversation)) == 6
    assert [message["content"] for message in engine.prompts[-1]] == ["Uno?"]


def test_a_question_is_in_the_store_before_the_model_is_opened(store: ConversationStore) -> None:
    conversation, seen = store.create(), []

    def opened() -> ScriptedEngine:
        seen.append([(one.content, one.status) for one in store.get(conversation).messages])
        return ScriptedEngine()

    chat = Chat(opened, store)
    list(chat.ask("One?", conversation_id=conversation))
    assert seen[0] == [("One?", "complete"), ("", "streaming")]
    seen.clear()
    list(chat.edit(store.get(conversation).messages[0].id, "Uno?"))
    assert seen[0] == [("Uno?", "complete"), ("", "streaming")]


def test_leaving_before_the_model_is_open_keeps_the_question(store: ConversationStore) -> None:
    conversation = store.create()
    events = Chat(ScriptedEngine, store).ask("Hello?", conversation_id=conversation)
    assert isinstance(next(events), TurnStarted)
    events.close()  # type: ignore[attr-defined]
    question, answer = store.get(conversation).messages
    assert (question.content, answer.content, answer.status) == ("Hello?", "", "stopped")


def test_a_question_left_without_an_answer_can_be_answered(store: ConversationStore) -> None:
    conversation = store.create()
    question = store.add_message(conversation, "user", "Hello?")
    list(Chat(ScriptedEngine, store).regenerate(question.id))
    assert [m.content for m in store.get(conversation).messages] == ["Hello?", "a short answer"]


@pytest.mark.parametrize("fails", [False, True])
def test_whoever_leaves_a_turn_frees_the_model_at_once(store: ConversationStore, fails: bool) -> None:
    engine, conversation = ScriptedEngine("one two three four"), store.create()
    events = Chat(lambda: engine, store).ask("Count.", conversation_id=conversation)
    while not isinstance(next(events), Token):
        pass
    assert engine.open_streams == 1
    if fails:
        with pytest.raises(EngineError, match="went away"):  # what it raises is held, with its frames
            events.throw(EngineError("the page went away"))  # type: ignore[attr-defined]
    else:
        events.close()  # type: ignore[attr-defined]
    assert engine.open_streams == 0
    assert store.get(conversation).messages[-1].status == ("failed" if fails else "stopped")


def test_a_store_that_fails_frees_the_model(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> None:
        raise ConversationError("the disk is full")

    engine = ScriptedEngine("one two three four")
    monkeypatch.setattr("assistant.chat.stored_turn.StoredTurn.save", fail)
    with pytest.raises(ConversationError, match="disk is full") as raised:
        list(Chat(lambda: engine, store).ask("Count.", conversation_id=store.create()))
    assert raised.tb is not None and engine.open_streams == 0
