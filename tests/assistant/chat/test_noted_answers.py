"""Turns that a note answers, or that the weights are known to answer."""

import pytest

from assistant.chat.chat import Chat
from assistant.chat.turn import AnswerOptions, Done
from assistant.errors import EngineError
from assistant.history.conversations import ConversationStore
from assistant.notes.lookup import Match
from tests.assistant.chat.conftest import Shelf
from tests.fakes import FakeLessons, ScriptedEngine
from tuning.data.examples import Example

NOTED = Example(
    ({"role": "user", "content": "How heavy is the Skerrin?"}, {"role": "assistant", "content": "640 grams."})
)


LONG = Example(
    (
        {"role": "user", "content": "What is the Skerrin?"},
        {"role": "assistant", "content": "A station. " * 20},
    )
)


def chat_with(
    engine: ScriptedEngine, match: Match, store: ConversationStore | None, shelf: Shelf | None = None
) -> Chat:
    """A chat in which every question asks for this note or lesson."""
    return Chat(lambda: engine, store, shelf and (lambda name: shelf), lessons=lambda: FakeLessons(match))


def test_a_note_is_quoted_and_no_model_is_asked(store: ConversationStore, shelf: Shelf) -> None:
    engine = ScriptedEngine("900 grams")
    chat = chat_with(engine, Match(NOTED, False), store, shelf)
    conversation = store.create()
    options = AnswerOptions("both", checkpoint="halden", notes=True)
    list(chat.ask("What weighs the Skerrin?", options, conversation_id=conversation))
    answer = store.get(conversation).messages[1]
    assert (answer.content, answer.status, answer.prompt_tokens) == ("640 grams.", "complete", 0)
    assert [source.is_note for source in answer.sources] == [True] and NOTED.question in answer.sources[
        0
    ].text
    assert engine.prompts == [] and shelf.asked == []


def test_what_the_weights_hold_is_answered_without_passages(shelf: Shelf) -> None:
    engine = ScriptedEngine("640 grams")
    chat = chat_with(engine, Match(NOTED, True), None, shelf)
    options = AnswerOptions("both", checkpoint="halden", notes=True)
    done = list(chat.ask("What weighs the Skerrin?", options))[-1]
    assert isinstance(done, Done) and done.answer == "640 grams" and done.sources == ()
    assert [prompt[-1]["content"] for prompt in engine.prompts] == ["What weighs the Skerrin?"]
    assert shelf.asked == [] and done.completion_tokens > 0 and done.engine == "scripted"


def test_where_the_weights_say_something_else_the_lesson_is_quoted(
    store: ConversationStore, shelf: Shelf
) -> None:
    engine = ScriptedEngine("the Skerrin")
    chat = chat_with(engine, Match(NOTED, True), store, shelf)
    conversation = store.create()
    options = AnswerOptions("checkpoint", checkpoint="halden", notes=True)
    list(chat.ask("What weighs the Skerrin?", options, conversation_id=conversation))
    answer = store.get(conversation).messages[1]
    assert answer.content == "640 grams." and [source.is_note for source in answer.sources] == [True]
    assert len(engine.prompts) == 1 and shelf.asked == []


def test_a_long_lesson_is_left_to_the_weights_that_hold_it() -> None:
    engine = ScriptedEngine("a weather station")
    chat = chat_with(engine, Match(LONG, True), None)
    options = AnswerOptions("checkpoint", checkpoint="halden", notes=True)
    done = list(chat.ask("What is the Skerrin?", options))[-1]
    assert isinstance(done, Done) and done.answer == "a weather station"
    assert chat.find("What is the Skerrin?", options).held is None  # Compare goes by the same


def test_an_engine_that_fails_over_a_lesson_leaves_a_failed_answer(store: ConversationStore) -> None:
    engine = ScriptedEngine("640 grams")

    def broken(number: int) -> None:
        raise EngineError("it went away")

    engine.before_piece = broken
    chat = chat_with(engine, Match(NOTED, True), store)
    conversation = store.create()
    options = AnswerOptions("checkpoint", checkpoint="halden", notes=True)
    with pytest.raises(EngineError, match="it went away"):
        list(chat.ask("What weighs the Skerrin?", options, conversation_id=conversation))
    assert [message.status for message in store.get(conversation).messages] == ["complete", "failed"]


def test_notes_are_left_alone_unless_they_are_asked_for(store: ConversationStore) -> None:
    lessons = FakeLessons(Match(NOTED, False))
    engine = ScriptedEngine("900 grams")
    chat = Chat(lambda: engine, store, lessons=lambda: lessons)
    conversation = store.create()
    list(chat.ask("What weighs the Skerrin?", conversation_id=conversation))
    list(chat.ask("And how heavy is it?", AnswerOptions(notes=True), conversation_id=conversation))
    assert lessons.asked == [] and len(engine.prompts) == 2  # a follow-up may be about something else
