"""How answers end: cut at the limit, stopped since they repeat themselves; reasoning is kept apart."""

from pathlib import Path

import pytest

from assistant.chat.chat import Chat
from assistant.chat.live import LiveAnswer
from assistant.chat.stored_turn import history_of
from assistant.chat.turn import AnswerOptions, Done, Thought, Token
from assistant.curation.from_chat import curate
from assistant.errors import NothingToLearnError
from assistant.history.conversations import ConversationStore
from assistant.history.sources import Source
from tests.fakes import ScriptedEngine

LOOP = "It is light. " + "The station is orange and it is very small. " * 20


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations.sqlite3")


def done(store: ConversationStore, engine: ScriptedEngine, question: str, tokens: int = 256) -> Done:
    conversation = store.create()
    options = AnswerOptions(max_new_tokens=tokens)
    last = list(Chat(lambda: engine, store).ask(question, options, conversation_id=conversation))[-1]
    assert isinstance(last, Done)
    return last


def test_an_answer_that_repeats_itself_is_stopped_cut_and_not_learned(store: ConversationStore) -> None:
    engine = ScriptedEngine(LOOP)
    ended = done(store, engine, "What is the station like?")
    assert (
        ended.ending == "repeated"
        and ended.answer == "It is light. The station is orange and it is very small."
    )
    assert ended.prompt_tokens > 0 and 20 < ended.completion_tokens < 60 and engine.open_streams == 0
    assert ended.answer_id is not None
    stored = store.message(ended.answer_id)
    assert (stored.content, stored.ending, stored.status) == (ended.answer, "repeated", "complete")
    store.rate(stored.id, 1)
    with pytest.raises(NothingToLearnError, match="began to repeat itself"):
        curate([store.get(stored.conversation_id)])
    store.correct(stored.id, "It is orange.")
    assert curate([store.get(stored.conversation_id)]).examples[0].answer == "It is orange."


def test_what_was_asked_to_be_repeated_is_not_stopped(store: ConversationStore) -> None:
    assert done(store, ScriptedEngine(LOOP), "Repeat this sentence 20 times.").ending == ""


def test_an_answer_at_its_limit_says_so(store: ConversationStore) -> None:
    ended = done(store, ScriptedEngine("one two three four"), "Count.", tokens=3)
    assert (ended.ending, ended.answer) == ("length", "one two three")
    assert ended.answer_id is not None and store.message(ended.answer_id).ending == "length"
    assert done(store, ScriptedEngine("one two three"), "Count.", tokens=3).ending == ""


def test_reasoning_is_shown_and_kept_out_of_answer_history_and_examples(store: ConversationStore) -> None:
    conversation = store.create()
    engine = ScriptedEngine("<think>\nIt says 640. </think>\n\n640 grams.")
    events = list(Chat(lambda: engine, store).ask("How heavy is it?", conversation_id=conversation))
    thoughts = [event.text for event in events if isinstance(event, Thought)]
    assert thoughts[0] == "It" and thoughts[-1] == "It says 640."
    assert "".join(event.text for event in events if isinstance(event, Token)) == "640 grams."
    last = events[-1]
    assert isinstance(last, Done) and (last.answer, last.thoughts) == ("640 grams.", "It says 640.")
    answer = store.get(conversation).messages[-1]
    assert (answer.content, answer.thoughts) == ("640 grams.", "It says 640.")
    assert all("640." not in one["content"] or one["content"] == "640 grams." for one in history_of([answer]))
    store.rate(answer.id, 1)
    (example,) = curate([store.get(conversation)]).examples
    assert "think" not in str(example.messages) and "says" not in str(example.messages)


def test_numbers_of_passages_leave_the_history(store: ConversationStore) -> None:
    conversation = store.create()
    store.add_message(conversation, "user", "How heavy is it?")
    store.add_message(
        conversation, "assistant", "640 grams [1].", sources=(Source(1, "It weighs 640 grams."),)
    )
    assert history_of(store.get(conversation).messages)[-1]["content"] == "640 grams."


def test_text_that_turns_out_to_be_reasoning_leaves_the_answer() -> None:
    engine = ScriptedEngine("It says 640.\n</think>\n\n640 grams.")
    live = LiveAnswer("How heavy is it?")
    live.consume(lambda stop: Chat(lambda: engine).ask("How heavy is it?", stop=stop))
    assert (live.text, live.thoughts) == ("640 grams.", "It says 640.")
